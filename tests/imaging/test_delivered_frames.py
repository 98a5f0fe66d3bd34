"""Alpha in the depths and places that formats have for it."""

from __future__ import annotations

import pytest
import torch

from matting.imaging.delivered_frames import (
    Axis,
    DeliveredFrames,
    alpha_as_grey,
    join_alpha,
    joined_size,
    quantise_alpha,
)
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.sample_format import SampleFormat, Size, surface_format
from tests.support.frames import BT709, CHROMA_LAYOUTS, random_rgb, random_video

EVERY = torch.arange(MAX_ALPHA + 1, dtype=torch.int32).view(1, 1, 1, -1).to(torch.uint16)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_alpha_of_every_depth_is_the_nearest(bits: int) -> None:
    codes = quantise_alpha(EVERY, bits)
    assert codes.dtype == (torch.uint8 if bits == 8 else torch.uint16)
    most = (1 << bits) - 1
    exact = EVERY.to(torch.float64) * most / MAX_ALPHA
    assert (codes.to(torch.float64) - exact).abs().max() <= 0.5
    assert codes.flatten()[[0, -1]].tolist() == [0, most]


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("bits", [8, 10])
def test_alpha_as_grey_goes_from_black_to_white(bits: int, full_range: bool) -> None:
    target = SampleFormat(bits, BT709, full_range, (2, 2))
    zero, span = target.luma_code_range
    codes = alpha_as_grey(EVERY, target).to(torch.float64)
    assert (codes - (zero + EVERY.to(torch.float64) * span / MAX_ALPHA)).abs().max() <= 0.5
    padded = alpha_as_grey(EVERY, surface_format(target)).to(torch.int32)
    shift = 16 - bits if bits > 8 else 0
    assert torch.equal(padded, codes.to(torch.int32) << shift)


@pytest.mark.parametrize("axis", Axis)
@pytest.mark.parametrize(("subsampling", "siting"), CHROMA_LAYOUTS)
def test_both_halves_are_whole_and_of_one_size(
    subsampling: tuple[int, int], siting: tuple[float, float], axis: Axis
) -> None:
    target = SampleFormat(10, BT709, False, subsampling, siting)
    colour = random_video(target, 2, 9, 13)
    alpha = torch.full((2, 1, 9, 13), MAX_ALPHA, dtype=torch.int32).to(torch.uint16)
    joined = join_alpha(DeliveredFrames(colour, alpha), axis)
    assert joined.size == joined_size(Size(13, 9), target, axis)
    assert joined.chroma is not None and colour.chroma is not None
    luma, chroma = joined.luma_or_rgb.to(torch.int32), joined.chroma.to(torch.int32)
    first, second = luma.chunk(2, axis)
    assert torch.equal(first[..., :9, :13], colour.luma_or_rgb.to(torch.int32))
    assert (second == 940).all()
    assert tuple(chroma.shape[2:]) == target.chroma_size(joined.size)[::-1]
    colours, none = chroma.chunk(2, axis)
    assert torch.equal(colours, colour.chroma.to(torch.int32))
    assert (none == 512).all()


def test_alpha_beside_rgb_is_grey() -> None:
    colour = random_rgb(1, 4, 6)
    joined = join_alpha(
        DeliveredFrames(colour, torch.zeros(1, 1, 4, 6).to(torch.uint16)), Axis.DOWN
    )
    assert torch.equal(joined.luma_or_rgb[:, :, :4], colour.luma_or_rgb)
    assert (joined.luma_or_rgb[:, :, 4:] == 0).all()


def test_what_a_writer_needs_and_does_not_get_is_an_error() -> None:
    frames = DeliveredFrames(None, None)
    with pytest.raises(ValueError, match="colour"):
        frames.require_colour()
    with pytest.raises(ValueError, match="alpha"):
        frames.require_alpha()
    with pytest.raises(ValueError, match="10 bits"):
        DeliveredFrames(None, torch.zeros(1, 1, 2, 2)).require_alpha()
