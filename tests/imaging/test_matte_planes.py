"""What is stored of a matte: alpha, and a bounded correction only where alpha is soft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from matting.imaging import compositor
from matting.imaging.compositor import BLACK, Matte
from matting.imaging.frame_parts import whole_frames
from matting.imaging.matte_planes import (
    ALPHA_FORMAT,
    LARGEST_CORRECTION,
    MAX_ALPHA,
    MattePlanes,
    alpha_at_chroma_sites,
    concatenate_mattes,
    correction_shift,
    correction_unit,
    foreground_format,
    to_matte_planes,
)
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import Planes, same_samples
from matting.imaging.renderer import render_matte_planes
from matting.imaging.sample_format import SampleFormat, Size, TransferFunction
from matting.options import OutputKind
from tests.support.frames import BT709, CHROMA_LAYOUTS, NV12, RGB8
from tests.support.soft_edges import random_source, soft_edged

YUV420_10 = SampleFormat(10, BT709, False, (2, 2), (0.0, 0.5))
PQ = replace(YUV420_10, transfer=TransferFunction.PQ)
ODD_SIZE = Size(141, 53)


def same_matte(one: MattePlanes, other: MattePlanes) -> bool:
    return same_samples(one.alpha_planes, other.alpha_planes) and same_samples(
        one.corrections, other.corrections
    )


def store_flat(
    sample_format: SampleFormat, source: int, foreground: int, alpha: int
) -> MattePlanes:
    """Return what is stored of frames of one luma or grey R'G'B', both in 8-bit code values."""
    shape = 1, 1 if sample_format.luma_coefficients else 3, 20, 36
    deep = foreground_format(sample_format)
    dtypes = [torch.uint8 if f.bits == 8 else torch.uint16 for f in (sample_format, deep)]
    own, wanted = (
        Planes(f, torch.full(shape, value << (f.bits - 8), dtype=dtype))
        for f, value, dtype in zip((sample_format, deep), (source, foreground), dtypes, strict=True)
    )
    alphas = Planes(ALPHA_FORMAT, torch.full((1, 1, 20, 36), alpha, dtype=torch.uint16))
    return to_matte_planes(own, alphas, wanted)


