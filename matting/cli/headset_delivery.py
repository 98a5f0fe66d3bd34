"""A file for a headset, made by the answers to a few questions; and what to do with it there."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from matting.background import hex_colour, plain_colour
from matting.cli.console import Console
from matting.cli.headset_choice import ask_for_headset, ask_for_view
from matting.cli.option_values import matting_options
from matting.deliver import deliver
from matting.delivery.formats import FORMATS
from matting.delivery.vr_plan import vr_plan
from matting.delivery.vr_sidecars import SUFFIXES as SIDECARS
from matting.errors import InputError
from matting.job_option import JobOption
from matting.options import FormatName, MattingOptions
from matting.progress import Progress
from matting.project.input_views import with_views
from matting.project.inputs import read_inputs
from matting.project.ledger import Ledger
from matting.project.matted import find_matted, matted_from
from matting.project.paths import MattedFolder
from matting.project.resumed_options import take_up
from matting.system.invocation import Command, program_line


def deliver_for_headset(arguments: argparse.Namespace, console: Console) -> None:
    """Ask what is not typed, make the file, and say what to do with it.

    Args:
        arguments: of `deliver-vr`.
    Raises:
        InputError: there is nobody to ask, or no such file can be made.
        MattingError: as `deliver` raises.
    """
    folder = find_matted(arguments.path, arguments.output, Command.DELIVER_VR)
    answers = ask_for_headset(console, vars(arguments))
    if not answers:
        line = program_line(Command.DELIVER, folder.root, "--as", FormatName.VR_ALPHA)
        raise InputError("There is nobody to be asked for the player and the headset.", line)
    vars(arguments).update(answers)
    options = matting_options(arguments)
    trouble = _view_trouble(folder, options)
    if trouble is not None:
        vars(arguments)[JobOption.VIEW.field] = ask_for_view(console, trouble)
        options = matting_options(arguments)
    rows = [FORMATS[name] for name in options.formats]
    files = deliver(folder.root, rows, options, arguments.output, console, video=arguments.path)
    options = take_up(options, Ledger(folder).remembered, Progress())
    for made in files:
        for line in _steps(made, options):
            console.say(line)


def _view_trouble(folder: MattedFolder, options: MattingOptions) -> InputError | None:
    """Return why a job's video is none that can be made for headsets, as it is seen; None: it is.

    None, too, for several separate videos, of which each may be seen otherwise.
    """
    known = Ledger(folder)
    inputs = read_inputs(matted_from(known))
    matte = take_up(options, known.remembered, Progress()).matte
    items = with_views(inputs, matte).inputs
    if inputs.plan is None and len(items) > 1:
        return None
    source = items[0].path if inputs.plan is None else Path(inputs.plan.source.name)
    try:
        for name in options.formats:
            vr_plan(name, items[0].view, options.output.vr, source)
    except InputError as error:
        return error
    return None


def _steps(made: Path, options: MattingOptions) -> Iterator[str]:
    """Yield what to do with a file on the headset."""
    beside = [made.with_suffix(suffix) for suffix in SIDECARS]
    names = " and ".join(path.name for path in beside if path.is_file())
    yield f"For the headset: {made}"
    yield (
        f"Copy it to the headset{f', with {names} beside it' if names else ''}. Leave the name as "
        "it is: by that the player knows how to show it."
    )
    if FormatName.VR_ALPHA in options.formats:
        yield "Open it in the player, and switch on passthrough: the people stand in your room."
        return
    key = hex_colour(plain_colour(options.output.background))
    yield f"Open it in the player, and switch on passthrough with chroma key: the colour is {key}."
