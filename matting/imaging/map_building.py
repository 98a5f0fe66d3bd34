"""Maps of planes: where each sample of a target lies in a source, and of how many values it is.

Where the picture shrinks, a sample is the mean of its area: of as many values between the source's
samples as that area is samples long and wide. So nothing flickers that is finer than the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.lenses import FindPlaces
from matting.imaging.plane_map import TILE, Band, PlaneMap, TileGroup

BAND_TILES = 16
# Values on each side of a sample's area: one for so many of the source's samples. At the poles of
# equirectangular pictures these are beyond number.
COUNTS, SAMPLES_A_VALUE = (1, 2, 3, 4, 6, 8), 4 / 3


class Axis(NamedTuple):
    """Where the samples of a plane lie along one side, in halves of an eye's part.

    Attributes:
        samples: how many there are.
        first: the place of the first.
        step: from each to the next.
    """

    samples: int
    first: float
    step: float

    @classmethod
    def of_samples(cls, samples: int, pixels: int, step: int = 1, siting: float = 0.0) -> Axis:
        """Return that of a plane which fills the part.

        Args:
            pixels: how many the part has along that side.
            step: how many pixels share a sample.
            siting: how far behind the first of these it lies, in pixels.
        """
        return cls(samples, (2 * siting + 1) / pixels - 1, 2 * step / pixels)

    def places(self, numbers: Tensor) -> Tensor:
        """Return the places of samples by their numbers, which may lie between them."""
        return numbers * self.step + self.first

    def numbers(self, places: Tensor) -> Tensor:
        """Return the numbers of the samples at places; it may lie between them, and outside."""
        return (places - self.first) / self.step


class _Values(NamedTuple):
    """The values that a group of tiles is made of: their places in samples of the source."""

    rows: Tensor
    columns: Tensor
    counts: tuple[int, int]
    numbers: tuple[Tensor, Tensor]


def build_map(
    find: FindPlaces,
    target: tuple[Axis, Axis],
    source: tuple[Axis, Axis],
    device: torch.device,
) -> PlaneMap:
    """Return the map of a target.

    Args:
        find: finds the target's places in the source.
        target, source: where their samples are, across and down.
        device: on which the planes will be.
    """
    columns, rows = target
    sampling = _Sampling(find, target, source, device)
    step = TILE * BAND_TILES
    starts = range(0, rows.samples, step)
    bands = (sampling.band(slice(top, min(rows.samples, top + step))) for top in starts)
    return PlaneMap(columns.samples, tuple(bands))


@dataclass(frozen=True)
class _Sampling:
    """Where and how densely the source is sampled; as `build_map` takes it."""

    find: FindPlaces
    target: tuple[Axis, Axis]
    source: tuple[Axis, Axis]
    device: torch.device

    def band(self, rows: slice) -> Band:
        """Return how some rows of the target are made, by rows of the source."""
        height, width = rows.stop - rows.start, self.target[0].samples
        down_count, across_count = -(-height // TILE), -(-width // TILE)
        across = self.target[0].places(self._count(across_count * TILE))
        down = self.target[1].places(rows.start + self._count(down_count * TILE))[:, None]
        seen = self.find(across, down)[2]
        seen[height:] = False
        seen[:, width:] = False
        counts = torch.stack(
            [
                torch.bucketize(
                    _tile_maxima(torch.where(seen, spread, 0)) / SAMPLES_A_VALUE,
                    torch.tensor(COUNTS[:-1], dtype=torch.float64, device=self.device),
                )
                for spread in self.spreads(across, down)
            ],
            dim=-1,
        )
        is_used = _tile_maxima(seen.to(torch.float64)) > 0
        values = []
        for kind in counts[is_used].unique(dim=0):
            chosen = is_used & (counts == kind).all(dim=-1)
            tile_rows, tile_columns = chosen.nonzero(as_tuple=True)
            own = COUNTS[int(kind[0])], COUNTS[int(kind[1])]
            numbers = self._numbers(rows.start, tile_rows, tile_columns, own)
            values.append(_Values(tile_rows, tile_columns, own, numbers))
        return self._band(rows, seen[:height, :width].contiguous(), values)

    def spreads(self, across: Tensor, down: Tensor) -> tuple[Tensor, Tensor]:
        """Return how many samples of the source a step of the target is, across and down."""
        half = self.target[0].step / 2, self.target[1].step / 2
        return (
            self._distance((across - half[0], down), (across + half[0], down)),
            self._distance((across, down - half[1]), (across, down + half[1])),
        )

    def _distance(self, start: tuple[Tensor, Tensor], stop: tuple[Tensor, Tensor]) -> Tensor:
        (x, y, _), (other_x, other_y, _) = self.find(*start), self.find(*stop)
        columns, rows = self.source
        return torch.hypot((other_x - x) / columns.step, (other_y - y) / rows.step)

    def _numbers(
        self, top: int, rows: Tensor, columns: Tensor, counts: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Return which samples of the source the values of tiles are, [n, down, across] each."""
        places = []
        for axis, first, count in zip(
            self.target, (columns * TILE, top + rows * TILE), counts, strict=True
        ):
            # In the middle of each part of a sample's area.
            inside = (self._count(TILE * count) + 0.5) / count - 0.5
            places.append(axis.places(first[:, None] + inside))
        across, down, _ = self.find(places[0][:, None, :], places[1][:, :, None])
        axes = zip(self.source, (across, down), strict=True)
        numbers = [axis.numbers(own).clamp(0, axis.samples - 1) for axis, own in axes]
        return numbers[0], numbers[1]

    def _band(self, rows: slice, seen: Tensor, values: list[_Values]) -> Band:
        """Return a band with the window of the source that all its values lie in."""
        width, height = self.source[0].samples, self.source[1].samples
        first, stop = 0, 1
        if values:
            first = math.floor(min(float(own.numbers[1].min()) for own in values))
            stop = min(height, math.ceil(max(float(own.numbers[1].max()) for own in values)) + 1)
        groups = []
        for own in values:
            across, down = own.numbers
            x = (2 * across + 1) / width - 1
            y = (2 * (down - first) + 1) / (stop - first) - 1
            grid = torch.stack((x, y), dim=-1).to(torch.float32)
            groups.append(TileGroup(own.rows, own.columns, *own.counts, grid))
        return Band(rows, slice(first, stop), seen, tuple(groups))

    def _count(self, stop: int) -> Tensor:
        return torch.arange(stop, dtype=torch.float64, device=self.device)


def _tile_maxima(values: Tensor) -> Tensor:
    """Return the largest of the values [n, m] in each tile."""
    return F.max_pool2d(values[None, None], TILE)[0, 0]
