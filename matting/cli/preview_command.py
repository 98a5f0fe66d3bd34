"""`preview` as it is given and answered: its options, the browser, and which setting is chosen."""

from __future__ import annotations

import argparse
import os
import sys

from matting.cli import arg_types
from matting.cli.console import Console
from matting.cli.option_group import Group
from matting.cli.option_values import matting_options
from matting.system.invocation import batch_file

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")  # without either, nothing can be seen on Linux


def add_preview_options(group: Group) -> None:
    """Add what says which moments are shown, and which setting is chosen."""
    group.add_argument(
        "--at",
        type=arg_types.player_times,
        default=(),
        metavar="TIME[,TIME...]",
        help="show these moments, too, in the times that a player shows: 0:12:03,1:05:00",
    )
    group.add_argument(
        "--choose",
        type=arg_types.positive,
        metavar="N",
        help="make setting N of the page the video's own, for infer, run and the batch files",
    )


def preview_and_choose(options: argparse.Namespace, console: Console) -> None:
    """Do what is asked: choose a setting, or make the page, and offer to open it and to choose.

    Raises:
        MattingError: as `preview` and `choose` do.
    """
    from matting.preview import choose, preview  # noqa: PLC0415 - help and errors need no torch

    path, output, matting = options.path, options.output, matting_options(options)
    if options.choose is not None:
        choose(path, options.choose, matting, output, console)
        return
    page = preview(path, options.at, matting, output, console)
    console.say(f"{page.progress} {page.path}")
    if options.quiet:
        return
    if has_display() and console.confirm("Show the page in the browser?"):
        import webbrowser  # noqa: PLC0415 - with all that it imports, hardly ever needed

        webbrowser.open(page.path.as_uri())
    if batch_file():
        number = _ask_for_setting(console, len(page.settings))
        if number is not None:
            choose(path, number, matting, output, console)


def has_display() -> bool:
    """Return whether a browser could show something."""
    return sys.platform in {"win32", "darwin"} or any(os.environ.get(name) for name in DISPLAYS)


def _ask_for_setting(console: Console, settings: int) -> int | None:
    """Return the number of the setting that is chosen; None: none is."""
    question = f"Which setting is this video matted by, 1 to {settings}? (Enter: as before)"
    while answer := console.ask(question):
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= settings:
            return int(answer)
        question = f"Please type a number from 1 to {settings}, or press Enter:"
    return None
