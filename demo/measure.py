"""Measuring a result against its film: alpha errors, and when flashes and beeps are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BAND_PX = 10  # what counts as the edge, on either side of it
BEEP_LEVEL = 0.15  # of full scale; the hum stays far below
BEEP_PAUSE_SECONDS = 0.5  # silence before a beep


@dataclass(frozen=True)
class AlphaErrors:
    """Mean absolute differences of alpha in [0, 1] over all frames.

    Attributes:
        inside: where the true alpha is above 0.5.
        edge: at most 10 px from where it crosses 0.5.
        everywhere: over all pixels.
        at_cuts: the change of the error from the last frame before a cut to the first after it.
        elsewhere: the change of the error to like frames that do not follow a cut.
    """

    inside: float
    edge: float
    everywhere: float
    at_cuts: float
    elsewhere: float


def alpha_errors(
    actual: Iterable[Tensor], true: Iterable[Tensor], cuts: Sequence[int], others: Sequence[int]
) -> AlphaErrors:
    """Compare an alpha with the true one.

    Args:
        actual, true: [H, W], uint8, 0..255, frame by frame.
        cuts: the first frame of every segment but the first.
        others: frames to compare those with, which differ only in that no cut precedes them.
    """
    rows: list[tuple[float, float, float]] = []
    steps: dict[bool, list[float]] = {True: [], False: []}
    previous: Tensor | None = None
    for index, (alpha, truth) in enumerate(zip(actual, true, strict=True)):
        error = alpha.short() - truth.short()
        rows.append((*_near_figure(error, truth > 127), _mean(error)))
        if previous is not None and (index in cuts or index in others):
            steps[index in cuts].append(_mean(error - previous))
        previous = error
    inside, edge, everywhere = (float(np.mean(column)) for column in zip(*rows, strict=True))
    at_cuts, elsewhere = (float(np.mean(steps[k])) if steps[k] else 0.0 for k in (True, False))
    return AlphaErrors(inside, edge, everywhere, at_cuts, elsewhere)


def edge_band(inside: Tensor) -> Tensor:
    """Return the pixels within BAND_PX, in x and in y, of where `inside` [N, 1, H, W] changes."""
    return _near(inside) & _near(~inside)


def flash_indices(brightness: Sequence[float], fps: int) -> list[int]:
    """Return, for each second but the first, the frame that most outshines its neighbours.

    Args:
        brightness: of every frame, in any unit.
        fps: frames per second; flashes are about that many frames apart.
    """
    level = np.asarray(brightness)
    rise = np.zeros(len(level))
    rise[1:-1] = np.minimum(level[1:-1] - level[:-2], level[1:-1] - level[2:])
    half = fps // 2
    return [
        start + int(np.argmax(rise[start : start + fps]))
        for start in range(half, len(level) - half, fps)
    ]


def beep_times(samples: NDArray[np.float32], rate: int) -> list[float]:
    """Return when each beep begins, in seconds from the first sample.

    Args:
        samples: [N], mono, in [-1, 1].
        rate: samples per second.
    """
    loud = np.flatnonzero(np.abs(samples) > BEEP_LEVEL)
    if not len(loud):
        return []
    starts = [loud[0], *loud[1:][np.diff(loud) > BEEP_PAUSE_SECONDS * rate]]
    return [float(start) / rate for start in starts]


def _near_figure(error: Tensor, inside: Tensor) -> tuple[float, float]:
    """Return the mean of `error` [H, W] inside, and in the edge band.

    Only the figure's surroundings are computed.
    """
    positions = inside.nonzero()
    if not len(positions):
        return 0.0, 0.0
    low, high = positions.amin(dim=0), positions.amax(dim=0)
    rows, columns = (
        slice(max(0, int(first) - 2 * BAND_PX), int(last) + 2 * BAND_PX)
        for first, last in zip(low, high, strict=True)
    )
    error, inside = error[rows, columns], inside[rows, columns]
    return _mean(error[inside]), _mean(error[edge_band(inside[None, None])[0, 0]])


def _near(mask: Tensor) -> Tensor:
    """Return where `mask` [..., H, W] is set within BAND_PX px in x and in y, by running sums."""
    for dim in (-1, -2):
        size = mask.shape[dim]
        total = mask.int().cumsum(dim)
        last = torch.arange(size, device=mask.device) + BAND_PX
        before = torch.arange(size, device=mask.device) - BAND_PX - 1
        upto = total.index_select(dim, last.clamp(max=size - 1))
        shape = [-1, 1] if dim == -2 else [-1]
        earlier = total.index_select(dim, before.clamp(min=0)) * (before >= 0).view(shape)
        mask = upto > earlier
    return mask


def _mean(error: Tensor) -> float:
    """Return the mean absolute value, in [0, 1], of differences in 1/255."""
    return int(error.abs().sum(dtype=torch.int64)) / 255 / error.numel() if error.numel() else 0.0


def grey(rgb: Tensor) -> Tensor:
    """Return one channel [T, H, W] of grey pictures [T, 3, H, W]."""
    return rgb[:, 1]
