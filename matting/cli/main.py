"""The command line: one command, its stage, its exit code."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from matting.cli.cluster_arguments import cluster_options
from matting.cli.console import Console
from matting.cli.next_steps import Invocation, failure_text, interruption_text, success_text
from matting.cli.option_values import clean_up, cutting_options, matting_options
from matting.cli.parser import TextRequested, parse
from matting.cli.range_arguments import range_options
from matting.cli.report_offer import offer_report
from matting.cli.run_log import log_of, seems_done
from matting.cli.shutdown import shut_down
from matting.cli.signals import SignalListener
from matting.errors import MattingError, UnforeseenError
from matting.job_option import JobOption
from matting.project.paths import demo_folder
from matting.system.device_kinds import let_processor_step_in
from matting.system.invocation import Command
from matting.system.lifetimes import tie_children
from matting.system.package_loading import loading, unusable_package

DONE, INTERRUPTED = 0, 130
# The commands that begin with what is matted.
OF_MATTES = {Command.DELIVER, Command.DELIVER_VR, Command.REMATTE, Command.REPORT}


class Ending(NamedTuple):
    """How a command ended.

    Attributes:
        allows_shutdown: whether --shutdown is obeyed.
    """

    exit_code: int
    allows_shutdown: bool = False


def main(argv: list[str] | None = None) -> int:
    """Run the command of `argv` (without the program's name) and return the exit code."""
    signals = SignalListener()
    signals.listen()
    tie_children()
    let_processor_step_in()
    console = Console()
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
    except TextRequested as text:
        console.show(str(text))
        return DONE
    except MattingError as error:
        console.error(str(error))
        return error.exit_code
    call = Invocation.of(argv)
    log = log_of(options, call.arguments)
    console = Console(
        quiet=options.quiet, verbose=options.verbose, log=log, unbroken=_names(options)
    )
    ending = _run(options, call, signals, console)
    code = ending.exit_code
    console.record(f"Exit code {code}.")
    if getattr(options, "shutdown", False) and ending.allows_shutdown and not signals.heard:
        code = _shut_down(console) or code
    signals.ignore()  # nothing is at work any more
    return code


def _names(options: argparse.Namespace) -> list[str]:
    """Return the names that messages are made of: of the job's file or folder, and where it is."""
    paths = [path for path in (options.path, options.output) if path is not None]
    return [name for path in paths for name in (str(path), str(path.parent), path.name, path.stem)]


def _run(
    options: argparse.Namespace, call: Invocation, signals: SignalListener, console: Console
) -> Ending:
    """Run the command, whatever happens in it."""
    started = time.monotonic()
    try:
        _dispatch(options, console)
        console.list_notices()
        for line in success_text(options, call, time.monotonic() - started).split("\n"):
            console.say(line)
        offer_report(options, console)
    except KeyboardInterrupt:
        return _report_interruption(call, signals, console)
    except Exception as error:  # noqa: BLE001 - the last net: reported as what it is
        if signals.heard:  # it hit code that turned it into another error
            return _report_interruption(call, signals, console)
        return _report_failure(error, options, call, console)
    return Ending(DONE, allows_shutdown=True)


def _report_interruption(call: Invocation, signals: SignalListener, console: Console) -> Ending:
    signals.ignore()
    console.leave_line()
    console.list_notices()
    if call.command is not None and call.command.serves:  # there is no other end to it
        console.say(f"The {call.command} has ended.")
        return Ending(DONE)
    console.error(interruption_text(call))
    return Ending(INTERRUPTED)


def _report_failure(
    error: Exception, options: argparse.Namespace, call: Invocation, console: Console
) -> Ending:
    """Report what failed."""
    console.leave_line()
    console.list_notices()
    if options.verbose or not isinstance(error, MattingError):
        console.error(traceback.format_exc().rstrip())
    else:
        console.record(traceback.format_exc().rstrip())
    if isinstance(error, ImportError):  # of what is loaded only where it is needed
        error = unusable_package(error)
    if not isinstance(error, MattingError):
        error = UnforeseenError(
            "This is a fault of the program, not yours. What was done so far is kept."
        )
    console.error(failure_text(error, call, console.log_path))
    return Ending(error.exit_code, error.allows_shutdown)


def _dispatch(options: argparse.Namespace, console: Console) -> None:
    with ExitStack() as guard:
        stage = _load_stage(options, console, guard)
        stage()


def _load_stage(
    options: argparse.Namespace, console: Console, guard: ExitStack
) -> Callable[[], object]:
    """Return the command's work, with what it needs imported.

    Args:
        guard: on leaving it ends the process in which files are read that anybody may have made.
    """
    # torch takes seconds to load, from some disks a minute.
    with loading(console):
        mattes = options.command in {Command.INFER, Command.RUN}
        done = seems_done(options)  # then processes and torch wait until it is not
        if mattes and not done and not cluster_options(options).is_asked_for:
            from matting.workers.process_ahead import process_ahead

            guard.enter_context(process_ahead(options.path))
        if options.command not in {Command.DEMO, Command.DOCTOR} and not options.command.serves:
            from matting.media.foreign_files import guarded_reading, start_reading_ahead

            guard.enter_context(guarded_reading())
            if not done:
                start_reading_ahead()
        if options.command.runs_network and not done and not vars(options).get("vr"):
            from matting.system.gpu_diagnosis import warn_of_unused_gpu

            warn_of_unused_gpu(options.devices[0], console)
        return _stage(options, console)


def _stage(options: argparse.Namespace, console: Console) -> Callable[[], object]:
    """Return the command's work.

    Only the modules that it needs are imported: torch takes seconds to load, and three stages do
    without it.
    """
    path, output = options.path, options.output
    others = {Command.DEMO, Command.DOCTOR, Command.PREVIEW, *OF_MATTES}
    if options.command in others or options.command.serves:
        return _other_command(options, console)
    if options.command is Command.SEGMENT:
        from matting.segment import segment

        return partial(segment, path, cutting_options(options), output, console)
    if options.command is Command.INFER:
        from matting.infer_and_deliver import infer_and_deliver

        return partial(infer_and_deliver, path, matting_options(options), output, console)
    if options.command is Command.COMBINE:
        from matting.combine import combine

        return partial(combine, path, output, console)
    if options.command is Command.ADD_AUDIO:
        from matting.add_audio import add_audio

        return partial(add_audio, path, output, console)
    from matting.run import run

    cutting, matting = cutting_options(options), matting_options(options)
    cleaning = clean_up(options)
    return partial(run, path, cutting, matting, output, console, cleaning=cleaning)


def _other_command(options: argparse.Namespace, console: Console) -> Callable[[], object]:
    if options.command is Command.DOCTOR:
        from matting.cli.doctor import doctor

        return partial(doctor, options.path, console)
    if options.command.serves:
        from matting.cli.service_commands import service

        return service(options, console)
    if options.command in OF_MATTES:
        return _of_mattes(options, console)
    if options.command is Command.PREVIEW:
        from matting.cli.preview_command import preview_and_choose

        return partial(preview_and_choose, options, console)
    folder = options.path or options.output or demo_folder()
    if options.vr:
        return _cards(options, folder, console)
    from matting.demo import demo

    def show_demo() -> None:
        for line in ["", *demo(folder, console, device=options.devices[0]).table().split("\n")]:
            console.say(line)

    return show_demo


def _cards(options: argparse.Namespace, folder: Path, console: Console) -> Callable[[], object]:
    from matting.demo_cards import make_cards
    from matting.vr_options import Headset

    headset = Headset(vars(options).get(JobOption.HEADSET.field, Headset.ANY))
    return partial(make_cards, folder, console, headset=headset)


def _of_mattes(options: argparse.Namespace, console: Console) -> Callable[[], object]:
    if options.command is Command.DELIVER:
        return _delivery(options, console)
    if options.command is Command.REMATTE:
        return _rematting(options, console)
    if options.command is Command.REPORT:
        from matting.report_command import report

        return partial(report, options.path, options.output, console)
    from matting.cli.headset_delivery import deliver_for_headset

    return partial(deliver_for_headset, options, console)


def _delivery(options: argparse.Namespace, console: Console) -> Callable[[], object]:
    from matting.cli.format_choice import ask_for_formats
    from matting.deliver import deliver
    from matting.delivery.formats import FORMATS
    from matting.project.matted import find_matted

    matting, output = matting_options(options), options.output

    def deliver_formats() -> object:
        rows = [FORMATS[name] for name in matting.formats] or ask_for_formats(console)
        folder = find_matted(options.path, output, Command.DELIVER)
        return deliver(folder.root, rows, matting, output, console, video=options.path)

    return deliver_formats


def _rematting(options: argparse.Namespace, console: Console) -> Callable[[], object]:
    from matting.cli.range_choice import ask_for_range
    from matting.rematte import rematte

    def rematte_range() -> None:
        if range_options(options).is_empty and not matting_options(options).typed:
            vars(options).update(ask_for_range(console))
        asked, matting = range_options(options), matting_options(options)
        rematte(options.path, asked, matting, options.output, console)

    return rematte_range


def _shut_down(console: Console) -> int:
    try:
        shut_down(console.error)  # announced even when quiet
    except KeyboardInterrupt:
        console.say("The computer stays on.")
    except MattingError as error:
        console.error(str(error))
        return error.exit_code
    return DONE
