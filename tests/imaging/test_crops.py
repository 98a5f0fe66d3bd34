"""Crops blended into what is stored of whole frames."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from matting.imaging.compositor import Matte
from matting.imaging.crops import WHOLE_SHARE, Crop
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes, alpha_at_chroma_sites
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size

YUV420 = SampleFormat(luma_coefficients=(0.2126, 0.0722), full_range=False, subsampling=(2, 2))
SIZE = Size(64, 48)
WINDOW = Size(32, 24)
RAMP = 8


def source(sample_format: SampleFormat, frames: int = 1, size: Size = SIZE) -> Planes:
    generator = torch.Generator().manual_seed(1)

    def samples(channels: int, width: int, height: int) -> torch.Tensor:
        shape = (frames, channels, height, width)
        return torch.randint(16, 240, shape, generator=generator).to(torch.uint8)

    if sample_format.luma_coefficients is None:
        return Planes(sample_format, samples(3, *size))
    return Planes(sample_format, samples(1, *size), samples(2, *sample_format.chroma_size(size)))


def flat(planes: Planes, alpha: float, change: float = 0.0) -> Matte:
    """Return a matte of one alpha, whose foreground is lighter than the source."""
    offset = torch.full((len(planes), 4, 6, 8), change)
    offset[:, 3] = alpha
    return Matte(planes, torch.zeros_like(offset), offset)


def with_crop(
    matte: Matte, part: Matte, left: int = 16, top: int = 12, shares: tuple[int, ...] = (8,)
) -> Matte:
    return replace(matte, crops=(Crop(0, left, top, RAMP, shares, part),))


@pytest.mark.parametrize("sample_format", [SampleFormat(), YUV420])
def test_a_crop_counts_from_nothing_at_its_edge_to_all_inside(sample_format: SampleFormat) -> None:
    planes = source(sample_format)
    part = flat(planes.window(16, 12, WINDOW), 0.8)
    alpha = render_planes(with_crop(flat(planes, 0.2), part)).alpha[0, 0].int()
    low, high = round(0.2 * MAX_ALPHA), round(0.8 * MAX_ALPHA)
    outside = torch.ones_like(alpha, dtype=torch.bool)
    outside[12:36, 16:48] = False
    assert (alpha[outside] == low).all()
    assert (alpha[12 + RAMP : 36 - RAMP, 16 + RAMP : 48 - RAMP] == high).all()
    row = alpha[24, 15:32]
    steps = row.diff()
    assert row[0] == low
    assert (steps >= 0).all()
    step = max(sample_format.subsampling)
    assert steps.max() <= -(-(high - low) * step // RAMP) + 1


def test_a_crop_at_the_frames_edge_counts_fully_there() -> None:
    planes = source(SampleFormat())
    window = planes.window(-4, 30, WINDOW)  # beyond two edges
    alpha = render_planes(with_crop(flat(planes, 0.0), flat(window, 1.0), -4, 30)).alpha[0, 0]
    assert (alpha[47, : 28 - RAMP].int() == MAX_ALPHA).all()
    assert (alpha[40:, 0].int() == MAX_ALPHA).all()
    assert (alpha[:30].int() == 0).all()


@pytest.mark.parametrize("sample_format", [SampleFormat(), YUV420])
def test_corrections_are_of_what_is_half_transparent_only(sample_format: SampleFormat) -> None:
    planes = source(sample_format)
    part = flat(planes.window(16, 12, WINDOW), 1.0)
    stored = render_planes(with_crop(flat(planes, 0.5, 0.1), part))
    hard = (stored.alpha.int() == MAX_ALPHA) | (stored.alpha.int() == 0)
    assert hard.any()
    assert not hard.all()
    assert (stored.luma_or_rgb.int()[hard.expand_as(stored.luma_or_rgb)] == 0).all()
    assert (stored.luma_or_rgb.int() != 0).any()
    if stored.chroma is not None:
        sites = alpha_at_chroma_sites(stored.alpha.float(), sample_format)
        assert (stored.chroma.int()[(sites == MAX_ALPHA).expand_as(stored.chroma)] == 0).all()


def test_a_crop_of_the_same_changes_nothing() -> None:
    planes = source(YUV420)
    whole = flat(planes, 0.4, 0.1)
    part = flat(planes.window(16, 12, WINDOW), 0.4, 0.1)
    plain, blended = render_planes(whole), render_planes(with_crop(whole, part))
    assert torch.equal(plain.alpha, blended.alpha)
    difference = plain.luma_or_rgb.int() - blended.luma_or_rgb.int()
    assert difference.abs().max() <= 1  # at the crop's edge chroma is interpolated otherwise


def test_it_fades_in_by_frames() -> None:
    planes = source(SampleFormat(), 3)
    part = flat(planes.window(16, 12, WINDOW), 1.0)
    shares = (0, WHOLE_SHARE // 2, WHOLE_SHARE)
    alpha = render_planes(with_crop(flat(planes, 0.0), part, shares=shares)).alpha[:, 0, 24, 32]
    assert alpha.tolist() == [0, round(MAX_ALPHA / 2), MAX_ALPHA]


def whole_and_parts() -> tuple[Matte, list[Crop[Matte]]]:
    planes = source(YUV420, 6)
    crops = [
        Crop(first, 2 * first, 4, RAMP, shares, flat(window, 0.9))
        for first, shares in ((0, (8, 7)), (2, (6, 5, 4)), (1, (3, 4, 5, 6, 7)))
        for window in [planes.between(first, first + len(shares)).window(2 * first, 4, WINDOW)]
    ]
    return flat(planes, 0.3, 0.1), crops


@pytest.mark.parametrize("frames", [1, 2, 4, 5])
def test_parts_of_frames_have_their_parts_of_crops(frames: int) -> None:
    matte, crops = whole_and_parts()
    matte = replace(matte, crops=tuple(crops))
    stored = render_planes(matte)
    parts: list[MattePlanes] = [render_planes(part) for part in matte.split(frames)]
    assert torch.equal(torch.cat([p.alpha.int() for p in parts]), stored.alpha.int())
    middle = render_planes(matte.between(2, 5))
    assert torch.equal(middle.luma_or_rgb, stored.luma_or_rgb[2:5])


@pytest.mark.parametrize("sample_format", [SampleFormat(), YUV420])
@pytest.mark.parametrize(("left", "top"), [(10, 6), (-6, 40), (50, -2)])
def test_a_window_beyond_the_edges_repeats_them(
    sample_format: SampleFormat, left: int, top: int
) -> None:
    planes = source(sample_format)
    window = planes.window(left, top, WINDOW)
    rows = torch.arange(top, top + WINDOW.height).clamp(0, SIZE.height - 1)
    columns = torch.arange(left, left + WINDOW.width).clamp(0, SIZE.width - 1)
    assert window.size == WINDOW
    assert torch.equal(window.luma_or_rgb, planes.luma_or_rgb[:, :, rows][..., columns])
