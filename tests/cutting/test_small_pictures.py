"""Small copies show the same picture, in whatever pixel format and size it is decoded."""

from __future__ import annotations

import av
import numpy as np
import pytest

from matting.cutting.picture_comparison import contrast, difference
from matting.cutting.small_pictures import SMALL_SIZE, small_picture
from matting.media.colour_tags import BT709_TAGS
from tests.support.shot_films import shot

MPEG = 1  # the limited range


@pytest.mark.parametrize(
    "pixel_format",
    ["yuv444p", "yuv422p", "nv12", "yuyv422", "yuv420p10le", "yuv444p16le", "yuva420p", "p010le"],
)
def test_every_format_gives_the_same(pixel_format: str) -> None:
    frame = av.VideoFrame.from_ndarray(shot(1, 1)[0], format="rgb24").reformat(format="yuv420p")
    expected = small_picture(frame, MPEG)
    found = small_picture(frame.reformat(format=pixel_format), MPEG)
    assert difference(found, expected) < 1.5


@pytest.mark.parametrize("pixel_format", ["rgb24", "gbrp", "gbrp10le", "bgra"])
def test_rgb_gives_luma_and_colour_differences(pixel_format: str) -> None:
    frame = av.VideoFrame.from_ndarray(shot(1, 1)[0], format="rgb24")
    expected = small_picture(frame, BT709_TAGS.range)
    assert difference(small_picture(frame.reformat(format=pixel_format), MPEG), expected) < 1.5
    grey = np.full((72, 128, 3), 90, np.uint8)
    luma, blue, red = small_picture(av.VideoFrame.from_ndarray(grey, format="rgb24"), MPEG)
    assert set(luma.ravel()) == {90}
    assert set(blue.ravel()) == set(red.ravel()) == {128}


def test_grey_has_no_colour() -> None:
    frame = av.VideoFrame.from_ndarray(shot(1, 1)[0][..., 0].copy(), format="gray")
    luma, *differences = small_picture(frame, MPEG)
    assert contrast(np.stack([luma] * 3)) > 10
    assert all(set(plane.ravel()) == {128} for plane in differences)


@pytest.mark.parametrize("size", [(2, 2), (37, 21), (321, 241), (66, 1000), (1920, 1080)])
def test_every_size_is_covered_evenly(size: tuple[int, int]) -> None:
    width, height = size
    across = np.linspace(0, 250, width).astype(np.uint8)
    rgb = np.broadcast_to(across[None, :, None], (height, width, 3)).copy()
    luma = small_picture(av.VideoFrame.from_ndarray(rgb, format="rgb24"), MPEG)[0].astype(int)
    assert luma.shape == (SMALL_SIZE.height, SMALL_SIZE.width)
    assert (np.diff(luma, axis=0) == 0).all()
    assert (np.diff(luma, axis=1) >= 0).all()
    cell = 250 / SMALL_SIZE.width
    expected = (np.arange(SMALL_SIZE.width) + 0.5) * cell
    assert np.abs(luma - expected).max() <= max(cell, 250 / (width - 1)) + 1
