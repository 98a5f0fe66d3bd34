"""Connected parts of a small mask: runs of pixels in its rows, joined where they touch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matting.inference.crop_window import Box


def runs_of(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], ...]:
    """Return the row, the first column and the one after the last of every run of set pixels.

    Args:
        mask: [h, w].
    Returns:
        three of [N], ordered by rows, then columns.
    """
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    return rows, starts, np.nonzero(steps == -1)[1]


def component_boxes(mask: NDArray[np.bool_]) -> list[Box]:
    """Return the box around each part whose pixels touch, also by their corners; from the top down.

    Args:
        mask: [h, w].
    """
    rows, starts, ends = runs_of(mask)
    runs = list(zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True))
    parents = list(range(len(runs)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = run = parents[parents[run]]
        return run

    above = 0  # the first run that one of the present row can touch
    for index, (row, start, end) in enumerate(runs):
        while runs[above][0] < row - 1 or (runs[above][0] == row - 1 and runs[above][2] < start):
            above += 1
        touching = above
        while runs[touching][0] == row - 1 and runs[touching][1] <= end:
            parents[root(index)] = root(touching)
            touching += 1
    boxes: dict[int, Box] = {}
    for index, (row, start, end) in enumerate(runs):
        own, key = Box(start, row, end, row + 1), root(index)
        boxes[key] = boxes[key].joined(own) if key in boxes else own
    return list(boxes.values())
