"""What `rematte` is to do, asked for where nothing of it is typed: as after a drop."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from matting.cli.arg_types import player_time
from matting.cli.console import Console
from matting.cli.numbered_list import ask_number
from matting.errors import InputError
from matting.network_choice import Subject
from matting.range_options import LAST_RANGE


class _Work(NamedTuple):
    """Something that can be chosen: in words, and as arguments by their names."""

    purpose: str
    arguments: Mapping[str, object]
    needs_times: bool = True


WORKS = (
    _Work("a part again, for heads and shoulders", {"subject": Subject.PORTRAIT}),
    _Work("a part again, for whole bodies", {"subject": Subject.FULL_BODY}),
    _Work("a part again, by the same settings", {}),
    _Work("take back what was done again last", {"undo": LAST_RANGE}, needs_times=False),
)
TIMES = {"start": "From where, as a player shows it, such as 0:41:10?", "end": "Up to where?"}


def ask_for_range(console: Console) -> dict[str, object]:
    """Show what can be done, ask for one of it, and for the times of the part.

    Returns:
        arguments by their names, as `range_arguments` and the parser call them; nothing if there is
        nobody to ask.
    Raises:
        InputError: nothing was chosen.
    """
    chosen = ask_number(console, [work.purpose for work in WORKS])
    if chosen is None:
        return {}
    work = WORKS[chosen]
    arguments = dict(work.arguments)
    if work.needs_times:
        for name, question in TIMES.items():
            again = "Please type a time such as 0:41:10, 41:10.5 or 70:"
            time = console.ask_until(question, _time, again)
            if time is None:  # else it would be all from there on
                raise InputError("No time was given, and nothing was done.")
            arguments[name] = time
    return arguments


def _time(text: str) -> Fraction | None:
    try:
        return player_time(text)
    except argparse.ArgumentTypeError:
        return None
