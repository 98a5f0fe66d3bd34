"""Full-size frames in one pass over memory, by a Triton kernel, where there is one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import torch

from matting.imaging.blending import NEGLIGIBLE_STEPS, fade_line, solid_colour
from matting.imaging.colour_conversion import allocate_planes
from matting.imaging.compositor import Matte
from matting.imaging.planes import Planes
from matting.imaging.resampling import box_weights
from matting.imaging.sample_format import SampleFormat, TransferFunction
from matting.imaging.tone_mapping import inverse_gain_curve, table_on_device, tone_curve
from matting.imaging.triton_kernel import render_tile
from matting.options import OutputKind

TILE_SHAPE = 4, 128  # rows and columns of pixels of a program
WARPS = 4


class _Outputs(NamedTuple):
    """What one launch of the kernel renders; None: not wanted."""

    composite: Planes | None
    foreground: Planes | None
    alpha: Planes | None


def is_supported(source: Planes, formats: Mapping[OutputKind, SampleFormat]) -> bool:
    """Return whether the kernel can render these: all have the source's chroma sites and matrix."""
    own = source.sample_format
    if source.chroma is None or own.luma_coefficients is None:
        return False
    return all(
        kind.is_alpha
        or (own.has_chroma_sites_of(target) and own.luma_coefficients == target.luma_coefficients)
        for kind, target in formats.items()
    )


@torch.inference_mode()
def render(
    matte: Matte,
    formats: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
    tile_shape: tuple[int, int] = TILE_SHAPE,
) -> dict[OutputKind, Planes]:
    """Return what `compositor.render` does, on the matte's device, for what `is_supported`.

    Args:
        tile_shape: rows and columns of pixels that one program of the kernel renders.
    """
    outputs = {
        kind: allocate_planes(matte.source, target, grey=kind.is_alpha)
        for kind, target in formats.items()
    }
    alphas: list[Planes | None] = [outputs[kind] for kind in outputs if kind.is_alpha]
    composite, foreground = outputs.get(OutputKind.COMPOSITE), outputs.get(OutputKind.FOREGROUND)
    first = _Outputs(composite, foreground, alphas[0] if alphas else None)
    _launch(matte, first, background, tile_shape)
    for alpha in alphas[1:]:  # of other bits or another range
        _launch(matte, _Outputs(None, None, alpha), background, tile_shape)
    return outputs


def _launch(
    matte: Matte,
    outputs: _Outputs,
    background: tuple[int, int, int],
    tile_shape: tuple[int, int],
) -> None:
    """Fill the outputs that are wanted."""
    source, transfer = matte.source, matte.source.sample_format.transfer
    is_hdr = transfer is not TransferFunction.SDR
    offset = matte.offset.float().contiguous()
    slope = offset if matte.slope is None else matte.slope.float().contiguous()
    frame_shape, map_shape = source.luma_or_rgb.shape[2:], offset.shape[2:]
    scale = [few / many for few, many in zip(map_shape, frame_shape, strict=True)]
    composite, foreground, alpha = outputs
    unread = offset, offset  # in place of tensors that the kernel does not touch
    tables = unread
    if is_hdr:
        tables = (
            table_on_device(tone_curve, transfer, offset.device),
            table_on_device(inverse_gain_curve, transfer, offset.device),
        )
    largest_code = max(planes.sample_format.max_code_value for planes in outputs if planes)
    rows, columns = (-(-side // tile) for side, tile in zip(frame_shape, tile_shape, strict=True))
    # Triton launches on the calling thread's device, wherever the memory lies.
    with torch.cuda.device_of(offset):
        render_tile[columns, rows, len(source)](
            (source.luma_or_rgb, source.chroma),
            (slope, offset),
            tables,
            (composite.luma_or_rgb, composite.chroma) if composite else unread,
            (foreground.luma_or_rgb, foreground.chroma) if foreground else unread,
            alpha.luma_or_rgb if alpha else offset,
            tuple(source.luma_or_rgb.stride()),
            tuple(_chroma_strides(planes) for planes in (source, composite, foreground)),
            tuple(frame_shape),
            (*map_shape, *scale),
            source_format=source_constants(source.sample_format),
            output_formats=tuple(p and output_constants(p.sample_format) for p in outputs),
            background=composite and _background_values(composite.sample_format, background),
            tile_shape=tile_shape,
            window_shape=tuple(_power_of_two(tile_shape[i] * scale[i] + 2) for i in range(2)),
            negligible_alpha=NEGLIGIBLE_STEPS / largest_code,
            has_slope=matte.slope is not None,
            is_hdr=is_hdr,
            num_warps=WARPS,
            enable_fp_fusion=True,
        )


def _chroma_strides(planes: Planes | None) -> tuple[int, ...]:
    return (0, 0, 0, 0) if planes is None or planes.chroma is None else planes.chroma.stride()


def _power_of_two(least: float) -> int:
    """Return the least power of two that is not below `least`."""
    return 1 << math.ceil(math.log2(least))


@cache
def source_constants(sample_format: SampleFormat) -> tuple[tuple[object, ...], ...]:
    """Return what the kernel is compiled for of the source; pairs are rows, columns.

    Offset and factor that normalise luma, and chroma; the matrix to luma and from chroma; pixels
    that share a chroma sample, its siting, that in whole pixels, and the rest of it; the pixels
    whose mean the luma there is, and their weights, down and across.
    """
    if sample_format.luma_coefficients is None:
        raise ValueError("R'G'B' has no chroma")
    kr, kb = sample_format.luma_coefficients
    kg, red, blue = 1 - kr - kb, 2 - 2 * kr, 2 - 2 * kb
    unit = 1 << sample_format.lsb_padding
    luma, chroma = sample_format.luma_code_range, sample_format.chroma_code_range
    subsampling, siting = sample_format.subsampling[::-1], sample_format.siting[::-1]
    whole_pixels = tuple(math.floor(distance) for distance in siting)
    return (
        (luma.zero * unit, 1 / (luma.span * unit), chroma.zero * unit, 1 / (chroma.span * unit)),
        (kr, kg, kb, red, blue, -red * kr / kg, -blue * kb / kg),
        subsampling,
        siting,
        whole_pixels,
        tuple(distance - whole for distance, whole in zip(siting, whole_pixels, strict=True)),
        _box(subsampling[0], siting[0]),
        _box(subsampling[1], siting[1]),
    )


def _box(step: int, siting: float) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the pixels, from a chroma sample's first, whose mean it is, and their weights."""
    weights = {0: 1.0} if step == 1 else box_weights(step, siting)
    return tuple(weights), tuple(weights.values())


def output_constants(sample_format: SampleFormat) -> tuple[float, ...]:
    """Return what the kernel is compiled for of an output.

    Zero and span of luma, and of chroma; the largest code value; the factor that pads it; and how
    the foreground fades in, see `fade_line`.
    """
    return (
        *sample_format.luma_code_range,
        *sample_format.chroma_code_range,
        float(sample_format.max_code_value),
        float(1 << sample_format.lsb_padding),
        *fade_line(sample_format),
    )


def _background_values(
    sample_format: SampleFormat, background: tuple[int, int, int]
) -> tuple[float, ...]:
    """Return normalised luma, Cb and Cr of the background."""
    colour = solid_colour(background, sample_format, torch.device("cpu"))
    return (float(colour.luma_or_rgb), *colour.chroma.flatten().tolist())
