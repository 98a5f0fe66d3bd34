"""What a file for a headset is to be like, asked for in short lists: as after a drop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from matting.cli.console import Console
from matting.cli.numbered_list import ask_number, numbered
from matting.errors import MattingError
from matting.job_option import JobOption
from matting.options import FormatName
from matting.view import View, parse_view
from matting.vr_options import FisheyeView, Headset


class _Choice(NamedTuple):
    """Something that can be chosen: in words, and as arguments by their names."""

    purpose: str
    arguments: Mapping[str, object]


PLAYERS = (
    _Choice(
        "DeoVR, HereSphere, 4XVR, Skybox: you see your room around the people, without keying",
        {"formats": (FormatName.VR_ALPHA,)},
    ),
    _Choice(
        "the same under another name, for a player that shows the first one wrongly",
        {"formats": (FormatName.VR_ALPHA,), "fisheye": FisheyeView.FISHEYE_180},
    ),
    _Choice(
        "Moon Player, or any of these: on one colour, for a player that keys it out",
        {"formats": (FormatName.VR_GREEN,)},
    ),
)
HEADSETS = (
    _Choice("Quest 3", {"headset": Headset.QUEST_3}),
    _Choice("Quest 2 or Quest Pro", {"headset": Headset.QUEST_2}),
    _Choice("another headset, or a computer", {"headset": Headset.ANY}),
)
CAREFUL = 1  # the index of the headset with the smallest files, which all of them play
VIEWS = {
    "left-right,180": "two eyes side by side, 180 degrees: most VR video",
    "top-bottom,180": "two eyes one above the other, 180 degrees",
    "left-right,fisheye190": "two eyes side by side, a fisheye of 190 degrees",
    "left-right,fisheye180": "two eyes side by side, a fisheye of 180 degrees",
    "left-right,mkx200": "two eyes side by side, the lens MKX200",
    "left-right,mkx220": "two eyes side by side, the lens MKX220",
    "left-right,vrca220": "two eyes side by side, the lens VRCA220",
    "left-right,rf52": "two eyes side by side, the lens RF52",
}


def ask_for_headset(console: Console, typed: Mapping[str, object]) -> dict[str, object]:
    """Ask for the player and for the headset; Enter is the usual one, and the careful one.

    Args:
        typed: arguments by their names; what they say of it is not asked for.
    Returns:
        arguments by their names, as the parser calls them; nothing if there is nobody to ask.
    """
    lists = [("How is it to be seen?", PLAYERS, 0)]
    if JobOption.HEADSET.field not in typed:
        lists.append(("On which headset?", HEADSETS, CAREFUL))
    answers: dict[str, object] = {}
    for heading, choices, usual in lists:
        purposes = [choice.purpose for choice in choices]
        chosen = ask_number(console, purposes, heading=heading, usual=usual)
        if chosen is None:
            return {}
        answers |= choices[chosen].arguments
    return answers


def ask_for_view(console: Console, trouble: MattingError) -> View:
    """Ask how a video is meant to be seen, of which that is not known or no file can be made.

    Raises:
        InputError: the trouble itself, where there is nobody to ask; or nothing was chosen.
    """
    by_number = {str(number): text for number, text in enumerate(VIEWS, start=1)}
    question = "How is it really meant to be seen? A number, or another as in right-left,180:"
    console.say(trouble.what)
    view = console.ask_until(
        "\n".join([*numbered(list(VIEWS.values())), question]),
        lambda answer: _view(by_number.get(answer, answer)),
        f"Please type a number from 1 to {len(VIEWS)}, or a view such as left-right,fisheye200:",
    )
    if view is None:
        raise trouble
    return view


def _view(text: str) -> View | None:
    try:
        return parse_view(text)
    except ValueError:
        return None
