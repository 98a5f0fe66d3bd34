"""The arithmetic of the outputs: the guided filter's coefficients applied to the source, blended.

Pure tensor functions. Luma is computed at the pixels, chroma at its own sites: where alpha is 1 and
the foreground is the source, the source's own code values come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from matting.imaging.code_values import quantise_chroma, quantise_luma_or_rgb
from matting.imaging.colour_conversion import (
    nearest_representable_colour,
    rgb_at_chroma_sites,
    rows_to_rgb,
    to_chroma,
    to_luma_or_rgb,
)
from matting.imaging.planes import Planes
from matting.imaging.resampling import sample_at_chroma_sites
from matting.imaging.sample_format import SampleFormat
from matting.imaging.tone_mapping import apply_inverse_gain, tone_map
from matting.options import OutputKind

# Where alpha is 0 the foreground is whatever the network makes of the background, which nobody sees
# and encoders spend half of its bits on. It is black there, and fades in below the first alpha that
# is no more 0 in 8 to 10 bits; a sharp edge would lie elsewhere by each renderer's rounding.
# In steps of the code values: an alpha below the first changes no output, since a background's code
# values lie in the middle between two roundings, and nothing is farther from it than twice the
# range.
NEGLIGIBLE_STEPS, VISIBLE_STEPS = 0.2, 0.5
FINEST_FADE = 1023


@dataclass(frozen=True)
class SolidColour:
    """One colour in the normalised values of a sample format, float32.

    Attributes:
        luma_or_rgb: [1, 1, 1, 1], or [1, 3, 1, 1] where the format has no luma.
        chroma: [1, 2, 1, 1]; without meaning where the format has no chroma.
    """

    luma_or_rgb: Tensor
    chroma: Tensor


@lru_cache(maxsize=64)
def solid_colour(
    rgb: tuple[int, int, int], sample_format: SampleFormat, device: torch.device
) -> SolidColour:
    """Return the colour that the format can hold nearest to R'G'B' `rgb`, 0..255.

    Cached: copying it to a GPU waits for the work queued there.
    """
    nearest = nearest_representable_colour([value / 255 for value in rgb], sample_format)
    pixel = nearest.view(1, 3, 1, 1)
    luma_or_rgb = to_luma_or_rgb(pixel, sample_format)
    if sample_format.luma_coefficients is None:
        chroma = luma_or_rgb
    else:
        chroma = to_chroma(pixel, sample_format)
    return SolidColour(luma_or_rgb.to(device), chroma.to(device))


def fill(planes: Planes, colour: SolidColour | None) -> None:
    """Fill planes with one colour of their format; None: with an alpha of 0."""
    target, luma_or_rgb = planes.sample_format, planes.luma_or_rgb
    if colour is None:
        values = luma_or_rgb.new_zeros((), dtype=torch.float32)
    else:
        values = colour.luma_or_rgb
    luma_or_rgb.copy_(quantise_luma_or_rgb(values, target).expand_as(luma_or_rgb))
    if planes.chroma is not None and colour is not None:
        planes.chroma.copy_(quantise_chroma(colour.chroma, target).expand_as(planes.chroma))


def render_region(
    source: Planes,
    region: tuple[slice, slice],
    coefficients: Tensor,
    formats: Mapping[OutputKind, SampleFormat],
    backgrounds: Mapping[SampleFormat, SolidColour],
) -> dict[OutputKind, Planes]:
    """Return a region of every output, on the source's device.

    Args:
        source: T frames, or as much of them as the region and its halo.
        region: its rows and columns of pixels in the source: n x m, which share no chroma sample
            with pixels outside it.
        coefficients: [T, 8 or 4, n, m], float32; see `apply_guided_filter`.
        formats: of every output. Alphas are grey, without chroma.
        backgrounds: the background's colour in each of these formats.
    """
    outputs: dict[OutputKind, Planes] = {}
    rows, columns = region
    rgb = rows_to_rgb(source, rows)[..., columns]
    foreground, alpha = apply_guided_filter(rgb, coefficients, source.sample_format)
    for kind, target in formats.items():
        values = alpha
        if not kind.is_alpha:
            values = to_luma_or_rgb(foreground, target)
            if kind == OutputKind.COMPOSITE:
                values = torch.lerp(backgrounds[target].luma_or_rgb, values, alpha)
            else:
                values = values * visible_share(alpha, target)
        outputs[kind] = Planes(target, quantise_luma_or_rgb(values, target))
    with_chroma = {k: f for k, f in formats.items() if not k.is_alpha and f.luma_coefficients}
    for target in set(with_chroma.values()):
        column_step, row_step = target.subsampling
        chroma_columns = slice(columns.start // column_step, -(-columns.stop // column_step))
        chroma_rows = slice(rows.start // row_step, -(-rows.stop // row_step))
        foreground, alpha = apply_guided_filter(
            rgb_at_chroma_sites(source, target, chroma_rows)[..., chroma_columns],
            sample_at_chroma_sites(coefficients, target),
            source.sample_format,
        )
        for kind in (kind for kind, other in with_chroma.items() if other == target):
            values = to_chroma(foreground, target)
            if kind == OutputKind.COMPOSITE:
                values = torch.lerp(backgrounds[target].chroma, values, alpha)
            else:
                values = values * visible_share(alpha, target)
            luma_or_rgb = outputs[kind].luma_or_rgb
            outputs[kind] = Planes(target, luma_or_rgb, quantise_chroma(values, target))
    return outputs


def fade_line(target: SampleFormat) -> tuple[float, float]:
    """Return factor and offset that turn alpha into the share of the foreground, yet unbounded."""
    span = VISIBLE_STEPS - NEGLIGIBLE_STEPS
    return min(target.max_code_value, FINEST_FADE) / span, -NEGLIGIBLE_STEPS / span


def visible_share(alpha: Tensor, target: SampleFormat) -> Tensor:
    """Return by how much a foreground in that format is to be seen, of alpha's shape, in [0, 1]."""
    factor, offset = fade_line(target)
    return (alpha * factor).add_(offset).clamp_(0, 1)


