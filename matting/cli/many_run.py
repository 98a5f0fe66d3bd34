"""A command for several videos from its beginning to its last words, whatever happens in it."""

from __future__ import annotations

import argparse
import time

from matting.cli.command_run import INTERRUPTED, Ending, report_failure, report_interruption
from matting.cli.console import Console
from matting.cli.next_steps import Invocation, interruption_text
from matting.cli.queue_options import given_paths, queue_file, require_possible_options
from matting.cli.signals import SignalListener
from matting.system.humanize import time_taken
from matting.system.invocation import Command
from matting.system.package_loading import loading


def run_many(
    options: argparse.Namespace, call: Invocation, signals: SignalListener, console: Console
) -> Ending:
    """Run a command for all videos that are given, or in a folder, or in a queue."""
    started = time.monotonic()
    try:
        ending = _run(options, call, signals, console)
    except KeyboardInterrupt:
        return report_interruption(call, signals, console)
    except Exception as error:  # noqa: BLE001 - the last net: reported as what it is
        if signals.heard:
            return report_interruption(call, signals, console)
        return report_failure(error, options, call, console)
    if ending.exit_code == INTERRUPTED:
        console.error(interruption_text(call))
    else:
        console.say(f"Time taken: {time_taken(time.monotonic() - started)}.")
    return ending


def _run(
    options: argparse.Namespace, call: Invocation, signals: SignalListener, console: Console
) -> Ending:
    with loading(console):
        from matting.cli.many_videos import ManyVideos
        from matting.cli.video_finder import VideoFinder
        from matting.cli.video_turn import VideoTurn
        from matting.project.video_queue import held_queue, queue_place

    require_possible_options(options)
    given, paths = queue_file(options), given_paths(options)
    path = None  # segment takes minutes, and finds by itself what is cut already
    if options.command is Command.RUN:
        path = queue_place(given, paths, options.output)
    turn = VideoTurn(options, call, signals)
    with held_queue(path, console, is_given=given is not None) as queue:
        finder = VideoFinder(paths, recursive=options.recursive)
        return ManyVideos(turn, console, queue, finder).run()
