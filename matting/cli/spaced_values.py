"""Values that were typed with spaces where an option takes them with commas."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from matting.cli import arg_types, suggestions
from matting.cli.cluster_arguments import devices

# The types of values that consist of several words.
SEVERAL = {
    arg_types.background,
    arg_types.formats,
    arg_types.player_times,
    arg_types.rectangles,
    arg_types.view,
    devices,
}


class SpacedValue(NamedTuple):
    """An option whose value was typed as several words.

    Attributes:
        value: as it would be right.
        begins_well: whether the first word is a value by itself.
    """

    option: str
    value: str
    begins_well: bool

    @property
    def refusal(self) -> str:
        """What is said of it."""
        what = f"{self.option} takes its values with commas between them, and no spaces"
        return f"{what}: {self.option} {self.value}"


def spaced_value(words: Sequence[str], actions: Iterable[argparse.Action]) -> SpacedValue | None:
    """Return the first option whose value is right once its words are tied together, if any.

    Args:
        words: all that was typed behind the command.
        actions: what the command takes.
    """
    types: dict[str, Callable[[str], object]] = {
        option: action.type
        for action in actions
        for option in action.option_strings
        if callable(action.type) and action.type in SEVERAL
    }
    for index, word in enumerate(words):
        option, _, value = word.partition("=")
        value_type = types.get(option)
        if value_type is None:
            continue
        behind = takewhile(lambda w: not suggestions.looks_like_option(w), words[index + 1 :])
        typed = [*filter(None, [value]), *behind]
        for count in range(len(typed), 1, -1):
            tied = ",".join(re.findall(r"[^\s,]+", " ".join(typed[:count])))
            if _is_taken(tied, value_type):
                return SpacedValue(option, tied, _is_taken(typed[0], value_type))
    return None


def _is_taken(text: str, value_type: Callable[[str], object]) -> bool:
    try:
        value_type(text)
    except argparse.ArgumentTypeError:
        return False
    return True
