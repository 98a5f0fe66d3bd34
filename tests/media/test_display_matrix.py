"""Display matrices turn and mirror; what is no quarter turn is told."""

from __future__ import annotations

from math import cos, radians, sin

import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from matting.imaging.orientation import UPRIGHT, Orientation
from matting.media.colour_tags import ColourTags
from matting.media.display_matrix import orientation_of
from matting.media.frame_planes import planes_of

ONE = 1 << 16


def matrix_of(degrees: float, *, mirrored: bool = False, scale: float = 1) -> tuple[int, ...]:
    """Return the display matrix that turns counter-clockwise after mirroring."""
    a, b = cos(radians(degrees)), -sin(radians(degrees))
    c, d = -b, a
    across = -1 if mirrored else 1
    a, b, c, d = (round(number * ONE * scale) for number in (a * across, b * across, c, d))
    return (a, b, 0, c, d, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_every_pixel_goes_where_the_matrix_sends_it(turns: int, mirrored: bool) -> None:
    matrix = matrix_of(90 * turns, mirrored=mirrored)
    orientation, note = orientation_of(matrix)
    assert (orientation, note) == (Orientation(turns, mirrored), "")
    stored = np.arange(3 * 5, dtype=np.uint8).reshape(3, 5)
    frame = VideoFrame.from_ndarray(stored, format="gray")
    shown = planes_of(frame, ColourTags(), orientation).luma_or_rgb[0, 0].numpy()
    a, b, c, d = (matrix[place] // ONE for place in (0, 1, 3, 4))
    places = {(a * x + c * y, b * x + d * y): stored[y, x] for y in range(3) for x in range(5)}
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    assert all(shown[y - top, x - left] == value for (x, y), value in places.items())


@given(st.floats(0, 360), st.booleans(), st.floats(0.25, 4))
def test_other_angles_are_told(degrees: float, mirrored: bool, scale: float) -> None:
    orientation, note = orientation_of(matrix_of(degrees, mirrored=mirrored, scale=scale))
    turns, away = round(degrees / 90) % 4, abs((degrees + 45) % 90 - 45)
    if away < 9.9:
        assert orientation == Orientation(turns, mirrored)
    elif away > 10.1:
        assert orientation == UPRIGHT
    assert bool(note) == (away > 0.5) or abs(away - 0.5) < 0.01


@pytest.mark.parametrize("mirrored", [False, True])
def test_nearly_a_quarter_turn_is_told(mirrored: bool) -> None:
    orientation, note = orientation_of(matrix_of(89, mirrored=mirrored))
    assert orientation == Orientation(1, mirrored)
    assert "by 89 degrees" in note


@pytest.mark.parametrize("matrix", [None, (0,) * 9])
def test_no_matrix_and_one_of_nonsense_change_nothing(matrix: tuple[int, ...] | None) -> None:
    assert orientation_of(matrix) == (UPRIGHT, "")
