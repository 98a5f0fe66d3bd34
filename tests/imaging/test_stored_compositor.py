"""Outputs from the source and its stored matte are those that are rendered without storing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from matting.imaging import compositor, renderer
from matting.imaging.blending import solid_colour
from matting.imaging.code_values import quantise_chroma, quantise_luma_or_rgb
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import Planes, same_samples
from matting.imaging.sample_format import SampleFormat, Size, TransferFunction, surface_format
from matting.imaging.stored_compositor import compose, straight_foreground
from matting.options import OutputKind
from tests.support.frames import BT709, CHROMA_LAYOUTS, GREEN, NV12, RGB8
from tests.support.soft_edges import random_source, smooth_source, soft_edged

BT601, BT2020 = (0.299, 0.114), (0.2627, 0.0593)
SIZE, ODD_SIZE = Size(144, 56), Size(141, 53)
YUV420 = SampleFormat(8, BT709, False, (2, 2), (0.0, 0.5))
YUV420_10 = replace(YUV420, bits=10)
HDR = SampleFormat(10, BT2020, False, (2, 2), (0.0, 0.0))
FORMATS = [
    RGB8,
    SampleFormat(16),
    NV12,
    surface_format(YUV420_10),
    replace(HDR, transfer=TransferFunction.PQ),
    replace(HDR, transfer=TransferFunction.HLG),
    *(
        SampleFormat(bits, BT709, full_range, subsampling, siting)
        for subsampling, siting in CHROMA_LAYOUTS
        for bits, full_range in ((8, False), (8, True), (10, False), (12, True))
    ),
]
CONVERSIONS = [
    (YUV420, YUV420_10),
    (YUV420_10, YUV420),
    (YUV420_10, surface_format(YUV420)),
    (YUV420, replace(YUV420, bits=16)),
    (YUV420, replace(YUV420, full_range=True)),
    (replace(YUV420, full_range=True), replace(YUV420_10, full_range=True)),
    (RGB8, SampleFormat(16)),
    (YUV420, replace(YUV420, siting=(0.5, 0.5))),
    (YUV420, replace(YUV420, bits=12, subsampling=(1, 1), siting=(0.0, 0.0))),
    (replace(YUV420_10, subsampling=(2, 1), siting=(0.0, 0.0)), YUV420),
    (YUV420, replace(YUV420, luma_coefficients=BT601)),
    (YUV420, RGB8),
    (YUV420_10, SampleFormat(16)),
    (RGB8, YUV420),
]


SAME, ACROSS_MATRICES = (2, 0.3), (3, 0.4)  # the largest and the mean error; see below


def eight_bit_errors(one: Planes, other: Planes) -> Tensor:
    """Return by how many code values of 8 bits all samples differ."""
    pairs = [(one.luma_or_rgb, other.luma_or_rgb)]
    if one.chroma is not None and other.chroma is not None:
        pairs.append((one.chroma, other.chroma))
    unit = 1 << (one.sample_format.bits - 8 + one.sample_format.lsb_padding)
    return torch.cat([(a.double() - b.double()).abs().flatten() / unit for a, b in pairs])


def assert_close(one: Planes, other: Planes, bounds: tuple[float, float] = SAME) -> None:
    """Assert that frames differ by the rounding of what is stored.

    Which is one code value of 8 bits; at the picture's edge, beyond which alpha at a chroma site is
    not known, a few differ by more. A matrix from Y'CbCr to R'G'B' makes 1.9 of it in blue.
    """
    assert one.sample_format == other.sample_format
    errors = eight_bit_errors(one, other)
    largest, mean = bounds
    assert errors.max() <= largest
    assert errors.mean() <= mean
    if bounds == SAME:
        assert (errors > 1).double().mean() < 0.005


def same_format_outputs(sample_format: SampleFormat) -> dict[OutputKind, SampleFormat]:
    return {
        OutputKind.COMPOSITE: sample_format,
        OutputKind.ALPHA: replace(sample_format, full_range=False),
        OutputKind.ALPHA_PNG: RGB8,
    }


def flat_matte(source: Planes, alpha: int) -> MattePlanes:
    """Return what is stored of one alpha everywhere, without corrections."""
    zeros = [
        None if plane is None else torch.zeros(plane.shape, dtype=torch.int8)
        for plane in (source.luma_or_rgb, source.chroma)
    ]
    assert zeros[0] is not None
    shape = len(source), 1, source.height, source.width
    alphas = torch.full(shape, alpha, dtype=torch.uint16)
    return MattePlanes(alphas, zeros[0], zeros[1], source.sample_format)


@pytest.mark.parametrize("sample_format", FORMATS, ids=str)
def test_composites_and_alphas_are_what_is_rendered_without_storing(
    sample_format: SampleFormat,
) -> None:
    outputs = same_format_outputs(sample_format)
    for size in (SIZE, ODD_SIZE):
        matte = soft_edged(smooth_source(sample_format, 1, size))
        expected = compositor.render(matte, outputs, GREEN)
        composed = compose(matte.source, render_planes(matte), outputs, GREEN)
        assert list(composed) == list(outputs)
        for kind in outputs:
            assert_close(composed[kind], expected[kind])


@pytest.mark.parametrize(("sample_format", "target"), CONVERSIONS, ids=str)
def test_composites_of_other_formats_are_what_is_rendered_without_storing(
    sample_format: SampleFormat, target: SampleFormat
) -> None:
    formats = {OutputKind.COMPOSITE: target}
    magnified = sample_format.luma_coefficients and not target.luma_coefficients
    for size in (SIZE, ODD_SIZE):
        matte = soft_edged(smooth_source(sample_format, 1, size))
        expected = compositor.render(matte, formats, GREEN)[OutputKind.COMPOSITE]
        composed = compose(matte.source, render_planes(matte), formats, GREEN)
        assert_close(
            composed[OutputKind.COMPOSITE], expected, ACROSS_MATRICES if magnified else SAME
        )


@pytest.mark.parametrize("target", [YUV420, YUV420_10, RGB8], ids=str)
def test_grey_is_composed_over_a_colour(target: SampleFormat) -> None:
    own = replace(YUV420, full_range=True, subsampling=(1, 1), siting=(0.0, 0.0))
    formats = {OutputKind.COMPOSITE: target}
    noise = random_source(own, 1, ODD_SIZE, grey=True)
    matte = soft_edged(noise, colourless=True)
    expected = compositor.render(matte, formats, GREEN)[OutputKind.COMPOSITE]
    stored = render_planes(matte)
    assert stored.chroma is None
    composed = compose(noise, stored, formats, GREEN)[OutputKind.COMPOSITE]
    assert_close(composed, expected)


@pytest.mark.parametrize("sample_format", FORMATS, ids=str)
def test_full_alpha_shows_the_sources_own_code_values_and_none_the_backgrounds(
    sample_format: SampleFormat,
) -> None:
    """Also code values that no colour has, such as whiter than white."""
    source = random_source(sample_format, 1, ODD_SIZE, whole_range=True)
    formats = dict.fromkeys((OutputKind.COMPOSITE, OutputKind.FOREGROUND), sample_format)
    for in_bands in (False, True):
        for planes in compose(
            source, flat_matte(source, MAX_ALPHA), formats, GREEN, in_bands=in_bands
        ).values():
            assert same_samples(planes, source)
        background = compose(source, flat_matte(source, 0), formats, GREEN, in_bands=in_bands)
        colour = solid_colour(GREEN, sample_format, source.device)
        composite = background[OutputKind.COMPOSITE]
        luma_or_rgb = quantise_luma_or_rgb(colour.luma_or_rgb, sample_format).int()
        assert composite.luma_or_rgb.int().equal(luma_or_rgb.expand(source.luma_or_rgb.shape))
        if composite.chroma is not None and source.chroma is not None:
            chroma = quantise_chroma(colour.chroma, sample_format).int()
            assert composite.chroma.int().equal(chroma.expand(source.chroma.shape))


@pytest.mark.parametrize("sample_format", [RGB8, YUV420, YUV420_10, NV12], ids=str)
def test_the_foreground_is_what_is_rendered_as_far_as_it_is_seen(
    sample_format: SampleFormat,
) -> None:
    """Times alpha it errs by the rounding of what is stored; without alpha it is black."""
    formats = {OutputKind.FOREGROUND: sample_format}
    matte = soft_edged(smooth_source(sample_format, 1, SIZE))
    expected = compositor.render(matte, formats, GREEN)[OutputKind.FOREGROUND]
    stored = render_planes(matte)
    foreground = compose(matte.source, stored, formats, GREEN)[OutputKind.FOREGROUND]
    unit = 1 << (sample_format.bits - 8)
    errors = (foreground.luma_or_rgb.double() - expected.luma_or_rgb.double()).abs() / unit
    assert (errors * stored.alpha.double() / MAX_ALPHA).max() <= 1
    black = quantise_luma_or_rgb(torch.zeros(1), sample_format).double()
    nobody = stored.alpha.int() == 0
    assert nobody.any()
    assert foreground.luma_or_rgb.double()[nobody.expand_as(errors)].eq(black).all()


def test_a_straight_foreground_goes_on_around_people_and_is_black_far_from_them() -> None:
    source = random_source(YUV420, 1, Size(320, 96))
    nobody = flat_matte(source, 0)
    alpha = nobody.alpha.int()
    alpha[:, :, 32:48, 96:128] = 400
    stored = replace(nobody, alpha=alpha.to(torch.uint16))
    foreground = straight_foreground(source, stored, YUV420)
    assert foreground.chroma is not None and source.chroma is not None
    near = slice(16, 64), slice(64, 160)
    assert foreground.luma_or_rgb[..., near[0], near[1]].equal(
        source.luma_or_rgb[..., near[0], near[1]]
    )
    assert foreground.chroma[..., 8:32, 32:80].equal(source.chroma[..., 8:32, 32:80])
    assert foreground.luma_or_rgb[..., 192:].eq(16).all()
    assert foreground.chroma[..., 96:].eq(128).all()
    corrected = replace(stored, luma_or_rgb=torch.full_like(stored.luma_or_rgb, 10))
    lighter = straight_foreground(source, corrected, YUV420).luma_or_rgb.double()
    change = (lighter - source.luma_or_rgb.double())[..., 32:48, 96:128]
    assert (change - 10 * MAX_ALPHA / 400).abs().max() <= 0.5


def test_outputs_are_composed_in_parts_where_memory_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matte = soft_edged(random_source(NV12, 3, SIZE))
    stored, formats = render_planes(matte), same_format_outputs(NV12)
    whole, composed = compose(matte.source, stored, formats, GREEN), list[int]()

    def short_of_memory(
        source: Planes,
        part: MattePlanes,
        outputs: Mapping[OutputKind, SampleFormat],
        background: tuple[int, int, int],
    ) -> dict[OutputKind, Planes]:
        composed.append(len(part))
        if len(part) > 2:
            raise MemoryError
        return compose(source, part, outputs, background)

    monkeypatch.setattr(renderer, "compose", short_of_memory)
    in_parts = renderer.compose_outputs(renderer.StoredFrames(matte.source, stored), formats, GREEN)
    assert composed[0] == 3 and len(composed) > 2
    for kind, planes in whole.items():
        assert same_samples(in_parts[kind], planes)
