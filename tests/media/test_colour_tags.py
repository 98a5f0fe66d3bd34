"""Colour tags choose matrix and siting; frames become planes and frames again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from matting.imaging.colour_conversion import convert_planes
from matting.imaging.orientation import UPRIGHT, Orientation
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.media.colour_tags import ChromaLocation, ColourRange, ColourTags, Matrix
from matting.media.frame_planes import frame_of, planes_of
from matting.media.pixel_formats import planar_format, sample_format_of
from tests.support.clips import picture

# Red's and blue's share of luma in ITU-R BT.709 and BT.601.
BT709_LUMA, BT601_LUMA = (0.2126, 0.0722), (0.299, 0.114)


def tags(matrix: Matrix, colour_range: ColourRange = ColourRange.LIMITED) -> ColourTags:
    return ColourTags(matrix, colour_range)


@pytest.mark.parametrize("name", ["yuv420p", "yuvj420p", "yuv422p10le", "yuv444p12le", "gbrp10le"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("size", [(64, 48), (37, 23)])
def test_frames_become_planes_and_frames_again(
    name: str, turns: int, mirrored: bool, size: tuple[int, int]
) -> None:
    frame = VideoFrame(*size, name)
    bits = frame.format.components[0].bits
    generator = np.random.default_rng(5)
    for plane in frame.planes:
        memory = np.asarray(memoryview(plane)).view(np.uint8 if bits == 8 else np.uint16)
        memory[:] = generator.integers(0, 1 << bits, memory.shape)
    colour = tags(Matrix.BT709)
    orientation = Orientation(turns, mirrored)
    planes = planes_of(frame, colour, orientation)
    assert (planes.width, planes.height) == (size[::-1] if turns % 2 else size)
    assert planes.sample_format == sample_format_of(VideoFormat(name, *size), colour, orientation)
    if orientation == UPRIGHT and size == (64, 48):
        again = planes_of(frame_of(planes, name), colour)
        assert torch.equal(again.luma_or_rgb.int(), planes.luma_or_rgb.int())
        if planes.chroma is not None and again.chroma is not None:
            assert torch.equal(again.chroma.int(), planes.chroma.int())
    # Chroma turns with luma: in R'G'B', the turned picture is the picture turned.
    upright = convert_planes(planes_of(frame, colour), SampleFormat(12)).luma_or_rgb.int()
    turned = convert_planes(planes, SampleFormat(12)).luma_or_rgb.int()
    mirror = upright.flip(3) if mirrored else upright
    assert (torch.rot90(mirror, turns, (2, 3)) - turned).abs().max() <= 1


@pytest.mark.parametrize("orientation", [Orientation(0, mirrored=True), Orientation(2)])
def test_mirrored_chroma_moved_to_its_site_is_nearer_the_picture_than_only_mirrored(
    orientation: Orientation,
) -> None:
    """FFmpeg's hflip leaves chroma that lay on the left on the right, and calls it left."""
    pixels = VideoFrame.from_ndarray(picture(77, (96, 64)), format="rgb24")
    rgb = planes_of(pixels.reformat(format="gbrp"), tags(Matrix.RGB))
    left = sample_format_of(VideoFormat("yuv420p", 96, 64), tags(Matrix.BT709))
    stored = frame_of(convert_planes(rgb, left), "yuv420p")
    turned = planes_of(stored, tags(Matrix.BT709), orientation)

    def error(planes: Planes) -> float:
        shown = convert_planes(planes, SampleFormat(8)).luma_or_rgb.float()
        return float((torch.rot90(shown, -orientation.turns, (2, 3)) - expected).square().mean())

    expected = rgb.luma_or_rgb.float()
    expected = expected.flip(3) if orientation.mirrored else expected
    moved = convert_planes(turned, left)
    assert error(moved) < 0.85 * error(replace(turned, sample_format=left))


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
    """The stored height decides for the source, as in players; the result's own for the result."""
    untagged = tags(Matrix.UNSPECIFIED)
    sideways = sample_format_of(VideoFormat("yuv420p", 640, 480), untagged, Orientation(1))
    assert sideways.luma_coefficients == BT601_LUMA
    assert untagged.sample_format(8, (2, 2), 640).luma_coefficients == BT709_LUMA


def test_chroma_siting() -> None:
    assert tags(Matrix.BT709).sample_format(8, (2, 2), 48).siting == (0.0, 0.5)
    topleft = ColourTags(Matrix.BT709, location=ChromaLocation.TOPLEFT)
    assert topleft.sample_format(8, (2, 2), 48).siting == (0.0, 0.0)
    assert topleft.sample_format(8, (1, 1), 48).siting == (0.0, 0.0)
