"""The arithmetic of the full-size pictures: the network's results applied to the source.

Pure tensor functions. Luma is computed at the pixels, chroma at its own places: where alpha is 1
and the foreground the source, the source's own numbers come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from matting.imaging.colour_conversion import (
    chroma_numbers,
    chroma_of,
    luma_of,
    main_numbers,
    nearest_representable_colour,
    rgb_at_chroma,
    rows_to_rgb,
)
from matting.imaging.planes import Planes
from matting.imaging.resampling import sample_at_chroma
from matting.imaging.sample_format import SampleFormat
from matting.imaging.tone_mapping import to_source, tone_map
from matting.options import OutputKind


@dataclass(frozen=True)
class Flat:
    """One colour's levels: `main` [1, 1 or 3, 1, 1], `chroma` [1, 2, 1, 1] where there is one."""

    luma_or_rgb: Tensor
    chroma: Tensor


@lru_cache(maxsize=64)
def flat(rgb: tuple[int, int, int], sample_format: SampleFormat, device: torch.device) -> Flat:
    """The levels of the colour that `coding` holds nearest to `rgb`, 0..255.

    On a card once: bringing them there waits for its work.
    """
    found = nearest_representable_colour([value / 255 for value in rgb], sample_format).view(
        1, 3, 1, 1
    )
    main = luma_of(found, sample_format)
    chroma = main if sample_format.luma_coefficients is None else chroma_of(found, sample_format)
    return Flat(main.to(device), chroma.to(device))


def fill(planes: Planes, flat: Flat | None) -> None:
    """Makes planes those of one colour; None: of an alpha of 0."""
    sample_format = planes.sample_format
    levels = (
        planes.luma_or_rgb.new_zeros((), dtype=torch.float32) if flat is None else flat.luma_or_rgb
    )
    planes.luma_or_rgb.copy_(main_numbers(levels, sample_format).expand_as(planes.luma_or_rgb))
    if planes.chroma is not None and flat is not None:
        planes.chroma.copy_(chroma_numbers(flat.chroma, sample_format).expand_as(planes.chroma))


def drawn(
    source: Planes,
    where: tuple[slice, slice],
    linear: Tensor,
    targets: Mapping[OutputKind, SampleFormat],
    behind: Mapping[SampleFormat, Flat],
) -> dict[OutputKind, Planes]:
    """A part of all results.

    Args:
        source: the part and what is around it, or the whole.
        where: the rows and columns of that which are drawn; whole cells of chroma but at the edge.
        linear: the linear map there, [T, 8 or 4, n, m]; see `applied`.
        targets: the coding of each kind. What is one of ALPHAS is grey, without chroma.
        behind: the background in each coding.
    """
    made: dict[OutputKind, Planes] = {}
    rows, columns = where
    foreground, alpha = apply_guided_filter(
        rows_to_rgb(source, rows)[..., columns], linear, source.sample_format
    )
    for kind, sample_format in targets.items():
        levels = alpha
        if not kind.is_alpha:
            levels = luma_of(foreground, sample_format)
            if kind == OutputKind.COMPOSITE:
                levels = torch.lerp(behind[sample_format].luma_or_rgb, levels, alpha)
        made[kind] = Planes(sample_format, main_numbers(levels, sample_format))
    coloured = {kind: c for kind, c in targets.items() if not kind.is_alpha and c.luma_coefficients}
    for sample_format in set(coloured.values()):
        across, down = sample_format.subsampling
        cells = slice(columns.start // across, -(-columns.stop // across))
        shared = slice(rows.start // down, -(-rows.stop // down))
        rgb = rgb_at_chroma(source, sample_format, shared)[..., cells]
        foreground, alpha = apply_guided_filter(
            rgb, sample_at_chroma(linear, sample_format), source.sample_format
        )
        for kind in (kind for kind, own in coloured.items() if own == sample_format):
            levels = chroma_of(foreground, sample_format)
            if kind == OutputKind.COMPOSITE:
                levels = torch.lerp(behind[sample_format].chroma, levels, alpha)
            made[kind] = Planes(
                sample_format, made[kind].luma_or_rgb, chroma_numbers(levels, sample_format)
            )
    return made


def apply_guided_filter(
    rgb: Tensor, linear: Tensor, sample_format: SampleFormat
) -> tuple[Tensor, Tensor]:
    """Foreground [T, 3, n, w] in the source's code values, and alpha [T, 1, n, w].

    Args:
        rgb: the source, R'G'B' [T, 3, n, w].
        linear: of the same pixels, slope and offset [T, 8, n, w], with 1 added to the slope of
            the colours; or [T, 4, n, w]: the offset, where there is no slope.
    """
    view = tone_map(rgb, sample_format)
    if linear.shape[1] == 4:
        found, alpha = linear[:, :3] + view, linear[:, 3:].clone()
    else:
        slope, offset = linear.split(4, dim=1)
        alpha = torch.addcmul(offset[:, 3:], slope[:, 3:], _mean(view))
        found = torch.addcmul(offset[:, :3], slope[:, :3], view)
    # The change alone is bounded: a source whiter than white stays what it is.
    change = found.clamp_(0, 1).sub_(view)
    return to_source(change, rgb, sample_format).add_(rgb), alpha.clamp_(0, 1)


def _mean(rgb: Tensor) -> Tensor:
    """The mean of the channels, [T, 1, n, w]; on a processor three times as fast as `mean`."""
    red, green, blue = rgb.split(1, dim=1)
    mean: Tensor = (red + green).add_(blue).mul_(1 / 3)
    return mean