@pytest.mark.parametrize(("bits", "shift", "unit"), [(8, 0, 1), (10, -1, 2), (16, -7, 128)])
def test_a_correction_is_a_code_value_of_8_bits_or_half_of_one(
    bits: int, shift: int, unit: int
) -> None:
    assert (correction_shift(bits), correction_unit(bits)) == (shift, unit)
    limited = SampleFormat(bits, BT709, False)
    stored = store_flat(limited, 100, 140, MAX_ALPHA // 3)
    assert stored.luma_or_rgb.unique().tolist() == [13 if bits == 8 else 27]  # 40 / 3


def test_a_correction_is_clamped() -> None:
    darker = store_flat(SampleFormat(10, BT709, False), 235, 16, 700)
    lighter = store_flat(SampleFormat(10, BT709, False), 16, 235, 700)
    assert darker.luma_or_rgb.unique().tolist() == [-LARGEST_CORRECTION]
    assert lighter.luma_or_rgb.unique().tolist() == [LARGEST_CORRECTION]


@pytest.mark.parametrize("alpha", [0, MAX_ALPHA])
def test_there_is_no_correction_where_alpha_is_all_or_nothing(alpha: int) -> None:
    """Whatever a renderer's foreground is there."""
    shape = 1, 1, 20, 36
    alphas = torch.full(shape, alpha, dtype=torch.int32)
    alphas[..., 10:] = 300
    stored = to_matte_planes(
        Planes(NV12, torch.full(shape, 50, dtype=torch.uint8), chroma_of(100, torch.uint8)),
        Planes(ALPHA_FORMAT, alphas.to(torch.uint16)),
        Planes(
            foreground_format(NV12),
            torch.full(shape, 800, dtype=torch.uint16),
            chroma_of(700, torch.uint16),
        ),
    )
    assert stored.chroma is not None
    assert stored.luma_or_rgb[..., 10:].all() and stored.chroma[..., 6:].all()
    assert not stored.luma_or_rgb[..., :10].any() and not stored.chroma[..., :5].any()


@pytest.mark.parametrize(("subsampling", "siting"), CHROMA_LAYOUTS)
def test_alpha_at_chroma_sites_is_a_whole_number_between_its_neighbours(
    subsampling: tuple[int, int], siting: tuple[float, float]
) -> None:
    layout = SampleFormat(8, BT709, False, subsampling, siting)
    ramp = torch.arange(33 * 21).view(1, 1, 21, 33).float()
    sites = alpha_at_chroma_sites(ramp, layout)
    width, height = layout.chroma_size(Size(33, 21))
    assert sites.shape == (1, 1, height, width)
    assert sites.equal(sites.round())
    column, row = subsampling[0] * 2 + siting[0], subsampling[1] * 2 + siting[1]
    assert abs(sites[0, 0, 2, 2] - (row * 33 + column)) <= 0.5


@pytest.mark.parametrize("sample_format", [RGB8, NV12, YUV420_10, PQ], ids=str)
def test_tiles_store_what_whole_frames_do(sample_format: SampleFormat) -> None:
    """Of maps smaller than the frame a CPU makes tiles, and no foreground where none is stored."""
    matte = soft_edged(random_source(sample_format, 2, ODD_SIZE))
    formats = {
        OutputKind.ALPHA: ALPHA_FORMAT,
        OutputKind.FOREGROUND: foreground_format(sample_format),
    }
    for each in (matte, halved(matte)):
        outputs = compositor.render_in_bands(each, formats, BLACK)
        whole = to_matte_planes(
            each.source, outputs[OutputKind.ALPHA], outputs[OutputKind.FOREGROUND]
        )
        tiles = render_planes(each)
        assert (tiles.alpha.int() - whole.alpha.int()).abs().max() <= 1
        for one, other in (
            (tiles.luma_or_rgb, whole.luma_or_rgb),
            (tiles.chroma, whole.chroma),
        ):
            if one is not None and other is not None:
                assert other.any()
                assert (one.int() - other.int()).abs().max() <= 1


def test_corrections_are_all_zero_outside_soft_edges() -> None:
    stored = render_planes(soft_edged(random_source(NV12, 1, ODD_SIZE)))
    assert stored.chroma is not None
    at_sites = alpha_at_chroma_sites(stored.alpha.float(), NV12)
    for alpha, correction in ((stored.alpha.int(), stored.luma_or_rgb), (at_sites, stored.chroma)):
        hard = ((alpha == 0) | (alpha == MAX_ALPHA)).expand(correction.shape)
        assert hard.any()
        assert not correction[hard].any()
        assert correction[~hard].any()


def test_mattes_are_split_and_joined_and_made_in_parts_where_memory_is_short() -> None:
    matte = soft_edged(random_source(NV12, 3, ODD_SIZE))
    stored = render_planes(matte)
    assert (len(stored), stored.size) == (3, ODD_SIZE)
    assert same_matte(concatenate_mattes(stored.split(2)), stored)
    large = Matte(matte.source, None, matte.offset)
    asked: list[int] = []

    def short_of_memory(
        part: Matte, formats: Mapping[OutputKind, SampleFormat], background: tuple[int, int, int]
    ) -> dict[OutputKind, Planes]:
        asked.append(len(part))
        if len(part) > 1:
            raise MemoryError
        return compositor.render(part, formats, background)

    in_parts = render_matte_planes(whole_frames(large.source, large), renderer=short_of_memory)
    assert asked[0] == 3 and asked[-1] == 1
    assert same_matte(in_parts, render_planes(large))


@pytest.mark.gpu
def test_a_gpu_stores_the_same_bits() -> None:
    gpu = torch.device("cuda")
    for sample_format in (RGB8, NV12, YUV420_10):
        source = random_source(sample_format, 2, ODD_SIZE)
        matte = soft_edged(source)
        formats = {
            OutputKind.ALPHA: ALPHA_FORMAT,
            OutputKind.FOREGROUND: foreground_format(sample_format),
        }
        outputs = compositor.render(matte, formats, BLACK)
        alpha, foreground = outputs[OutputKind.ALPHA], outputs[OutputKind.FOREGROUND]
        stored = to_matte_planes(source.to(gpu), alpha.to(gpu), foreground.to(gpu))
        assert same_matte(stored, to_matte_planes(source, alpha, foreground))


def halved(matte: Matte) -> Matte:
    """Return a matte with maps of half the size."""
    small = torch.nn.functional.avg_pool2d(matte.offset, 2)
    return Matte(matte.source, torch.zeros_like(small), small)


def chroma_of(value: int, dtype: torch.dtype) -> Tensor:
    """Return chroma of 36 x 20 pixels."""
    return torch.full((1, 2, 10, 18), value, dtype=dtype)
