"""Colours: there and back by the stream's own matrix and range, without a shift."""

from __future__ import annotations

import numpy as np
import pytest

from matting.media.colour import (
    BT601,
    BT709,
    BT2020,
    FULL,
    LIMITED,
    SMPTE170M,
    UNSPECIFIED,
    Colour,
    FromGrey,
    FromRGB,
    ToRGB,
)

WEIGHTS = {BT709: (0.2126, 0.0722), SMPTE170M: (0.299, 0.114), BT2020: (0.2627, 0.0593)}


def ycbcr(rgb: tuple[int, int, int], matrix: int, colour_range: int) -> list[float]:
    """Source: ITU-R BT.601, BT.709 and BT.2020, with the quantisation of 8 bits."""
    red, green, blue = (value / 255 for value in rgb)
    kr, kb = WEIGHTS[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    if colour_range == FULL:
        return [255 * luma, 128 + 255 * cb, 128 + 255 * cr]
    return [16 + 219 * luma, 128 + 224 * cb, 128 + 224 * cr]


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
@pytest.mark.parametrize("rgb", [(120, 255, 155), (255, 0, 0), (0, 0, 255), (90, 90, 90)])
def test_flat_colours_by_the_standards(
    matrix: int, colour_range: int, rgb: tuple[int, int, int]
) -> None:
    colour = Colour(matrix, colour_range, UNSPECIFIED, UNSPECIFIED)
    flat = np.empty((48, 64, 3), np.uint8)
    flat[:] = rgb
    frame = FromRGB(colour, "yuv420p")(flat)
    found = [bytes(plane)[9] for plane in frame.planes]
    assert np.abs(np.array(found) - ycbcr(rgb, matrix, colour_range)).max() <= 1
    assert np.abs(ToRGB(colour)(frame).astype(int) - rgb).max() <= 2


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize(
    ("colour_range", "error", "bias"),
    # libswscale truncates on its way to full range: a known shift of just under one step.
    [(LIMITED, 0.6, 0.1), (FULL, 1, 1)],
)
def test_no_shift_on_ramps(matrix: int, colour_range: int, error: float, bias: float) -> None:
    colour = Colour(matrix, colour_range, UNSPECIFIED, UNSPECIFIED)
    rows, columns = np.mgrid[0:96, 0:256]
    ramps = np.stack((columns, 255 - columns, rows * 255 // 95), axis=2).astype(np.uint8)
    back = ToRGB(colour)(FromRGB(colour, "yuv444p")(ramps)).astype(int)
    assert np.abs(back - ramps).mean() < error
    assert np.abs((back - ramps).mean(axis=(0, 1))).max() < bias


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
def test_grey_is_every_step_of_brightness(matrix: int, colour_range: int) -> None:
    grey = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
    frame = FromGrey(Colour(matrix, colour_range, UNSPECIFIED, UNSPECIFIED))(grey)
    luma = frame.to_ndarray()[:4].astype(float)
    exact = [ycbcr((step, step, step), matrix, colour_range)[0] for step in range(256)]
    assert np.abs(luma - exact).max() <= 0.5
    assert (frame.to_ndarray()[4:] == 128).all()


def test_the_matrix_of_untagged_video() -> None:
    untagged = Colour(UNSPECIFIED, LIMITED, UNSPECIFIED, UNSPECIFIED)
    assert untagged.matrix_for(576) == BT601
    assert untagged.matrix_for(577) == BT709
    assert Colour(SMPTE170M, LIMITED, 6, 6).matrix_for(2160) == BT601
