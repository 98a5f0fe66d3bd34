"""Colours follow the standards, come back without a shift, and can be had as backgrounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matting.imaging.colour_conversion import (
    convert_planes,
    nearest_representable_colour,
    rows_to_rgb,
)
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.media.colour_tags import ColourRange, ColourTags, Matrix

# Red's and blue's share of luma in ITU-R BT.709, BT.601, BT.2020 and SMPTE 240M.
LUMA_COEFFICIENTS = {
    Matrix.BT709: (0.2126, 0.0722),
    Matrix.SMPTE170M: (0.299, 0.114),
    Matrix.BT2020: (0.2627, 0.0593),
    Matrix.SMPTE240M: (0.212, 0.087),
}
RGB8 = SampleFormat()
every_matrix = pytest.mark.parametrize("matrix", LUMA_COEFFICIENTS)
both_ranges = pytest.mark.parametrize("colour_range", [ColourRange.LIMITED, ColourRange.FULL])


def ycbcr(
    rgb: tuple[int, ...], matrix: Matrix, colour_range: ColourRange, bits: int
) -> list[float]:
    """Compute code values by the standards above and ITU-T H.273's quantisation."""
    red, green, blue = (value / 255 for value in rgb)
    kr, kb = LUMA_COEFFICIENTS[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    unit = 2 ** (bits - 8)
    if colour_range == ColourRange.FULL:
        peak = 2**bits - 1
        return [peak * luma, 128 * unit + peak * cb, 128 * unit + peak * cr]
    return [unit * value for value in (16 + 219 * luma, 128 + 224 * cb, 128 + 224 * cr)]


def bars_and_ramps() -> Planes:
    """Return bars of 75 % and 100 % above ramps of all channels and of grey: [1, 3, 160, 256]."""
    columns = np.arange(256)
    bits = columns // 32
    bars = np.stack([(bits >> 1 & 1), (bits >> 2 & 1), (bits & 1)])
    lines = [bars * 191, bars * 255]
    for mask in ([1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]):
        lines += [columns * np.array(mask)[:, None], (255 - columns) * np.array(mask)[:, None]]
    rgb = np.repeat(np.stack(lines, axis=1), 16, axis=1).astype(np.uint8)
    return Planes(RGB8, torch.from_numpy(rgb)[None])


@every_matrix
@both_ranges
@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("rgb", [(120, 255, 155), (255, 0, 0), (0, 0, 255), (90, 90, 90)])
def test_flat_colours_by_the_standards(
    matrix: Matrix, colour_range: ColourRange, bits: int, rgb: tuple[int, ...]
) -> None:
    sample_format = ColourTags(matrix, colour_range).sample_format(bits, (2, 2), 48)
    flat = Planes(RGB8, torch.tensor(rgb, dtype=torch.uint8).view(1, 3, 1, 1).repeat(1, 1, 8, 8))
    video = convert_planes(flat, sample_format)
    assert video.chroma is not None
    values = [int(plane[0, 0]) for plane in (video.luma_or_rgb[0, 0], *video.chroma[0])]
    assert np.abs(np.array(values) - ycbcr(rgb, matrix, colour_range, bits)).max() <= 0.501


@every_matrix
@both_ranges
@pytest.mark.parametrize("bits", [8, 10])
def test_bars_and_ramps_come_back_without_a_shift(
    matrix: Matrix, colour_range: ColourRange, bits: int
) -> None:
    source = bars_and_ramps()
    sample_format = ColourTags(matrix, colour_range).sample_format(bits, (1, 1), 160)
    video = convert_planes(source, sample_format)
    error = convert_planes(video, RGB8).luma_or_rgb.int() - source.luma_or_rgb.int()
    assert error.abs().float().mean() <= 0.6
    assert error.abs().max() <= (2 if bits == 8 else 1)
    # Before 8-bit R'G'B' cuts off what is below 0: most of these ramps have a channel at 0.
    exact = rows_to_rgb(video, slice(0, 160)) * 255 - source.luma_or_rgb
    assert exact.mean(dim=(0, 2, 3)).abs().max() <= 0.1
    # And after it, on colours that stay clear of both ends.
    inside = Planes(RGB8, (source.luma_or_rgb.float() * (191 / 255) + 32).round().to(torch.uint8))
    error = (
        convert_planes(convert_planes(inside, sample_format), RGB8).luma_or_rgb.int()
        - inside.luma_or_rgb.int()
    )
    assert error.float().mean(dim=(0, 2, 3)).abs().max() <= 0.1


@every_matrix
@both_ranges
@pytest.mark.parametrize("bits", [8, 10])
def test_a_background_is_the_colour_asked_for(
    matrix: Matrix, colour_range: ColourRange, bits: int
) -> None:
    """For all 216 colours of six values a channel."""
    sample_format = ColourTags(matrix, colour_range).sample_format(bits, (2, 2), 48)
    for red in range(0, 256, 51):
        for green in range(0, 256, 51):
            for blue in range(0, 256, 51):
                colour = torch.tensor([red, green, blue]) / 255
                nearest = nearest_representable_colour(colour.tolist(), sample_format).clamp(0, 1)
                assert ((nearest * 255).round() - colour * 255).abs().max() <= 1.001
