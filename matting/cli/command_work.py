"""What a command does: its stage, with what that needs imported and nothing more."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from matting.cli.cluster_arguments import cluster_options
from matting.cli.console import Console
from matting.cli.option_values import clean_up, cutting_options, matting_options
from matting.cli.range_arguments import range_options
from matting.cli.run_log import seems_done
from matting.job_option import JobOption
from matting.project.paths import demo_folder
from matting.system.invocation import Command
from matting.system.package_loading import loading

# The commands that begin with what is matted.
OF_MATTES = {Command.DELIVER, Command.DELIVER_VR, Command.REMATTE, Command.REPORT}


def do_work(options: argparse.Namespace, console: Console) -> object:
    """Do what a command is there for; return what its stage returns.

    Raises:
        whatever the stage raises.
    """
    with ExitStack() as guard:
        stage = _load_stage(options, console, guard)
        return stage()


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

        return partial(doctor, options.path, console, updates=options.updates)
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
