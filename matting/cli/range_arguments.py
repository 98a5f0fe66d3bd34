"""The options of `rematte`: which part of a video is done again, and where in the picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from matting.cli import arg_types
from matting.range_options import DEFAULT_BLEND_FRAMES, LAST_RANGE, RangeOptions

RECTANGLES = "x,y,w,h"


def add_range_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which part is done again, and what becomes of it."""
    add = parser.add_argument_group("what is done again").add_argument
    add(
        "--from",
        dest="start",
        type=arg_types.player_time,
        metavar="TIME",
        help="from there on, in the time that a player shows: 0:41:10, 41:10.5, or seconds "
        "(default: from the start)",
    )
    add(
        "--to",
        dest="end",
        type=arg_types.player_time,
        metavar="TIME",
        help="up to there (default: to the end)",
    )
    add(
        "--video",
        metavar="NAME",
        help="of that one, in a folder of separate videos",
    )
    add(
        "--blend",
        type=arg_types.whole,
        default=DEFAULT_BLEND_FRAMES,
        metavar="N",
        help="blend it in and out over N frames, where no shot starts "
        f"(default: {DEFAULT_BLEND_FRAMES})",
    )
    add(
        "--undo",
        nargs="?",
        type=arg_types.positive,
        const=LAST_RANGE,
        metavar="N",
        help="take range N back, or else the last one",
    )
    add = parser.add_argument_group("where in the picture there are people").add_argument
    add(
        "--static-mask",
        type=Path,
        metavar="FILE",
        help="nothing is matted where this picture is white; it is scaled to the video",
    )
    add(
        "--keep-out",
        type=arg_types.rectangles,
        action="append",
        metavar=RECTANGLES,
        help="nothing is matted there, in pixels of the video as it is shown; several with spaces "
        "between them, or given several times",
    )
    add(
        "--hold-in",
        type=arg_types.rectangles,
        action="append",
        metavar=RECTANGLES,
        help="nothing is matted outside of there",
    )


def range_options(arguments: argparse.Namespace) -> RangeOptions:
    """Return what was asked for of a range."""
    return RangeOptions(
        start_seconds=arguments.start,
        end_seconds=arguments.end,
        blend_frames=arguments.blend,
        static_mask=arguments.static_mask,
        keep_out=tuple(part for parts in arguments.keep_out or () for part in parts),
        hold_in=tuple(part for parts in arguments.hold_in or () for part in parts),
        video=arguments.video,
        undo=arguments.undo,
    )
