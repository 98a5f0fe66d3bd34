"""Code values of the outputs, from those of the source and its stored matte: pure functions.

Every operation gives the same bits on every device: sums and products of whole numbers that floats
hold exactly, or single operations that all round alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from matting.imaging.blending import visible_share
from matting.imaging.code_values import quantise_chroma, quantise_luma_or_rgb
from matting.imaging.colour_conversion import (
    nearest_representable_colour,
    to_chroma,
    to_luma_or_rgb,
)
from matting.imaging.matte_planes import (
    ALPHA_FORMAT,
    LARGEST_CORRECTION,
    MAX_ALPHA,
    alpha_at_chroma_sites,
    correction_unit,
)
from matting.imaging.output_spec import OutputSpec, Style
from matting.imaging.planes import Planes, dtype_of
from matting.imaging.sample_format import CodeRange, SampleFormat, Size

EXACT_IN_FLOAT32 = 1 << 24  # whole numbers up to here


def compose_region(specs: Sequence[OutputSpec], inputs: Sequence[Planes]) -> list[Planes]:
    """Return what is blended for specs in a region, on its device.

    Args:
        inputs: source; alpha; corrections; and where a foreground is straight, a mask of 0 and 1:
            where the source is shown without anybody; or the frames behind a composite.
    """
    source, alpha_planes, corrections, *others = inputs
    alpha = alpha_planes.luma_or_rgb.to(torch.float32)
    at_sites: dict[tuple[object, ...], Tensor] = {}
    results = []
    for spec in specs:
        blended = spec.blended
        if spec.style is Style.ALPHA:
            results.append(Planes(spec.target, _alpha_codes(alpha, spec.target)))
            continue
        is_straight = spec.style is Style.STRAIGHT_FOREGROUND
        mask = others[0].luma_or_rgb if is_straight and others else None
        if spec.over_frames:
            behind_luma, behind_chroma = others[0].luma_or_rgb, others[0].chroma
        else:
            behind_luma, behind_chroma = _background_codes(spec, source.device)
        luma_or_rgb = _blend(
            _Samples(
                source.luma_or_rgb, corrections.luma_or_rgb, alpha, mask, source.sample_format
            ),
            (source.sample_format.luma_code_range, blended.luma_code_range),
            spec.style,
            blended,
            behind_luma,
        )
        if blended.luma_coefficients is None or behind_chroma is None:
            results.append(Planes(blended, luma_or_rgb))
            continue
        layout = blended.subsampling, blended.siting
        if layout not in at_sites:
            at_sites[layout] = alpha_at_chroma_sites(alpha, blended)
        if mask is not None:  # of whole tiles
            mask = mask[..., :: blended.subsampling[1], :: blended.subsampling[0]]
        chroma = _blend(
            _Samples(
                source.chroma, corrections.chroma, at_sites[layout], mask, source.sample_format
            ),
            (source.sample_format.chroma_code_range, blended.chroma_code_range),
            spec.style,
            blended,
            behind_chroma,
        )
        results.append(Planes(blended, luma_or_rgb, chroma))
    return results


@lru_cache(maxsize=64)
def flat_samples(spec: OutputSpec, alpha: int) -> Planes:
    """Return what is blended for a spec of one alpha everywhere, a single pixel, on the CPU.

    Args:
        alpha: 0, or MAX_ALPHA if the spec's result does not depend on the source there.
    """
    size = Size(8, 8)
    luma = torch.zeros(1, 1 if spec.source.luma_coefficients else 3, *size, dtype=torch.uint8)
    chroma_size = spec.source.chroma_size(size)
    chroma = None
    if spec.source.luma_coefficients and not spec.is_grey:
        chroma = torch.zeros(1, 2, chroma_size.height, chroma_size.width, dtype=torch.uint8)
    frame = Planes(spec.source, luma, chroma)
    alphas = Planes(ALPHA_FORMAT, torch.full((1, 1, *size), alpha))
    mask = Planes(ALPHA_FORMAT, torch.zeros(1, 1, *size))
    (result,) = compose_region([spec], [frame, alphas, frame, mask])
    own = result.chroma
    return Planes(
        result.sample_format,
        result.luma_or_rgb[..., :1, :1],
        None if own is None else own[..., :1, :1],
    )


@dataclass(frozen=True)
class _Samples:
    """Samples of one kind, luma or R'G'B' or chroma, with what belongs to their sites.

    Attributes:
        values, corrections: the source's; None: a grey source's chroma.
        alpha: 0..MAX_ALPHA, float32.
        mask: see `compose_region`.
        sample_format: the source's.
    """

    values: Tensor | None
    corrections: Tensor | None
    alpha: Tensor
    mask: Tensor | None
    sample_format: SampleFormat

    def unpadded(self, zero: float, dtype: torch.dtype) -> Tensor:
        """Return the values in memory of their own; `zero` where the source has none."""
        if self.values is None:
            frames, _, height, width = self.alpha.shape
            return self.alpha.new_full((frames, 2, height, width), zero, dtype=dtype)
        values = self.values.to(dtype)
        if self.sample_format.lsb_padding:
            values.mul_(2.0**-self.sample_format.lsb_padding)
        return values


def _blend(
    samples: _Samples,
    ranges: tuple[CodeRange, CodeRange],
    style: Style,
    target: SampleFormat,
    behind: Tensor,
) -> Tensor:
    """Return code values of the target.

    Args:
        ranges: the code range of the source's samples, and of the target's.
        behind: the background's code values, without padding: [1, C, 1, 1], or of every sample.
    """
    if style is Style.COMPOSITE:
        return _composite(samples, ranges, target, behind)
    return _foreground(samples, ranges, style, target)


def _composite(
    samples: _Samples, ranges: tuple[CodeRange, CodeRange], target: SampleFormat, behind: Tensor
) -> Tensor:
    """Return alpha * source + correction + (1 - alpha) * background, as the nearest code values."""
    own, wanted = ranges
    unit = correction_unit(samples.sample_format.bits)
    # Both on one scale of whole numbers: the least that the spans of both divide.
    common = math.gcd(int(own.span), int(wanted.span))
    own_factor, wanted_factor = int(wanted.span) // common, int(own.span) // common
    largest = samples.sample_format.max_code_value + LARGEST_CORRECTION * unit
    bound = MAX_ALPHA * (own_factor * largest + 2 * wanted_factor * target.max_code_value)
    dtype = torch.float32 if bound < EXACT_IN_FLOAT32 else torch.float64
    relative = (behind.to(dtype) - wanted.zero) * wanted_factor
    total = samples.unpadded(own.zero, dtype)
    if own_factor != 1:
        total.mul_(own_factor)
    total.sub_(relative + own.zero * own_factor).mul_(samples.alpha.to(dtype))
    if samples.corrections is not None:
        total.add_(samples.corrections.to(dtype), alpha=MAX_ALPHA * unit * own_factor)
    total.add_((relative + wanted.zero * wanted_factor) * MAX_ALPHA)
    return _to_codes(total.mul_(1 / (MAX_ALPHA * wanted_factor)), target)


def _foreground(
    samples: _Samples, ranges: tuple[CodeRange, CodeRange], style: Style, target: SampleFormat
) -> Tensor:
    """Return source + correction / alpha, as the nearest code values."""
    own, wanted = ranges
    total = samples.unpadded(own.zero, torch.float32).sub_(own.zero)
    if samples.corrections is not None:
        scale = MAX_ALPHA * correction_unit(samples.sample_format.bits)
        change = samples.corrections.to(torch.float32).mul_(scale)
        total.add_(change.div_(samples.alpha.clamp(min=1)))
    if style is Style.FADED_FOREGROUND:
        total.mul_(visible_share(samples.alpha * (1 / MAX_ALPHA), target))
    elif samples.mask is not None:
        total.mul_(samples.mask.to(torch.float32))
    if own.span != wanted.span:
        total.mul_(wanted.span / own.span)
    return _to_codes(total.add_(wanted.zero), target)


def _alpha_codes(alpha: Tensor, target: SampleFormat) -> Tensor:
    """Return alpha, 0..MAX_ALPHA, float32, as the nearest code values of grey."""
    zero, span = target.luma_code_range
    total = alpha.to(torch.float64 if MAX_ALPHA * 2 * span >= EXACT_IN_FLOAT32 else torch.float32)
    return _to_codes(total.mul(span).add_(zero * MAX_ALPHA).mul_(1 / MAX_ALPHA), target)


def _to_codes(values: Tensor, target: SampleFormat) -> Tensor:
    """Return the nearest code values, in the format's type and padding; may write to `values`."""
    values.round_().clamp_(0, target.max_code_value)
    if target.lsb_padding:
        values.mul_(1 << target.lsb_padding)
    return values.to(dtype_of(target))


@lru_cache(maxsize=64)
def _background_codes(spec: OutputSpec, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Return code values of luma or R'G'B', and of chroma, in which the background is blended.

    The colour is the nearest that the target can hold. Cached: to bring it to a GPU waits for it.

    Returns:
        [1, C, 1, 1] each, float64, without padding; the second is None for R'G'B'.
    """
    nearest = nearest_representable_colour([v / 255 for v in spec.background], spec.target)
    pixel, blended = nearest.view(1, 3, 1, 1), replace(spec.blended, lsb_padding=0)
    luma_or_rgb = quantise_luma_or_rgb(to_luma_or_rgb(pixel, blended), blended)
    behind = luma_or_rgb.to(torch.float64).to(device)
    if blended.luma_coefficients is None:
        return behind, None
    chroma = quantise_chroma(to_chroma(pixel, blended), blended)
    return behind, chroma.to(torch.float64).to(device)
