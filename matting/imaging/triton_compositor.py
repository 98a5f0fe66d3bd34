"""The full-size pictures in one pass over memory, by a Triton kernel, where that can be had."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import torch

from matting.imaging.blending import flat
from matting.imaging.colour_conversion import blank
from matting.imaging.compositor import SURE, Matte
from matting.imaging.planes import Planes
from matting.imaging.resampling import box_weights
from matting.imaging.sample_format import SampleFormat, TransferFunction
from matting.imaging.tone_mapping import gain_table, on_device, view_table
from matting.imaging.triton_kernel import kernel
from matting.options import OutputKind

TILE = 4, 128  # rows and columns of pixels
WARPS = 4


def fits(source: Planes, targets: Mapping[OutputKind, SampleFormat]) -> bool:
    """Whether the kernel can make these: the chroma of all lies where the source's does."""
    own = source.sample_format
    if source.chroma is None or own.luma_coefficients is None:
        return False
    return all(
        kind.is_alpha
        or (sample_format.subsampling, sample_format.siting, sample_format.luma_coefficients)
        == (own.subsampling, own.siting, own.luma_coefficients)
        for kind, sample_format in targets.items()
    )


@torch.inference_mode()
def render(
    matte: Matte, targets: Mapping[OutputKind, SampleFormat], background: tuple[int, int, int]
) -> dict[OutputKind, Planes]:
    """What `composite.pictures` makes, for what `fits`; on the matte's device."""
    source = matte.source
    made = {
        kind: blank(source, sample_format, grey=kind.is_alpha)
        for kind, sample_format in targets.items()
    }
    alphas: list[Planes | None] = [made[kind] for kind in made if kind.is_alpha]
    first = alphas[0] if alphas else None
    _launch(
        matte, made.get(OutputKind.COMPOSITE), made.get(OutputKind.FOREGROUND), first, background
    )
    for alpha in alphas[1:]:  # of other numbers
        _launch(matte, None, None, alpha, background)
    return made


def _launch(
    matte: Matte,
    composite: Planes | None,
    foreground: Planes | None,
    alpha: Planes | None,
    background: tuple[int, int, int],
) -> None:
    """Fills the planes that are given."""
    source, hdr = matte.source, matte.source.sample_format.transfer is not TransferFunction.SDR
    offset = matte.offset.float().contiguous()
    slope = offset if matte.slope is None else matte.slope.float().contiguous()
    transfer = source.sample_format.transfer
    size, small = source.luma_or_rgb.shape[2:], offset.shape[2:]
    scale = [few / many for few, many in zip(small, size, strict=True)]
    results = composite, foreground, alpha
    # Triton launches on the calling thread's device, wherever the memory lies.
    with torch.cuda.device_of(offset):
        kernel[-(-size[1] // TILE[1]), -(-size[0] // TILE[0]), len(source)](
            (source.luma_or_rgb, source.chroma),
            (slope, offset),
            tuple(on_device(table, transfer, offset.device) for table in (view_table, gain_table))
            if hdr
            else (offset, offset),
            *(
                (planes.luma_or_rgb, planes.chroma) if planes else (offset, offset)
                for planes in results[:2]
            ),
            alpha.luma_or_rgb if alpha else offset,
            tuple(source.luma_or_rgb.stride()),
            tuple(_strides(planes) for planes in (source, composite, foreground)),
            tuple(size),
            (*small, *scale),
            sample_format=_constants(source.sample_format),
            numbers=tuple(_numbers_of(planes) for planes in results),
            behind=_behind(composite.sample_format, background) if composite else None,
            tile=TILE,
            near=tuple(_power_above(TILE[i] * scale[i] + 2) for i in range(2)),
            nothing=SURE / max(planes.sample_format.max_code_value for planes in results if planes),
            sloped=matte.slope is not None,
            hdr=hdr,
            num_warps=WARPS,
            enable_fp_fusion=True,
        )


def _strides(planes: Planes | None) -> tuple[int, ...]:
    return (0, 0, 0, 0) if planes is None or planes.chroma is None else planes.chroma.stride()


def _power_above(value: float) -> int:
    return 1 << math.ceil(math.log2(value))


@cache
def _constants(sample_format: SampleFormat) -> tuple[tuple[object, ...], ...]:
    """What the kernel is compiled for, of the source; pairs as rows, columns.

    Levels of luma and chroma; the matrix to luma and from chroma; pixels to a chroma sample, its
    siting, that as whole pixels and the rest; the pixels whose mean its luma is, and their shares.
    """
    if sample_format.luma_coefficients is None:
        raise ValueError("R'G'B' has no chroma")
    kr, kb = sample_format.luma_coefficients
    kg, red, blue = 1 - kr - kb, 2 - 2 * kr, 2 - 2 * kb
    unit = 1 << sample_format.lsb_padding
    (black, white), (middle, span) = sample_format.luma_code_range, sample_format.chroma_code_range
    first = tuple(math.floor(at) for at in sample_format.siting[::-1])
    return (
        (black * unit, 1 / (white * unit), middle * unit, 1 / (span * unit)),
        (kr, kg, kb, red, blue, -red * kr / kg, -blue * kb / kg),
        sample_format.subsampling[::-1],
        sample_format.siting[::-1],
        first,
        tuple(at - low for at, low in zip(sample_format.siting[::-1], first, strict=True)),
        _window(sample_format.subsampling[1], sample_format.siting[1]),
        _window(sample_format.subsampling[0], sample_format.siting[0]),
    )


def _window(step: int, siting: float) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The pixels, from a cell's first, of which a chroma sample is the mean, and their shares."""
    found = {0: 1.0} if step == 1 else box_weights(step, siting)
    return tuple(found), tuple(found.values())


def _numbers_of(planes: Planes | None) -> tuple[float, ...] | None:
    """Of luma and chroma the middle and the span, the largest number, and what shifts it."""
    if planes is None:
        return None
    sample_format = planes.sample_format
    return (
        *sample_format.luma_code_range,
        *sample_format.chroma_code_range,
        float(sample_format.max_code_value),
        float(1 << sample_format.lsb_padding),
    )


def _behind(sample_format: SampleFormat, background: tuple[int, int, int]) -> tuple[float, ...]:
    """The levels of luma and chroma behind the composite."""
    colour = flat(background, sample_format, torch.device("cpu"))
    return (float(colour.luma_or_rgb), *colour.chroma.flatten().tolist())
