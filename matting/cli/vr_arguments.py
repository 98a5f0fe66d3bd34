"""The options that say how a video is seen, and what files for headsets are like."""

from __future__ import annotations

import argparse

from matting.cli import arg_types
from matting.cli.option_group import Group, add_choice
from matting.job_option import JobOption
from matting.vr_options import VrOptions

CARDS_OPTION = "--vr"  # of `demo`


def add_view(group: Group) -> None:
    """Add the option that says how a video is meant to be seen."""
    group.add_argument(
        JobOption.VIEW.value,
        type=arg_types.view,
        default=argparse.SUPPRESS,
        metavar="auto|LAYOUT,PROJECTION",
        help="where the eyes lie, as mono, left-right or top-bottom, and how the picture is "
        "projected, as flat, 180, 360, fisheye190 or mkx200 (default: auto, by the file and its "
        "name)",
    )


def add_card_options(group: Group) -> None:
    """Add what `demo` takes of headsets."""
    group.add_argument(
        CARDS_OPTION,
        action="store_true",
        help="make films that show whether a headset's players read what this program writes",
    )
    _add_headset(group, "quest2, quest3: as large and as fast as that plays; any: of a modest size")


def add_vr_options(group: Group) -> None:
    """Add all that shapes files for headsets."""
    default, add = VrOptions(), group.add_argument
    _add_headset(group, "what vr-green and vr-alpha are to be played by")
    add_choice(
        group, "--fisheye", default.fisheye, "degrees of the fisheye that vr-alpha makes of 180°"
    )
    for option, text in (
        ("--fringe", "vr-alpha: the people's own colours in half-transparent pixels (default: no)"),
        ("--sidecar", "files beside the result that tell players how it is seen (default: yes)"),
    ):
        add(
            option,
            type=arg_types.yes_or_no,
            default=argparse.SUPPRESS,
            metavar="{yes,no}",
            help=text,
        )


def _add_headset(group: Group, description: str) -> None:
    add_choice(group, JobOption.HEADSET.value, VrOptions().headset, description)
