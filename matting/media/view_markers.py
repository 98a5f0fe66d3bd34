"""The markers by which headset players know a video's view from its file's name.

They stand between `_` and `-`, or at an end of the name, in any case. Sources: DeoVR, "Naming
convention"; Skybox, "Add suffix to help recognize the correct format"; Bino's manual (`-rl`,
`-bt`); what XBVR and stash-vr read.
"""

from __future__ import annotations

import re

from matting.media.stated_view import StatedView
from matting.view import LENSES, Projection, StereoLayout

SEPARATOR = re.compile(r"([_-])")

_LEFT_RIGHT = StatedView(StereoLayout.LEFT_RIGHT)
_RIGHT_LEFT = StatedView(StereoLayout.LEFT_RIGHT, right_eye_first=True)
_TOP_BOTTOM = StatedView(StereoLayout.TOP_BOTTOM)
_BOTTOM_TOP = StatedView(StereoLayout.TOP_BOTTOM, right_eye_first=True)
LAYOUT_MARKERS = {
    **dict.fromkeys(("lr", "sbs", "3dh", "hsbs", "fsbs", "sidebyside"), _LEFT_RIGHT),
    "rl": _RIGHT_LEFT,
    **dict.fromkeys(("tb", "ou", "3dv", "hou", "overunder", "topbottom"), _TOP_BOTTOM),
    **dict.fromkeys(("tab", "htab", "ftab"), _TOP_BOTTOM),
    "bt": _BOTTOM_TOP,
    **dict.fromkeys(("mono", "2d"), StatedView(StereoLayout.MONO)),
    **dict.fromkeys(("mono180", "180mono", "mono360", "360mono"), StatedView(StereoLayout.MONO)),
}
EQUIRECTANGULAR_MARKERS = {
    "180": Projection.HALF_EQUIRECTANGULAR,
    "180x180": Projection.HALF_EQUIRECTANGULAR,
    "mono180": Projection.HALF_EQUIRECTANGULAR,
    "180mono": Projection.HALF_EQUIRECTANGULAR,
    "360": Projection.EQUIRECTANGULAR,
    "360x180": Projection.EQUIRECTANGULAR,
    "180x360": Projection.EQUIRECTANGULAR,
    "mono360": Projection.EQUIRECTANGULAR,
    "360mono": Projection.EQUIRECTANGULAR,
    "flat": Projection.FLAT,
}
FISHEYE_MARKER = re.compile(r"fisheye([12]\d\d)?|f(180)|(180)f")
USUAL_FISHEYE_DEG = 180.0  # of a fisheye without a number
# Read by some players in other ways than by others, or not of a view; none may stay in a name that
# says another view.
OTHER_MARKERS = {"alpha", "vr180", "vr360", "eac", "eac360", "360eac"}


def parse_view_name(stem: str) -> StatedView:
    """Return what a file's name says of its view, as headset players read it.

    Of several layouts or projections the last one counts, for markers stand at the end; but a lens
    before a fisheye, and a fisheye before what else there is, for it says more.

    Args:
        stem: the name without its suffix.
    """
    stated = StatedView()
    for word in reversed(_words(stem)):
        stated = stated.completed(LAYOUT_MARKERS.get(word, StatedView()))
    for marker in (_lens, _fisheye, _equirectangular):
        for word in reversed(_words(stem)):
            stated = stated.completed(marker(word))
    return stated


def is_view_marker(word: str) -> bool:
    """Return whether some player may take a word between separators for a marker of a view."""
    lower = word.lower()
    return lower in OTHER_MARKERS or bool(parse_view_name(lower))


def _words(stem: str) -> list[str]:
    return SEPARATOR.split(stem.lower())[::2]


def _lens(word: str) -> StatedView:
    lens = word.upper()
    if lens not in LENSES:
        return StatedView()
    return StatedView(projection=Projection.FISHEYE, field_of_view_deg=LENSES[lens], lens_tag=lens)


def _fisheye(word: str) -> StatedView:
    match = FISHEYE_MARKER.fullmatch(word)
    if match is None:
        return StatedView()
    degrees = next((float(number) for number in match.groups() if number), USUAL_FISHEYE_DEG)
    return StatedView(projection=Projection.FISHEYE, field_of_view_deg=degrees)


def _equirectangular(word: str) -> StatedView:
    return StatedView(projection=EQUIRECTANGULAR_MARKERS.get(word))