def apply_guided_filter(
    rgb: Tensor, coefficients: Tensor, sample_format: SampleFormat
) -> tuple[Tensor, Tensor]:
    """Return the foreground [T, 3, n, m] in the source's R'G'B', and alpha [T, 1, n, m] in [0, 1].

    A guided filter is linear in its guide, here the source as the network sees it. Its coefficients
    are found on a small copy and applied at full size.

    Args:
        rgb: the source, normalised R'G'B' [T, 3, n, m], float32.
        coefficients: of the same pixels, slope and offset [T, 8, n, m], with 1 added to the slope
            of the colours; or [T, 4, n, m]: the offset, where there is no slope.
        sample_format: the source's.
    Source: He and Sun 2015, "Fast Guided Filter"; Lin et al. 2021 (RVM), section 3.3.
    """
    guide = tone_map(rgb, sample_format)
    if coefficients.shape[1] == 4:
        foreground, alpha = coefficients[:, :3] + guide, coefficients[:, 3:].clone()
    else:
        slope, offset = coefficients.split(4, dim=1)
        alpha = torch.addcmul(offset[:, 3:], slope[:, 3:], channel_mean(guide))
        foreground = torch.addcmul(offset[:, :3], slope[:, :3], guide)
    # The change alone is bounded: a source whiter than white stays what it is.
    change = foreground.clamp_(0, 1).sub_(guide)
    return apply_inverse_gain(change, rgb, sample_format).add_(rgb), alpha.clamp_(0, 1)


def channel_mean(rgb: Tensor) -> Tensor:
    """Return the mean of the channels, [T, 1, n, m]; on a CPU three times as fast as `mean`."""
    red, green, blue = rgb.split(1, dim=1)
    mean: Tensor = (red + green).add_(blue).mul_(1 / 3)
    return mean
