"""One plane of samples brought to other places, by a map that is made once.

A map works in bands of rows: of the source it needs no more in memory than the rows that a band is
made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

TILE = 16  # samples on each side: what shrinks alike lies together
BATCH_VALUES = 1 << 19  # what is computed at once: in the CPU's caches


class TileGroup(NamedTuple):
    """Tiles of a band whose samples are means of equally many values.

    Attributes:
        rows, columns: [n], the tiles' numbers in the band.
        across, down: how many values a sample has on each side of its area.
        grid: [n, TILE * down, TILE * across, 2], float32: where the values lie in the band's
            window, as `grid_sample` counts.
    """

    rows: Tensor
    columns: Tensor
    across: int
    down: int
    grid: Tensor


class Band(NamedTuple):
    """Rows of the target, and what they are made of.

    Attributes:
        rows: of the target.
        window: rows of the source.
        seen: [n, W], bool: where there is something of the source.
    """

    rows: slice
    window: slice
    seen: Tensor
    groups: tuple[TileGroup, ...]


class BandValues(NamedTuple):
    """Some rows of a result.

    Attributes:
        values: [C, n, W], float32; what they are where nothing is seen has no meaning.
        seen: [n, W], bool.
    """

    rows: slice
    values: Tensor
    seen: Tensor


@dataclass(frozen=True)
class PlaneMap:
    """Where the samples of a target lie in a source.

    Attributes:
        columns: how many the target has.
    """

    columns: int
    bands: tuple[Band, ...]

    def values(self, read: Callable[[slice], Tensor]) -> Iterator[BandValues]:
        """Yield the result from top to bottom.

        Args:
            read: returns some rows of the source, [C, n, w], float32.
        """
        for band in self.bands:
            window = read(band.window)
            height = band.seen.shape[0]
            down, across = -(-height // TILE), -(-self.columns // TILE)
            tiles = window.new_zeros(len(window), down, TILE, across, TILE)
            for group in band.groups:
                _fill(tiles, window, group)
            whole = tiles.view(len(window), down * TILE, across * TILE)
            yield BandValues(band.rows, whole[:, :height, : self.columns], band.seen)


def _fill(tiles: Tensor, window: Tensor, group: TileGroup) -> None:
    """Fill the tiles of a group.

    Args:
        tiles: [C, rows, TILE, columns, TILE].
        window: [C, n, w].
    """
    values_in_tile = group.grid[0].numel() // 2 * len(window)
    step = max(1, BATCH_VALUES // values_in_tile)
    for first in range(0, len(group.grid), step):
        part = slice(first, first + step)
        grid = group.grid[part]
        # In a batch, for only those are shared among the processor's cores.
        values = F.grid_sample(
            window.expand(len(grid), *window.shape),
            grid,
            mode="bilinear",
            padding_mode="border",
            align_corners=False,
        )
        if group.across * group.down > 1:
            values = F.avg_pool2d(values, (group.down, group.across))
        tiles[:, group.rows[part], :, group.columns[part]] = values
