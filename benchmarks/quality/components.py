"""Connected parts of a mask, by their runs: a row of pixels is a few runs, a mask some hundreds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matting.inference.components import runs_of

Mask = NDArray[np.bool_]


def largest_component(mask: Mask) -> Mask:
    """Return the largest of the parts whose pixels touch by their sides; of an empty mask, nothing.

    Args:
        mask: [H, W].
    """
    rows, starts, ends = runs_of(mask)
    if not len(rows):
        return np.zeros_like(mask)
    labels = _join(_touching_runs(rows, starts, ends), len(rows))
    sizes = np.bincount(labels, weights=ends - starts)
    chosen = np.flatnonzero(labels == sizes.argmax())
    edges = np.zeros((mask.shape[0], mask.shape[1] + 1), np.int8)
    edges[rows[chosen], starts[chosen]] = 1
    edges[rows[chosen], ends[chosen]] -= 1
    inside: Mask = np.cumsum(edges, axis=1)[:, : mask.shape[1]] > 0
    return inside


def _touching_runs(
    rows: NDArray[np.intp], starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the pairs of runs, [N, 2], that touch in neighbouring rows.

    Args:
        rows, starts, ends: of every run, ordered by rows, then columns.
    """
    width = int(ends.max()) + 1
    # Along one line, on which the next row begins where this one ends.
    above = rows * width
    first = np.searchsorted(above + ends, (rows - 1) * width + starts, side="right")
    last = np.searchsorted(above + starts, (rows - 1) * width + ends, side="left")
    counts = np.maximum(last - first, 0)
    below = np.repeat(np.arange(len(rows)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    pairs = np.stack((below, np.repeat(first, counts) + offsets), axis=1)
    touching: NDArray[np.intp] = pairs[rows[pairs[:, 0]] == rows[pairs[:, 1]] + 1]
    return touching


def _join(pairs: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return a label for each of `count` runs: the least run that it is joined to by pairs."""
    labels = np.arange(count)
    while len(pairs):
        a, b = labels[pairs[:, 0]], labels[pairs[:, 1]]
        apart = a != b
        if not apart.any():
            break
        low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
        np.minimum.at(labels, high, low)
        while True:  # to the end of every chain
            next_labels = labels[labels]
            if (next_labels == labels).all():
                break
            labels = next_labels
    return labels
