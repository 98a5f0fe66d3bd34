"""Tiles of a frame copied to another, where nothing becomes of their samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from matting.imaging.planes import Planes
from matting.imaging.tiles import TILE

Samples = NDArray[Any]


def copy_tiles(source: Planes, output: Planes, positions: Tensor, shift: int = 0) -> None:
    """Copy some tiles of a frame; what of them is beyond its edges stays as it was.

    Tiles beside each other are copied as one, which takes half the time of each by itself.

    Args:
        source: one frame, on the CPU.
        output: of the same channels and chroma sites, as large or larger.
        positions: [N, 2], the tiles, ordered by rows.
        shift: by how many bits their samples move up.
    """
    planes = [((1, 1), _samples(source.luma_or_rgb), _samples(output.luma_or_rgb))]
    if source.chroma is not None and output.chroma is not None:
        steps = source.sample_format.subsampling
        planes.append((steps, _samples(source.chroma), _samples(output.chroma)))
    for row, first, stop in _runs(positions):
        for (across, down), samples, target in planes:
            width, height = TILE.width // across, TILE.height // down
            part = samples[:, row * height : (row + 1) * height, first * width : stop * width]
            _, lines, columns = part.shape
            place = target[:, row * height :, first * width :][:, :lines, :columns]
            if shift:
                np.left_shift(part, shift, out=place, dtype=np.uint16)
            else:
                place[:] = part


def _runs(positions: Tensor) -> Iterator[tuple[int, int, int]]:
    """Yield where tiles are beside each other: their row, the first column, and the one after."""
    if not len(positions):
        return
    rows, columns = positions.numpy().T
    is_first = np.ones(len(rows), bool)
    is_first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1] + 1)
    firsts = np.flatnonzero(is_first)
    lasts = np.append(firsts[1:], len(rows)) - 1
    yield from zip(
        rows[firsts].tolist(), columns[firsts].tolist(), (columns[lasts] + 1).tolist(), strict=True
    )


def _samples(planes: Tensor) -> Samples:
    """Return the planes of a frame, [C, H, W], in the same memory."""
    samples: Samples = planes.numpy()[0]
    return samples
