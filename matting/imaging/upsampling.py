"""The network's small maps brought to full size: of tiles by matrices, of whole rows otherwise.

Bilinear, pixels as areas: what torch's `interpolate` without aligned corners does to whole maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.resampling import interpolate_rows
from matting.imaging.sample_format import Size
from matting.imaging.tiles import TILE, gather_windows


def upsample_band(maps: Tensor, rows: slice, size: Size) -> Tensor:
    """Return some rows of maps at full size, [T, C, n, W], float32, on their device.

    Args:
        maps: [T, C, h, w], float32.
        rows: of the frame.
        size: of the frame.
    """
    pixels = torch.arange(rows.start, rows.stop, device=maps.device, dtype=torch.float32)
    positions = (pixels + 0.5) * (maps.shape[2] / size.height) - 0.5
    lines = interpolate_rows(maps, positions)  # [T, C, n, w]
    # Not as lines of one dimension, of which a GPU does few at once.
    return F.interpolate(lines, (len(pixels), size.width), mode="bilinear", align_corners=False)


def upsample_tiles(maps: Sequence[Tensor], positions: Tensor, size: Size) -> Tensor:
    """Return tiles of maps at full size, [N, C, TILE.height, TILE.width], float32.

    By small matrices, which is several times as fast on a CPU as `interpolate`; on a GPU they
    would round to fewer bits.

    Args:
        maps: [c, h, w] each, of any float type, on the CPU; C is the sum of their channels.
        positions: [N, 2], the tiles, as `matting.imaging.tiles` names them.
        size: of the frame.
    """
    rows, columns = positions.unbind(1)
    lefts, to_columns = _bilinear_matrices(maps[0].shape[2], size.width, TILE.width)
    tops, to_rows = _bilinear_matrices(maps[0].shape[1], size.height, TILE.height)
    window = Size(to_columns.shape[1], to_rows.shape[1])
    windows = torch.cat(
        [gather_windows(each, tops[rows], lefts[columns], window).float() for each in maps], dim=1
    )
    wide = torch.bmm(windows.flatten(1, 2), to_columns[columns])
    lines = wide.view(*windows.shape[:3], TILE.width)
    return torch.matmul(to_rows[rows].transpose(1, 2)[:, None], lines)


def tiles_influenced_by(mask: Tensor, size: Size) -> Tensor:
    """Return the positions of the tiles that depend on any map sample which the mask names.

    Args:
        mask: [h, w], bool, on the CPU.
        size: of the frame.
    """
    # Products of matrices count the samples for each tile: few enough to be exact.
    down = _dependencies(mask.shape[0], size.height, TILE.height)
    across = _dependencies(mask.shape[1], size.width, TILE.width)
    return (down @ mask.float() @ across.T > 0).nonzero()


@lru_cache(maxsize=64)
def _dependencies(samples: int, pixels: int, tile: int) -> Tensor:
    """Return [tiles, samples], float32: 1 where a tile depends on a sample, else 0."""
    first, weights = _bilinear_matrices(samples, pixels, tile)
    indices = first[:, None] + torch.arange(weights.shape[1])
    depends = (weights.amax(dim=2) > 0).float()
    return torch.zeros(len(first), samples).scatter_(1, indices, depends)


@lru_cache(maxsize=64)
def _bilinear_matrices(samples: int, pixels: int, tile: int) -> tuple[Tensor, Tensor]:
    """Return matrices that bring map samples to the pixels of each tile, in one dimension.

    Args:
        samples, pixels: of the map and of the frame.
        tile: pixels of a tile.
    Returns:
        [tiles], int64: the first sample that each tile needs; and [tiles, k, tile], float32: the
        weights of k samples from there on in each of its pixels. Pixels beyond the frame's edge
        are as the last one before it.
    """
    tiles = -(-pixels // tile)
    inside = torch.arange(tiles * tile, dtype=torch.float64).clamp(max=pixels - 1)
    positions = (inside + 0.5) * (samples / pixels) - 0.5
    positions = positions.clamp(0, samples - 1).view(tiles, tile)
    before = positions.long()
    after, weight = (before + 1).clamp(max=samples - 1), (positions - before).float()
    length = int((after[:, -1:] - before[:, :1]).max()) + 1
    first = before[:, :1].clamp(max=samples - length)
    tile_index, pixel_index = torch.meshgrid(torch.arange(tiles), torch.arange(tile), indexing="ij")
    weights = torch.zeros(tiles, length, tile)
    weights[tile_index, before - first, pixel_index] += 1 - weight
    weights[tile_index, after - first, pixel_index] += weight
    return first.flatten(), weights
