"""Soft edges get the colours around: nearer to the truth, the same however they are computed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from matting.imaging.blur_fusion import fuse_bands, fuse_tiles, local_colours
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.compositor import Matte
from matting.imaging.matte_planes import (
    MAX_ALPHA,
    MattePlanes,
    alpha_at_chroma_sites,
    soft_tiles,
)
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import Planes, same_samples
from matting.imaging.sample_format import SampleFormat, Size, TransferFunction
from matting.imaging.stored_compositor import straight_foreground
from tests.support.frames import BT709, CHROMA_LAYOUTS, NV12, RGB8
from tests.support.soft_edges import random_source, soft_edged

YUV420_10 = SampleFormat(10, BT709, False, (2, 2), (0.0, 0.5))
FORMATS = [RGB8, NV12, YUV420_10, replace(YUV420_10, transfer=TransferFunction.PQ)]
ODD_SIZE = Size(141, 53)
SKIN, WALL = (0.8, 0.4, 0.3), (0.1, 0.5, 0.7)


def somebody(sample_format: SampleFormat, size: Size = ODD_SIZE, shrink: int = 1) -> Matte:
    """Return a soft disc of one colour before another, which the network took for the picture."""
    width, height = size
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    distance = torch.hypot(rows - 0.5 * height, columns - 0.5 * width)
    alpha = ((0.4 * height - distance) / 8 + 0.5).clamp(0, 1)
    front, behind = (torch.tensor(colour).view(3, 1, 1) for colour in (SKIN, WALL))
    rgb = (behind + (front - behind) * alpha)[None]
    rgb16 = Planes(SampleFormat(16), (rgb * 65535 + 0.5).to(torch.int32).to(torch.uint16))
    offset = torch.cat((torch.zeros_like(rgb), alpha[None, None]), dim=1)
    if shrink == 1:
        return Matte(convert_planes(rgb16, sample_format), None, offset)
    small = torch.nn.functional.avg_pool2d(offset, shrink)
    return Matte(convert_planes(rgb16, sample_format), torch.zeros_like(small), small)


def colour_error(matte: Matte) -> float:
    """Return how far the stored foreground is from the true one where alpha is soft, in 1/255."""
    stored = render_planes(matte)
    shown = straight_foreground(matte.source, stored, SampleFormat(16)).luma_or_rgb
    soft = (stored.alpha.int() > MAX_ALPHA // 4) & (stored.alpha.int() < MAX_ALPHA)
    truth = torch.tensor(SKIN).view(1, 3, 1, 1)
    difference = (shown.float() / 65535 - truth).abs().mean(1, keepdim=True)
    assert soft.any()
    return float(difference[soft].mean()) * 255


def with_foreground(matte: Matte, noise: float) -> Matte:
    """Return the matte of a network that finds the foreground, but for some noise."""
    alpha = matte.offset[:, 3:]
    change = (torch.tensor(SKIN) - torch.tensor(WALL)).view(1, 3, 1, 1) * (1 - alpha)
    errors = torch.randn(change.shape, generator=torch.Generator().manual_seed(1)) * noise
    return replace(matte, offset=torch.cat((change + errors, alpha), dim=1))


@pytest.mark.parametrize("shrink", [1, 2])
@pytest.mark.parametrize("sample_format", [RGB8, NV12, YUV420_10], ids=str)
def test_soft_edges_lose_what_shines_through(sample_format: SampleFormat, shrink: int) -> None:
    """Though the network has taken the picture itself for the foreground."""
    matte = somebody(sample_format, shrink=shrink)
    assert colour_error(replace(matte, fused=True)) < 0.75 * colour_error(matte)


@pytest.mark.parametrize("shrink", [1, 2])
@pytest.mark.parametrize("sample_format", [RGB8, NV12, YUV420_10], ids=str)
def test_soft_edges_lose_the_networks_noise(sample_format: SampleFormat, shrink: int) -> None:
    matte = with_foreground(somebody(sample_format, shrink=shrink), 0.2)
    assert colour_error(replace(matte, fused=True)) < colour_error(matte) / 3


@pytest.mark.parametrize("sample_format", [RGB8, NV12], ids=str)
def test_a_right_foreground_stays(sample_format: SampleFormat) -> None:
    """But for what of it counts as the background around."""
    wrong = somebody(sample_format)
    right = with_foreground(wrong, 0)
    assert colour_error(right) < 2
    assert colour_error(replace(right, fused=True)) < colour_error(wrong) / 5


def test_where_everything_is_one_side_the_other_is_the_picture() -> None:
    matte = somebody(RGB8)
    for level in (0.0, 1.0):
        offset = matte.offset.clone()
        offset[:, 3] = level
        colours = local_colours(replace(matte, offset=offset))
        assert colours.isfinite().all()
        foreground, background = colours.split(3, dim=1)
        missing = foreground if level == 0 else background
        cells = torch.nn.functional.interpolate(
            matte.source.luma_or_rgb.float() / 255, missing.shape[2:], mode="area"
        )
        assert float((missing - cells).abs().max()) < 0.2  # of another sampling


@pytest.mark.parametrize("sample_format", FORMATS, ids=str)
def test_no_bit_depends_on_how_frames_are_divided(sample_format: SampleFormat) -> None:
    source = random_source(sample_format, 3, ODD_SIZE)
    matte = replace(soft_edged(source), fused=True)
    stored, colours = render_planes(matte), local_colours(matte)
    assert stored.luma_or_rgb.any()
    for index, frame in enumerate(matte.split(1)):
        assert same_matte(render_planes(frame), stored.split(1)[index])
    whole = fuse_bands(source, stored.alpha_planes, colours, band_px=1 << 20)
    for band_px in (1, 700):
        assert same_matte(fuse_bands(source, stored.alpha_planes, colours, band_px=band_px), whole)


def test_no_bit_depends_on_the_number_of_threads() -> None:
    matte = replace(soft_edged(random_source(NV12, 1, Size(640, 360))), fused=True)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(render_planes(matte))
    finally:
        torch.set_num_threads(before)
    assert same_matte(*results)


@pytest.mark.parametrize(("subsampling", "siting"), CHROMA_LAYOUTS)
def test_tiles_store_what_bands_do(
    subsampling: tuple[int, int], siting: tuple[float, float]
) -> None:
    sample_format = SampleFormat(8, BT709, False, subsampling, siting)
    matte = soft_edged(random_source(sample_format, 2, ODD_SIZE))
    alpha, colours = render_planes(matte).alpha_planes, local_colours(matte)
    soft = [soft_tiles(frame, sample_format) for frame in alpha.luma_or_rgb]
    tiles = fuse_tiles(matte.source, alpha, colours, soft)
    bands = fuse_bands(matte.source, alpha, colours)
    for one, other in ((tiles.luma_or_rgb, bands.luma_or_rgb), (tiles.chroma, bands.chroma)):
        assert one is not None and other is not None and other.any()
        assert (one.int() - other.int()).abs().max() <= 1


def test_grey_sources_have_no_chroma_to_be_changed() -> None:
    grey = random_source(NV12, 1, ODD_SIZE, grey=True)
    stored = render_planes(replace(soft_edged(grey, colourless=True), fused=True))
    assert stored.chroma is None and stored.luma_or_rgb.any()


def test_nothing_changes_where_alpha_is_all_or_nothing() -> None:
    stored = render_planes(replace(soft_edged(random_source(NV12, 1, ODD_SIZE)), fused=True))
    assert stored.chroma is not None
    at_sites = alpha_at_chroma_sites(stored.alpha.float(), NV12)
    for alpha, correction in ((stored.alpha.int(), stored.luma_or_rgb), (at_sites, stored.chroma)):
        hard: Tensor = ((alpha == 0) | (alpha == MAX_ALPHA)).expand(correction.shape)
        assert hard.any() and not correction[hard].any()
        assert correction[~hard].any()


def test_the_alpha_is_the_same_with_either_foreground() -> None:
    matte = soft_edged(random_source(YUV420_10, 2, ODD_SIZE))
    own, fused = render_planes(matte), render_planes(replace(matte, fused=True))
    assert same_samples(own.alpha_planes, fused.alpha_planes)
    assert not same_samples(own.corrections, fused.corrections)


@pytest.mark.gpu
def test_a_gpu_fuses_nearly_the_same() -> None:
    gpu = torch.device("cuda")
    for sample_format in FORMATS:
        matte = replace(soft_edged(random_source(sample_format, 2, ODD_SIZE)), fused=True)
        on_gpu = replace(
            matte,
            source=matte.source.to(gpu),
            slope=None if matte.slope is None else matte.slope.to(gpu),
            offset=matte.offset.to(gpu),
        )
        one, other = render_planes(on_gpu).to(torch.device("cpu")), render_planes(matte)
        assert (one.alpha.int() - other.alpha.int()).abs().max() <= 1
        assert (one.luma_or_rgb.int() - other.luma_or_rgb.int()).abs().max() <= 2


def same_matte(one: MattePlanes, other: MattePlanes) -> bool:
    return same_samples(one.alpha_planes, other.alpha_planes) and same_samples(
        one.corrections, other.corrections
    )
