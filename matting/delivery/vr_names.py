"""Names by which headset players know the view of a file: reading, making, and taking them off."""

from __future__ import annotations

from typing import NamedTuple

from matting.media.view_markers import SEPARATOR, is_view_marker, parse_view_name
from matting.options import FormatName
from matting.project.paths import FINAL_SUFFIX
from matting.view import Projection, View
from matting.vr_options import FisheyeView

__all__ = ["PlayerLens", "parse_view_name", "player_lens", "result_name", "strip_view_markers"]

NAMELESS = "video"  # what is left of a name that was nothing but markers
ALPHA_MARKER = "alpha"


class PlayerLens(NamedTuple):
    """How a file's eyes are projected, and how players are told.

    Attributes:
        field_of_view_deg: across an eye's part.
        marker: what says so in a name.
        lens_tag: of a lens whose model only players know; None: it is equidistant, or no fisheye.
    """

    projection: Projection
    field_of_view_deg: float
    marker: str
    lens_tag: str | None = None


EQUIRECTANGULAR = PlayerLens(Projection.HALF_EQUIRECTANGULAR, 180, "180_SBS")
# The first by documented tags; the second was seen to work in four players.
FISHEYES = {
    FisheyeView.FISHEYE_190: PlayerLens(Projection.FISHEYE, 190, "FISHEYE190"),
    FisheyeView.FISHEYE_180: PlayerLens(Projection.FISHEYE, 180, "180_FISHEYE_F180"),
}


def player_lens(view: View, name: FormatName, fisheye: FisheyeView) -> PlayerLens:
    """Return how the eyes of a file in a VR format are projected.

    A fisheye source's own lens stays, where players have a name for it. Any other fisheye, which
    then is equidistant, and equirectangular video with its matte packed, become what is asked for.

    Args:
        view: of the source, with a known field of view.
        name: VR_GREEN or VR_ALPHA.
    """
    degrees = view.field_of_view_deg
    if view.lens_tag is not None and degrees is not None:
        return PlayerLens(Projection.FISHEYE, degrees, view.lens_tag, view.lens_tag)
    if view.projection is Projection.FISHEYE:
        own = (lens for lens in FISHEYES.values() if lens.field_of_view_deg == degrees)
        return next(own, FISHEYES[fisheye])
    return FISHEYES[fisheye] if name is FormatName.VR_ALPHA else EQUIRECTANGULAR


def result_name(stem: str, lens: PlayerLens, name: FormatName) -> str:
    """Return the name of a file in a VR format, without its suffix.

    Args:
        stem: the source's name without its suffix; its own markers would contradict.
    """
    words = [strip_view_markers(stem) + FINAL_SUFFIX, "LR", lens.marker]
    if name is FormatName.VR_ALPHA:
        words.append(ALPHA_MARKER)
    return "_".join(words)


def strip_view_markers(stem: str) -> str:
    """Return a name without the markers that any player may read, so that others can be added.

    Args:
        stem: the name without its suffix.
    """
    first, *others = SEPARATOR.split(stem)
    kept = [("", first), *zip(others[::2], others[1::2], strict=True)]
    own = [(separator, word) for separator, word in kept if not is_view_marker(word)]
    if len(own) == len(kept):
        return stem or NAMELESS
    return "".join(separator + word for separator, word in own).strip("_- ") or NAMELESS
