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
from matting.imaging.resampling import shares
from matting.imaging.sample_format import SDR, Coding
from matting.imaging.tone_mapping import gain_table, on_device, view_table
from matting.imaging.triton_kernel import kernel
from matting.options import OutputKind

TILE = 4, 128  # rows and columns of pixels
WARPS = 4


def fits(source: Planes, targets: Mapping[OutputKind, Coding]) -> bool:
    """Whether the kernel can make these: the chroma of all lies where the source's does."""
    own = source.coding
    if source.chroma is None or own.weights is None:
        return False
    return all(
        kind.is_alpha
        or (coding.step, coding.siting, coding.weights) == (own.step, own.siting, own.weights)
        for kind, coding in targets.items()
    )


@torch.inference_mode()
def pictures(
    matte: Matte, targets: Mapping[OutputKind, Coding], background: tuple[int, int, int]
) -> dict[OutputKind, Planes]:
    """What `composite.pictures` makes, for what `fits`; on the matte's device."""
    source = matte.source
    made = {kind: blank(source, coding, grey=kind.is_alpha) for kind, coding in targets.items()}
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
    source, hdr = matte.source, matte.source.coding.transfer != SDR
    offset = matte.offset.float().contiguous()
    slope = offset if matte.slope is None else matte.slope.float().contiguous()
    transfer = source.coding.transfer
    size, small = source.main.shape[2:], offset.shape[2:]
    scale = [few / many for few, many in zip(small, size, strict=True)]
    results = composite, foreground, alpha
    # Triton launches on the calling thread's device, wherever the memory lies.
    with torch.cuda.device_of(offset):
        kernel[-(-size[1] // TILE[1]), -(-size[0] // TILE[0]), len(source)](
            (source.main, source.chroma),
            (slope, offset),
            tuple(on_device(table, transfer, offset.device) for table in (view_table, gain_table))
            if hdr
            else (offset, offset),
            *(
                (planes.main, planes.chroma) if planes else (offset, offset)
                for planes in results[:2]
            ),
            alpha.main if alpha else offset,
            tuple(source.main.stride()),
            tuple(_strides(planes) for planes in (source, composite, foreground)),
            tuple(size),
            (*small, *scale),
            coding=_constants(source.coding),
            numbers=tuple(_numbers_of(planes) for planes in results),
            behind=_behind(composite.coding, background) if composite else None,
            tile=TILE,
            near=tuple(_power_above(TILE[i] * scale[i] + 2) for i in range(2)),
            nothing=SURE / max(planes.coding.peak for planes in results if planes),
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
def _constants(coding: Coding) -> tuple[tuple[object, ...], ...]:
    """What the kernel is compiled for, of the source; pairs as rows, columns.

    Levels of luma and chroma; the matrix to luma and from chroma; pixels to a chroma sample, its
    siting, that as whole pixels and the rest; the pixels whose mean its luma is, and their shares.
    """
    if coding.weights is None:
        raise ValueError("R'G'B' has no chroma")
    kr, kb = coding.weights
    kg, red, blue = 1 - kr - kb, 2 - 2 * kr, 2 - 2 * kb
    unit = 1 << coding.shift
    (black, white), (middle, span) = coding.luma, coding.chroma
    first = tuple(math.floor(at) for at in coding.siting[::-1])
    return (
        (black * unit, 1 / (white * unit), middle * unit, 1 / (span * unit)),
        (kr, kg, kb, red, blue, -red * kr / kg, -blue * kb / kg),
        coding.step[::-1],
        coding.siting[::-1],
        first,
        tuple(at - low for at, low in zip(coding.siting[::-1], first, strict=True)),
        _window(coding.step[1], coding.siting[1]),
        _window(coding.step[0], coding.siting[0]),
    )


def _window(step: int, siting: float) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The pixels, from a cell's first, of which a chroma sample is the mean, and their shares."""
    found = {0: 1.0} if step == 1 else shares(step, siting)
    return tuple(found), tuple(found.values())


def _numbers_of(planes: Planes | None) -> tuple[float, ...] | None:
    """Of luma and chroma the middle and the span, the largest number, and what shifts it."""
    if planes is None:
        return None
    coding = planes.coding
    return (*coding.luma, *coding.chroma, float(coding.peak), float(1 << coding.shift))


def _behind(coding: Coding, background: tuple[int, int, int]) -> tuple[float, ...]:
    """The levels of luma and chroma behind the composite."""
    colour = flat(background, coding, torch.device("cpu"))
    return (float(colour.main), *colour.chroma.flatten().tolist())
