"""Pictures brought to another size so that they cover it: enlarged or reduced, the rest cut off."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

from matting.imaging.colour_conversion import samples_to_rgb
from matting.imaging.planes import Planes
from matting.imaging.resampling import interpolate_rows, sample_bilinear
from matting.imaging.sample_format import SampleFormat, Size


class Grid(NamedTuple):
    """Where the pixels of the result lie in the picture, along one side.

    Attributes:
        pixels: how many the result has.
        first: the middle of the first, in pixels of the picture, whose own first has its middle
            at 0.
        step: from each to the next.
    """

    pixels: int
    first: Fraction
    step: Fraction

    def in_samples(self, step: int, siting: float) -> Grid:
        """Return the same places, counted in chroma samples that `step` pixels share."""
        first = (self.first - Fraction(siting)) / step
        return Grid(self.pixels, first, self.step / step)


def covering_grids(own: Size, wanted: Size, pixel_shape: Fraction) -> tuple[Grid, Grid]:
    """Return the columns and the rows of the largest part, in the middle, of the wanted shape.

    Args:
        own, wanted: the size of the picture, and of the result.
        pixel_shape: the width of the result's pixels by that of the picture's, of equal height.
    """
    across = min(Fraction(own.height, wanted.height), own.width / (wanted.width * pixel_shape))
    steps = across * pixel_shape, across
    columns, rows = (
        Grid(count, Fraction(side, 2) - step * count / 2 + step / 2 - Fraction(1, 2), step)
        for side, count, step in zip(own, wanted, steps, strict=True)
    )
    return columns, rows


def cover(planes: Planes, wanted: Size, pixel_shape: Fraction) -> Tensor:
    """Return the largest part, in the middle, of the wanted shape at the wanted size.

    Where it is reduced, each pixel is the mean of the area that it stands for; where it is
    enlarged, linear between its neighbours.

    Args:
        planes: of any size, on any device.
        pixel_shape: as for `covering_grids`.
    Returns:
        normalised R'G'B', [T, 3, h, w], float32.
    """
    columns, rows = covering_grids(planes.size, wanted, pixel_shape)
    source, chroma = planes.sample_format, None
    if planes.chroma is not None:
        chroma = _resampled_chroma(planes.chroma, source, rows, columns)
    return samples_to_rgb(_resample(planes.luma_or_rgb, rows, columns), chroma, source)


def _resampled_chroma(chroma: Tensor, source: SampleFormat, rows: Grid, columns: Grid) -> Tensor:
    column_step, row_step = source.subsampling
    across, down = source.siting
    own_columns = columns.in_samples(column_step, across)
    return _resample(chroma, rows.in_samples(row_step, down), own_columns)


def _resample(plane: Tensor, rows: Grid, columns: Grid) -> Tensor:
    """Return a plane [T, C, H, W] at the places of a grid, [T, C, n, m], float32."""
    lines = _mean_over(rows, plane.device, lambda places: interpolate_rows(plane, places))
    all_rows = torch.arange(rows.pixels, dtype=torch.float32, device=plane.device)
    return _mean_over(
        columns, plane.device, lambda places: sample_bilinear(lines, all_rows, places)
    )


def _mean_over(grid: Grid, device: torch.device, values_at: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the mean of as many values in the area of each pixel as there are samples in it."""
    count = max(1, math.ceil(grid.step))
    total: Tensor | None = None
    for part in range(count):
        offset = grid.first + grid.step * (Fraction(2 * part + 1, 2 * count) - Fraction(1, 2))
        places = torch.arange(grid.pixels, dtype=torch.float64, device=device)
        values = values_at(places.mul_(float(grid.step)).add_(float(offset)).float())
        total = values if total is None else total.add_(values)
    if total is None:
        raise ValueError("a pixel without an area")
    return total.div_(count) if count > 1 else total
