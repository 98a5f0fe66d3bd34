"""Tiles of a frame copied to another, where nothing becomes of their samples."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.imaging.planes import Planes, signed_view
from matting.imaging.sample_format import Size
from matting.imaging.tiles import TILE, gather_tiles, scatter_tiles

WORD = np.dtype(np.int64)  # several of which make a line of any tile
NO_HALO = Size(0, 0)


def copy_tiles(source: Planes, output: Planes, positions: Tensor, shift: int = 0) -> None:
    """Copy some tiles of a frame; what of them is beyond its lower edge stays as it was.

    Args:
        source: one frame, on the CPU.
        output: of the same channels and chroma sites, of whole tiles, in memory of its own.
        positions: [N, 2], the tiles.
        shift: by how many bits their samples move up.
    """
    rows, columns = positions.unbind(1)
    full_rows = source.height // TILE.height
    in_words = (columns < source.width // TILE.width) & (_has_words(source) and _has_words(output))
    whole = in_words & (rows < full_rows)
    _copy_words(source, output, positions[whole], TILE.height, shift)
    # The last row of tiles may have fewer lines.
    last = positions[in_words & (rows == full_rows)] - torch.tensor([full_rows, 0])
    top = full_rows * TILE.height
    below = source.rows(slice(top, source.height)), output.rows(slice(top, output.height))
    _copy_words(*below, last, source.height - top, shift)
    rest = positions[~in_words]
    if len(rest):
        tiles = gather_tiles(source, rest, NO_HALO)
        luma_or_rgb = _moved(tiles.luma_or_rgb, shift)
        chroma = None if tiles.chroma is None else _moved(tiles.chroma, shift)
        scatter_tiles(Planes(output.sample_format, luma_or_rgb, chroma), output, rest)


def _copy_words(source: Planes, output: Planes, positions: Tensor, height: int, shift: int) -> None:
    """Copy tiles of that height, none of which is beyond the source's edge, word by word."""
    if not len(positions):
        return
    rows, columns = positions.numpy().T
    tile = Size(TILE.width, height)
    pairs = [(source.luma_or_rgb, output.luma_or_rgb, tile)]
    if source.chroma is not None and output.chroma is not None:
        pairs.append((source.chroma, output.chroma, source.sample_format.chroma_size(tile)))
    for plane, target, size in pairs:
        tiles = _grid(plane, size)[:, rows, :, columns]
        if shift:
            moved = _moved(torch.from_numpy(tiles).view(plane.dtype), shift)
            tiles = signed_view(moved).numpy().view(WORD)
        _grid(target, size)[:, rows, :, columns] = tiles


def _moved(samples: Tensor, shift: int) -> Tensor:
    """Return samples moved up, uint16; themselves by 0 bits."""
    if not shift:
        return samples
    wide = samples.view(torch.int16) if samples.dtype == torch.uint16 else samples.to(torch.int16)
    return (wide << shift).view(torch.uint16)


def _has_words(frame: Planes) -> bool:
    """Return whether the lines of all planes consist of whole words."""
    planes = [frame.luma_or_rgb] if frame.chroma is None else [frame.luma_or_rgb, frame.chroma]
    return all(
        plane.stride(3) == 1
        and all(step * plane.itemsize % WORD.itemsize == 0 for step in plane.stride()[1:3])
        and plane.data_ptr() % WORD.itemsize == 0
        for plane in planes
    )


def _grid(plane: Tensor, tile: Size) -> NDArray[np.int64]:
    """Return the whole tiles of a plane [1, C, H, W] as words: [C, rows, height, columns, n]."""
    samples = signed_view(plane).numpy()[0]
    channels, height, width = samples.shape
    rows, columns = height // tile.height, width // tile.width
    words: NDArray[np.int64] = samples[:, : rows * tile.height, : columns * tile.width].view(WORD)
    return words.reshape(channels, rows, tile.height, columns, -1)
