"""What is stored gives the same outputs bit for bit, however the work is divided."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from matting.imaging.matte_planes import (
    MAX_ALPHA,
    MattePlanes,
    alpha_at_chroma_sites,
    correction_unit,
)
from matting.imaging.planes import Planes, same_samples
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.stored_compositor import compose, straight_foreground
from matting.options import OutputKind
from tests.imaging.test_stored_compositor import (
    CONVERSIONS,
    FORMATS,
    ODD_SIZE,
    YUV420,
    same_format_outputs,
)
from tests.support.frames import BT709, GREEN
from tests.support.soft_edges import random_source


def random_matte(source: Planes, seed: int) -> MattePlanes:
    """Return noise in some rectangles, all or nothing elsewhere; corrections as they are stored."""
    generator = torch.Generator().manual_seed(seed)

    def rectangles(values: Tensor) -> Tensor:
        height, width = values.shape[2:]
        for _ in range(6):
            top, left = (
                int(torch.randint(0, side, (), generator=generator)) for side in (height, width)
            )
            value = int(torch.randint(0, 2, (), generator=generator)) * MAX_ALPHA
            values[:, :, top : top + height // 2, left : left + width // 2] = value
        return values

    shape = len(source), 1, source.height, source.width
    alpha = rectangles(torch.randint(0, MAX_ALPHA + 1, shape, generator=generator))
    corrections = [
        None
        if plane is None
        else torch.randint(-127, 128, plane.shape, generator=generator).to(torch.int8)
        for plane in (source.luma_or_rgb, source.chroma)
    ]
    assert corrections[0] is not None
    soft = (alpha > 0) & (alpha < MAX_ALPHA)
    luma_or_rgb = corrections[0] * soft.to(torch.int8)
    chroma = corrections[1]
    if chroma is not None:
        at_sites = alpha_at_chroma_sites(alpha.float(), source.sample_format)
        chroma = chroma * ((at_sites > 0) & (at_sites < MAX_ALPHA)).to(torch.int8)
    return MattePlanes(alpha.to(torch.uint16), luma_or_rgb, chroma, source.sample_format)


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([*FORMATS[:6], *FORMATS[6::4], *FORMATS[8::4]]),
    st.integers(1, 90),
    st.integers(1, 50),
    st.integers(1, 3),
    st.sampled_from([1, 700, 1 << 20]),
    st.integers(0, 99),
)
def test_no_bit_depends_on_how_the_work_is_divided(  # noqa: PLR0917 - drawn together
    sample_format: SampleFormat, width: int, height: int, frames: int, region_px: int, seed: int
) -> None:
    source = random_source(sample_format, frames, Size(width, height), whole_range=True)
    matte = random_matte(source, seed)
    other_depth = replace(sample_format, bits=16, lsb_padding=0)
    formats = {**same_format_outputs(sample_format), OutputKind.FOREGROUND: other_depth}
    whole = compose(source, matte, formats, GREEN, in_bands=True)
    straight = straight_foreground(source, matte, other_depth, in_bands=True)
    for in_bands in (False, True):
        divided = compose(source, matte, formats, GREEN, in_bands=in_bands, region_px=region_px)
        for kind, planes in whole.items():
            assert same_samples(divided[kind], planes), kind
        again = straight_foreground(
            source, matte, other_depth, in_bands=in_bands, region_px=region_px
        )
        assert same_samples(again, straight)
    for index, (frame, own) in enumerate(zip(source.split(1), matte.split(1), strict=True)):
        for kind, planes in compose(frame, own, formats, GREEN).items():
            assert same_samples(planes, whole[kind].split(1)[index]), kind


@pytest.mark.parametrize(("sample_format", "target"), CONVERSIONS, ids=str)
def test_tiles_are_converted_as_whole_frames_are(
    sample_format: SampleFormat, target: SampleFormat
) -> None:
    """But for a last bit: conversions are no whole numbers."""
    for size in (Size(80, 48), Size(78, 34)):
        source = random_source(sample_format, 1, size, whole_range=True)
        matte, formats = random_matte(source, 3), {OutputKind.COMPOSITE: target}
        pairs = [
            (
                compose(source, matte, formats, GREEN, in_bands=in_bands)[OutputKind.COMPOSITE],
                straight_foreground(source, matte, target, in_bands=in_bands),
            )
            for in_bands in (False, True)
        ]
        for tiles, whole in zip(*pairs, strict=True):
            assert largest_difference(tiles, whole) <= 1 << target.lsb_padding


@pytest.mark.parametrize(
    ("bits", "target"),
    [
        (8, replace(YUV420, bits=10)),
        (8, replace(YUV420, bits=16)),
        (10, replace(YUV420, bits=12)),
        (10, replace(YUV420, bits=10, lsb_padding=6, semi_planar=True)),
        (8, replace(YUV420, bits=10, full_range=True)),
        (10, YUV420),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [Size(160, 75), Size(168, 64), Size(158, 60)], ids=str)
def test_tiles_of_another_depth_are_as_whole_frames_are(
    bits: int, target: SampleFormat, size: Size
) -> None:
    source = random_source(replace(YUV420, bits=bits), 1, size, whole_range=True)
    matte = random_matte(source, 5)
    matte.alpha[..., : size.width - 40] = MAX_ALPHA
    matte.luma_or_rgb[..., : size.width - 40] = 0
    assert matte.chroma is not None
    matte.chroma[..., : size.width // 2 - 19] = 0
    formats = {OutputKind.COMPOSITE: target, OutputKind.FOREGROUND: target}
    tiles, whole = (compose(source, matte, formats, GREEN, in_bands=each) for each in (False, True))
    for kind in formats:
        assert same_samples(tiles[kind], whole[kind]), kind
    straight = (straight_foreground(source, matte, target, in_bands=each) for each in (False, True))
    assert same_samples(*straight)
    if target.full_range is source.sample_format.full_range and target.bits >= bits:
        moved = source.luma_or_rgb.int() << target.bits - bits + target.lsb_padding
        opaque = tiles[OutputKind.COMPOSITE].luma_or_rgb.int()[..., :96]
        assert torch.equal(opaque, moved[..., :96])


def largest_difference(one: Planes, other: Planes) -> int:
    differences = [(one.luma_or_rgb.int() - other.luma_or_rgb.int()).abs().max()]
    if one.chroma is not None and other.chroma is not None:
        differences.append((one.chroma.int() - other.chroma.int()).abs().max())
    return int(max(differences))


def test_no_bit_depends_on_the_number_of_threads() -> None:
    source = random_source(YUV420, 1, Size(640, 360))
    matte, before = random_matte(source, 1), torch.get_num_threads()
    results = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(compose(source, matte, same_format_outputs(YUV420), GREEN))
    finally:
        torch.set_num_threads(before)
    for kind in results[0]:
        assert same_samples(results[0][kind], results[1][kind])


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_luma_is_the_nearest_to_exact_arithmetic(bits: int) -> None:
    sample_format = SampleFormat(bits, BT709, True)
    source = random_source(sample_format, 1, Size(96, 64), whole_range=True)
    matte, kind = random_matte(source, 5), OutputKind.COMPOSITE
    empty = replace(matte, alpha=torch.zeros_like(matte.alpha))
    background, composed = (
        compose(source, each, {kind: sample_format}, GREEN)[kind].luma_or_rgb.to(torch.int64)
        for each in (empty, matte)
    )
    alpha, luma = matte.alpha.to(torch.int64), source.luma_or_rgb.to(torch.int64)
    change = matte.luma_or_rgb.to(torch.int64) * correction_unit(bits)
    total = alpha * luma + (MAX_ALPHA - alpha) * background + MAX_ALPHA * change
    nearest = (2 * total + MAX_ALPHA) // (2 * MAX_ALPHA)  # never in the middle between two
    assert composed.equal(nearest.clamp(0, sample_format.max_code_value))


@pytest.mark.gpu
def test_a_gpu_composes_the_same_bits() -> None:
    gpu = torch.device("cuda")
    for sample_format in FORMATS:
        source = random_source(sample_format, 2, ODD_SIZE, whole_range=True)
        matte, formats = random_matte(source, 2), same_format_outputs(sample_format)
        expected = compose(source, matte, formats, GREEN)
        for kind, planes in compose(source.to(gpu), matte.to(gpu), formats, GREEN).items():
            assert same_samples(planes, expected[kind])
        target = replace(sample_format, bits=16, lsb_padding=0)
        straight = straight_foreground(source.to(gpu), matte.to(gpu), target)
        assert same_samples(straight, straight_foreground(source, matte, target))
