"""Colours follow the standards, come back without a shift, and go into frames and out of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from matting.imaging.colour_conversion import (
    convert_planes,
    nearest_representable_colour,
    rows_to_rgb,
)
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.media.colour_tags import ChromaLocation, ColourRange, ColourTags, Matrix
from matting.media.frame_planes import frame_of, planes_of
from matting.media.pixel_formats import planar_format, sample_format_of

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


def tags(matrix: Matrix, colour_range: ColourRange = ColourRange.LIMITED) -> ColourTags:
    return ColourTags(matrix, colour_range)


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
    sample_format = tags(matrix, colour_range).sample_format(bits, (2, 2), 48)
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
    sample_format = tags(matrix, colour_range).sample_format(bits, (1, 1), 160)
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
    """All 4,096 colours of 16 steps a channel."""
    sample_format = tags(matrix, colour_range).sample_format(bits, (2, 2), 48)
    for red in range(0, 256, 51):
        for green in range(0, 256, 51):
            for blue in range(0, 256, 51):
                colour = torch.tensor([red, green, blue]) / 255
                nearest = nearest_representable_colour(colour.tolist(), sample_format).clamp(0, 1)
                assert ((nearest * 255).round() - colour * 255).abs().max() <= 1.001


@pytest.mark.parametrize("name", ["yuv420p", "yuvj420p", "yuv422p10le", "yuv444p12le", "gbrp10le"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("size", [(64, 48), (37, 23)])
def test_frames_become_planes_and_frames_again(
    name: str, turns: int, size: tuple[int, int]
) -> None:
    frame = VideoFrame(*size, name)
    bits = frame.format.components[0].bits
    generator = np.random.default_rng(5)
    for plane in frame.planes:
        memory = np.asarray(memoryview(plane)).view(np.uint8 if bits == 8 else np.uint16)
        memory[:] = generator.integers(0, 1 << bits, memory.shape)
    colour = tags(Matrix.BT709)
    planes = planes_of(frame, colour, turns)
    assert (planes.width, planes.height) == (size[::-1] if turns % 2 else size)
    assert planes.sample_format == sample_format_of(VideoFormat(name, *size), colour, turns)
    if turns == 0 and size == (64, 48):
        again = planes_of(frame_of(planes, name), colour)
        assert torch.equal(again.luma_or_rgb.int(), planes.luma_or_rgb.int())
        if planes.chroma is not None and again.chroma is not None:
            assert torch.equal(again.chroma.int(), planes.chroma.int())
    # Chroma turns with luma: in R'G'B', the turned picture is the picture turned.
    upright = convert_planes(planes_of(frame, colour), SampleFormat(12)).luma_or_rgb.int()
    turned = convert_planes(planes, SampleFormat(12)).luma_or_rgb.int()
    assert (torch.rot90(upright, turns, (2, 3)) - turned).abs().max() <= 1


@pytest.mark.parametrize(
    ("name", "planar"),
    [
        ("nv12", "yuv420p"),
        ("p010le", "yuv420p10le"),
        ("uyvy422", "yuv422p"),
        ("rgb24", "gbrp"),
        ("rgb48be", "gbrp16le"),
        ("pal8", "gbrp"),
        ("gray10le", "gray10le"),
        ("yuv440p10le", "yuv440p10le"),
    ],
)
def test_samples_in_other_orders(name: str, planar: str) -> None:
    assert planar_format(VideoFormat(name, 8, 8)) == planar


def test_the_matrix_of_untagged_video() -> None:
    untagged = tags(Matrix.UNSPECIFIED)
    assert untagged.matrix_for(576) == Matrix.SMPTE170M
    assert untagged.matrix_for(577) == Matrix.BT709
    assert tags(Matrix.SMPTE170M).matrix_for(2160) == Matrix.SMPTE170M


def test_the_matrix_of_untagged_video_that_is_turned() -> None:
    """By the height as it is stored, as players do; that of the result by its own."""
    untagged = tags(Matrix.UNSPECIFIED)
    sideways = sample_format_of(VideoFormat("yuv420p", 640, 480), untagged, 1)
    assert sideways.luma_coefficients == LUMA_COEFFICIENTS[Matrix.SMPTE170M]
    assert (
        untagged.sample_format(8, (2, 2), 640).luma_coefficients == LUMA_COEFFICIENTS[Matrix.BT709]
    )


def test_chroma_siting() -> None:
    assert tags(Matrix.BT709).sample_format(8, (2, 2), 48).siting == (0.0, 0.5)
    topleft = ColourTags(Matrix.BT709, location=ChromaLocation.TOPLEFT)
    assert topleft.sample_format(8, (2, 2), 48).siting == (0.0, 0.0)
    assert topleft.sample_format(8, (1, 1), 48).siting == (0.0, 0.0)
