"""The network's small results brought to full size, a rectangle at a time.

Bilinear, pixels as areas: what `interpolate` without aligned corners does to the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.resampling import rows_at

BLOCK_PX, BLOCK_ROWS = 32, 16  # that one small matrix makes
TILE_PX = 64  # columns that are looked at together
GAP_PX = 64  # drawing as much takes no longer than beginning another rectangle


def enlarged(maps: Sequence[Tensor], rows: slice, columns: slice, size: tuple[int, int]) -> Tensor:
    """A rectangle of `maps` [T, C, h, w] one after the other, brought to `size`, [T, C.., n, m].

    On the CPU by small matrices, which is three times as fast there as `interpolate`; never on
    a card, whose matrix units round to fewer bits.

    Args:
        maps: of one height and width; float.
        size: the full width and height.
    """
    if maps[0].is_cuda:
        return interpolated(torch.cat([m.float() for m in maps], dim=1), rows, size)[..., columns]
    return multiplied(maps, rows, columns, size)


def interpolated(small: Tensor, rows: slice, size: tuple[int, int]) -> Tensor:
    """`enlarged` for whole rows, by `interpolate`."""
    width, height = size
    ticks = torch.arange(rows.start, rows.stop, device=small.device, dtype=torch.float32)
    lines = rows_at(small, (ticks + 0.5) * (small.shape[2] / height) - 0.5)  # [T, C, n, w]
    flat = lines.flatten(0, 2)[None]
    return F.interpolate(flat, width, mode="linear", align_corners=False).view(
        *lines.shape[:3], width
    )


def multiplied(
    maps: Sequence[Tensor], rows: slice, columns: slice, size: tuple[int, int]
) -> Tensor:
    """`enlarged` by matrices: every block of pixels from the few samples around it."""
    width, height = size
    above, down = _block_weights(maps[0].shape[2], height, rows.start, rows.stop, BLOCK_ROWS)
    beside, across = _block_weights(maps[0].shape[3], width, columns.start, columns.stop, BLOCK_PX)
    top, bottom = int(above[0, 0]), int(above[-1, -1]) + 1
    lines = torch.cat([m[:, :, top:bottom].float() for m in maps], dim=1)
    frames, channels, count, _ = lines.shape
    near = lines.index_select(3, beside.flatten()).view(-1, *beside.shape)
    wide = lines.new_empty((frames * channels * count, len(beside), BLOCK_PX))
    torch.bmm(near.transpose(0, 1), across, out=wide.transpose(0, 1))
    wide = wide.view(frames * channels, count, -1)
    near = wide.index_select(1, (above - top).flatten()).view(len(wide), *above.shape, -1)
    found = torch.matmul(down.transpose(1, 2), near).view(frames, channels, -1, wide.shape[2])
    return found[:, :, : rows.stop - rows.start, : columns.stop - columns.start]


def covered(some: Tensor, bands: Sequence[slice], size: tuple[int, int]) -> list[list[slice]]:
    """Per band of rows the columns that may differ from nothing, in whole tiles but for the edge.

    Args:
        some: [h, w], bool; where it is false there is nothing, nor between two such places.
        size: the full width and height.
    """
    width, height = size
    tiles = [slice(x, min(width, x + TILE_PX)) for x in range(0, width, TILE_PX)]
    tops, bottoms = _reached(bands, some.shape[0], height)
    lefts, rights = _reached(tiles, some.shape[1], width)
    # Products of matrices tell how many there are in each: they are small enough to be exact.
    found = (
        _inside(tops, bottoms, some.shape[0])
        @ some.float()
        @ _inside(lefts, rights, some.shape[1]).T
    )
    wanted: list[list[bool]] = (found > 0).tolist()
    return [_runs(tiles, row) for row in wanted]


def _reached(parts: Sequence[slice], count: int, size: int) -> tuple[Tensor, Tensor]:
    """The first of `count` small samples that each part of `size` pixels needs; one past the last.

    With one more at either end, whatever is rounded.
    """
    first = [max(0, int(part.start * count / size) - 2) for part in parts]
    last = [min(count, int(part.stop * count / size) + 3) for part in parts]
    return torch.tensor(first), torch.tensor(last)


def _inside(first: Tensor, last: Tensor, count: int) -> Tensor:
    """Of `count` samples, 1 for those from `first` to before `last`: [parts, count]."""
    places = torch.arange(count)
    return ((places >= first[:, None]) & (places < last[:, None])).float()


def _runs(tiles: Sequence[slice], wanted: Sequence[bool]) -> list[slice]:
    """The wanted tiles, those close to each other in one."""
    runs: list[slice] = []
    for tile, want in zip(tiles, wanted, strict=True):
        if want and runs and tile.start - runs[-1].stop <= GAP_PX:
            runs[-1] = slice(runs[-1].start, tile.stop)
        elif want:
            runs.append(tile)
    return runs


def _places(count: int, size: int, first: int, last: int) -> tuple[Tensor, Tensor, Tensor]:
    """For pixels of `size`: the small samples before and after each, and the latter's share."""
    pixels = torch.arange(first, last, dtype=torch.float64)
    place = ((pixels + 0.5) * (count / size) - 0.5).clamp(0, count - 1)
    before = place.long()
    return before, (before + 1).clamp(max=count - 1), (place - before).float()


@lru_cache(maxsize=1024)
def _block_weights(
    count: int, size: int, first: int, last: int, block: int
) -> tuple[Tensor, Tensor]:
    """The samples that each block of pixels needs, [N, k]; their shares in it, [N, k, block]."""
    blocks = -(-(last - first) // block)
    places = _places(count, size, first, first + blocks * block)
    before, after, share = (each.view(blocks, block) for each in places)
    lowest = before[:, :1]
    reach = int((after[:, -1:] - lowest).max()) + 1
    number = torch.arange(blocks)[:, None].expand_as(before)
    pixel = torch.arange(block).expand_as(before)
    weights = torch.zeros(blocks, reach, block)
    weights[number, before - lowest, pixel] += 1 - share
    weights[number, after - lowest, pixel] += share
    return (lowest + torch.arange(reach)).clamp(max=count - 1), weights
