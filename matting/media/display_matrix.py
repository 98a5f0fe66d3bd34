"""Display matrices: how containers, SEI messages and EXIF say that a picture is turned."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import atan2, cos, degrees, hypot, radians

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

from matting.imaging.orientation import UPRIGHT, Orientation
from matting.media.container import side_data

# FFmpeg's AVDisplayMatrix: a pixel at (x, y), y counting downwards, is shown at
# (a x + c y, b x + d y). These are (a, b, c, d) of the quarter turns counter-clockwise.
QUARTER_TURNS = ((1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))
# Degrees. FFmpeg's program rounds to whole ones, and turns within the frame by all but quarters.
EXACT, NEAREST = 0.5, 10.0


def display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    """Return the nine numbers of a frame's display matrix; None where it has none."""
    data = side_data(frame, Type.DISPLAYMATRIX) or b""
    return struct.unpack_from("=9i", data) if len(data) >= 36 else None


def orientation_of(matrix: Sequence[int] | None) -> tuple[Orientation, str]:
    """Return how a matrix brings a picture upright, and a sentence where that is not all it says.

    Scaling and moving, which it can say as well, are ignored as by FFmpeg's own players. What is
    turned by nearly a quarter is turned by a quarter; by anything else, it stays as it is stored.
    """
    if matrix is None:
        return UPRIGHT, ""
    a, b, c, d = (matrix[place] for place in (0, 1, 3, 4))
    across, down = hypot(a, c), hypot(b, d)
    if not across or not down:
        return UPRIGHT, ""
    own = (a / across, b / down, c / across, d / down)
    likeness, turns, mirrored = max(
        (_likeness(own, (-a if mirrored else a, -b if mirrored else b, c, d)), turns, mirrored)
        for turns, (a, b, c, d) in enumerate(QUARTER_TURNS)
        for mirrored in (False, True)
    )
    sign = -1 if mirrored else 1
    angle = round(degrees(-atan2(sign * own[1], sign * own[0]))) % 360
    said = f"The video is marked to be shown turned by {angle} degrees counter-clockwise"
    if likeness > cos(radians(EXACT)):
        return Orientation(turns, mirrored), ""
    if likeness > cos(radians(NEAREST)):
        return Orientation(turns, mirrored), f"{said}: it is turned by {90 * turns}."
    return UPRIGHT, f"{said}: only quarter turns are followed, so it stays as it is stored."


def _likeness(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of the larger angle between the columns of two matrices (a, b, c, d)."""
    return min(one[0] * other[0] + one[2] * other[2], one[1] * other[1] + one[3] * other[3])
