"""People over frames: exact, and the same however the work is divided."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.imaging.blending import solid_colour
from matting.imaging.code_values import quantise_chroma, quantise_luma_or_rgb
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.planes import Planes, concatenate, same_samples
from matting.imaging.renderer import StoredFrames, compose_outputs
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.stored_compositor import background_format, compose
from matting.options import OutputKind
from tests.imaging.test_same_bits import random_matte
from tests.imaging.test_stored_compositor import (
    CONVERSIONS,
    FORMATS,
    ODD_SIZE,
    SIZE,
    YUV420,
    flat_matte,
    same_format_outputs,
)
from tests.support.frames import GREEN, NV12
from tests.support.soft_edges import random_source

COMPOSITE = OutputKind.COMPOSITE
PAIRS = [*((own, own) for own in FORMATS), *CONVERSIONS]


def behind(source: Planes, target: SampleFormat, frames: int, seed: int = 0) -> Planes:
    """Return noise that goes behind composites of these formats."""
    noise = random_source(background_format(source, target), frames + seed, source.size)
    return concatenate(noise.split(1)[seed:])


def without_padding(planes: Planes) -> SampleFormat:
    return replace(planes.sample_format, lsb_padding=0, semi_planar=False)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(PAIRS),
    st.integers(1, 90),
    st.integers(1, 50),
    st.sampled_from([1, 900, 5000]),
)
def test_no_way_of_dividing_changes_a_bit(
    formats: tuple[SampleFormat, SampleFormat], width: int, height: int, region_px: int
) -> None:
    own, target = formats
    source = random_source(own, 2, Size(width, height))
    matte = random_matte(source, width)
    outputs = {**same_format_outputs(own), COMPOSITE: target}
    frames = behind(source, target, 2)
    whole = compose(source, matte, outputs, frames, in_bands=True)
    for in_bands, px in ((True, region_px), (False, region_px), (False, None)):
        divided = compose(source, matte, outputs, frames, in_bands=in_bands, region_px=px)
        for kind, planes in whole.items():
            assert same_samples(divided[kind], planes)
    singles = zip(source.split(1), matte.split(1), frames.split(1), strict=True)
    for index, (frame, own_matte, own_behind) in enumerate(singles):
        single = compose(frame, own_matte, outputs, own_behind)
        for kind, planes in single.items():
            assert same_samples(planes, whole[kind].split(1)[index])


@pytest.mark.parametrize(("own", "target"), PAIRS, ids=str)
def test_where_nobody_is_the_frames_behind_are_seen(
    own: SampleFormat, target: SampleFormat
) -> None:
    source = random_source(own, 1, SIZE)
    frames = behind(source, target, 1)
    nobody = compose(source, flat_matte(source, 0), {COMPOSITE: target}, frames)[COMPOSITE]
    expected = frames
    if frames.sample_format != without_padding(nobody):
        expected = convert_planes(frames, target)
    assert nobody.sample_format == target
    assert same_samples(nobody, expected)


@pytest.mark.parametrize("own", FORMATS, ids=str)
def test_where_somebody_is_the_source_is_seen(own: SampleFormat) -> None:
    source = random_source(own, 1, ODD_SIZE)
    frames = behind(source, own, 1)
    matte = flat_matte(source, MAX_ALPHA)
    assert same_samples(compose(source, matte, {COMPOSITE: own}, frames)[COMPOSITE], source)


@pytest.mark.parametrize("own", FORMATS, ids=str)
def test_frames_of_one_colour_are_that_colour(own: SampleFormat) -> None:
    source = random_source(own, 1, ODD_SIZE)
    matte = random_matte(source, 3)
    wanted = background_format(source, own)
    colour = solid_colour(GREEN, wanted, source.device)
    frames = random_source(wanted, 1, source.size)
    frames.luma_or_rgb.copy_(quantise_luma_or_rgb(colour.luma_or_rgb, wanted))
    if frames.chroma is not None:
        frames.chroma.copy_(quantise_chroma(colour.chroma, wanted))
    assert same_samples(
        compose(source, matte, {COMPOSITE: own}, frames)[COMPOSITE],
        compose(source, matte, {COMPOSITE: own}, GREEN)[COMPOSITE],
    )


@pytest.mark.parametrize("target", [YUV420, NV12], ids=str)
def test_one_frame_is_behind_all(target: SampleFormat) -> None:
    source = random_source(target, 3, SIZE)
    matte, frame = random_matte(source, 5), behind(source, target, 1)
    formats = {COMPOSITE: target}
    one = compose(source, matte, formats, frame)[COMPOSITE]
    several = compose(source, matte, formats, concatenate([frame] * 3))[COMPOSITE]
    assert same_samples(one, several)


@pytest.mark.parametrize("frames", [1, 3])
def test_where_memory_is_short_each_part_has_its_own_frames(
    frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = random_source(YUV420, 3, SIZE)
    matte, own_behind = random_matte(source, 7), behind(source, YUV420, frames)
    formats = {COMPOSITE: YUV420}
    whole = compose(source, matte, formats, own_behind)[COMPOSITE]

    def short_of_memory(*arguments: object) -> dict[OutputKind, Planes]:
        if len(arguments[0]) > 2:  # type: ignore[arg-type]
            raise MemoryError
        return compose(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("matting.imaging.renderer.compose", short_of_memory)
    stored = StoredFrames(source, matte, own_behind)
    assert same_samples(compose_outputs(stored, formats, GREEN)[COMPOSITE], whole)


def test_noise_behind_differs_from_frame_to_frame() -> None:
    source = random_source(YUV420, 1, SIZE)
    one, other = behind(source, YUV420, 1), behind(source, YUV420, 1, seed=1)
    assert not torch.equal(one.luma_or_rgb, other.luma_or_rgb)
