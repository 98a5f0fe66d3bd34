"""The network's small results brought to full size: of tiles by matrices, of rows otherwise.

Bilinear, pixels as areas: what `interpolate` without aligned corners does to the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.resampling import rows_at
from matting.imaging.tiles import COLUMNS, ROWS, windows


def interpolated(small: Tensor, rows: slice, size: tuple[int, int]) -> Tensor:
    """Whole rows of maps [T, C, h, w], float32, brought to `size`: [T, C, n, W].

    Args:
        size: the full width and height.
    """
    width, height = size
    ticks = torch.arange(rows.start, rows.stop, device=small.device, dtype=torch.float32)
    lines = rows_at(small, (ticks + 0.5) * (small.shape[2] / height) - 0.5)  # [T, C, n, w]
    # Not as lines of one dimension, of which a card does few at once.
    return F.interpolate(lines, (len(ticks), width), mode="bilinear", align_corners=False)


def enlarged(maps: Sequence[Tensor], places: Tensor, size: tuple[int, int]) -> Tensor:
    """Tiles of `maps` [C, h, w] one after the other, brought to `size`: [N, C.., rows, columns].

    By small matrices, which is several times as fast on a processor as `interpolate`; on a card
    they would round to fewer bits.

    Args:
        maps: of one height and width; float.
        places: the tiles, as `matting.tiles` has them.
        size: the full width and height.
    """
    (width, height), (y, x) = size, places.unbind(1)
    lefts, across = _shares(maps[0].shape[2], width, COLUMNS)
    tops, down = _shares(maps[0].shape[1], height, ROWS)
    few = across.shape[1], down.shape[1]
    near = torch.cat([windows(m, tops[y], lefts[x], few).float() for m in maps], dim=1)
    wide = torch.bmm(near.flatten(1, 2), across[x]).view(*near.shape[:3], COLUMNS)
    return torch.matmul(down[y].transpose(1, 2)[:, None], wide)


def tiles_with(some: Tensor, size: tuple[int, int]) -> Tensor:
    """The places of the tiles for which any small sample counts that is in `some` [h, w], bool.

    Args:
        size: the full width and height.
    """
    # Products of matrices tell how many there are in each: they are small enough to be exact.
    down = _needed(some.shape[0], size[1], ROWS)
    across = _needed(some.shape[1], size[0], COLUMNS)
    return (down @ some.float() @ across.T > 0).nonzero()


@lru_cache(maxsize=64)
def _needed(count: int, size: int, tile: int) -> Tensor:
    """Of `count` small samples, 1 for those that have a share in each tile: [tiles, count]."""
    first, box_weights = _shares(count, size, tile)
    places = first[:, None] + torch.arange(box_weights.shape[1])
    counts = (box_weights.amax(dim=2) > 0).float()
    return torch.zeros(len(first), count).scatter_(1, places, counts)


@lru_cache(maxsize=64)
def _shares(count: int, size: int, tile: int) -> tuple[Tensor, Tensor]:
    """The first of `count` small samples that each tile of `size` pixels needs; all their shares.

    Returns:
        [tiles], and [tiles, k, tile]: the k samples' shares in each of a tile's pixels; those
        beyond the edge are as the last one before it.
    """
    tiles = -(-size // tile)
    pixels = torch.arange(tiles * tile, dtype=torch.float64).clamp(max=size - 1)
    place = ((pixels + 0.5) * (count / size) - 0.5).clamp(0, count - 1).view(tiles, tile)
    before = place.long()
    after, share = (before + 1).clamp(max=count - 1), (place - before).float()
    length = int((after[:, -1:] - before[:, :1]).max()) + 1
    first = before[:, :1].clamp(max=count - length)
    tile_at, pixel_at = torch.meshgrid(torch.arange(tiles), torch.arange(tile), indexing="ij")
    box_weights = torch.zeros(tiles, length, tile)
    box_weights[tile_at, before - first, pixel_at] += 1 - share
    box_weights[tile_at, after - first, pixel_at] += share
    return first.flatten(), box_weights
