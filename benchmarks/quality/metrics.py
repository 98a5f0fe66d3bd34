"""How far a matte is from the true one, by the measures of the field.

Source: Lin et al. 2021, "Robust High-Resolution Video Matting with Temporal Guidance", section 4:
MAD and MSE x 1e3, Grad and Conn / 1e3 (Rhemann et al. 2009), dtSSD x 1e2 (Erofeev et al. 2015).
Alphas are [T, H, W], float32, in [0, 1]; figures are means over the frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from benchmarks.quality.components import largest_component

GRADIENT_SIGMA = 1.4
GRADIENT_RADIUS_PX = 4  # beyond it, the filter is below a hundredth of its peak
ALPHA_HEAD = ("MAD", "MSE", "Grad", "Conn", "dtSSD")
CONNECTIVITY_STEP, CONNECTIVITY_TOLERANCE = 0.1, 0.15


@dataclass(frozen=True)
class AlphaErrors:
    """The errors of a clip's alpha, each lower where it is better."""

    mad: float
    mse: float
    grad: float
    conn: float
    dtssd: float

    def cells(self) -> list[str]:
        """Return them for a table, in the order of ALPHA_HEAD."""
        return [f"{value:.2f}" for value in astuple(self)]


def alpha_errors(alpha: Tensor, truth: Tensor) -> AlphaErrors:
    """Return all errors of a clip's alpha."""
    frames = list(zip(alpha, truth, strict=True))
    return AlphaErrors(
        mad=mean(frame_mad(alpha, truth)),
        mse=mean(float((a - b).square().mean()) * 1e3 for a, b in frames),
        grad=mean(gradient_error(a, b) for a, b in frames),
        conn=mean(connectivity_error(a.numpy(), b.numpy()) for a, b in frames),
        dtssd=dtssd(alpha, truth),
    )


def mean(values: Iterable[float]) -> float:
    """Return the mean of some figures; NaN of none."""
    given = list(values)
    return float(np.mean(given)) if given else math.nan


def rank_correlation(one: ArrayLike, other: ArrayLike) -> float:
    """Return Spearman's rank correlation; NaN where either is the same everywhere."""
    if not np.ptp(one) or not np.ptp(other):
        return math.nan
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def frame_mad(alpha: Tensor, truth: Tensor) -> list[float]:
    """Return the mean absolute difference of each frame, x 1e3."""
    return [float((a - b).abs().mean()) * 1e3 for a, b in zip(alpha, truth, strict=True)]


def sad_by_area(alpha: Tensor, truth: Tensor) -> float:
    """Return the sum of absolute differences over that of the true alpha: small people count."""
    sums = [(float((a - b).abs().sum()), float(b.sum())) for a, b in zip(alpha, truth, strict=True)]
    return sum(error for error, _ in sums) / max(1e-9, sum(area for _, area in sums))


def gradient_error(alpha: Tensor, truth: Tensor) -> float:
    """Return the summed squared difference of the gradients' strength, / 1e3, of a frame [H, W].

    By derivatives of a Gaussian; beyond the frame's edge the edge is repeated.
    """
    difference = _gradient(alpha) - _gradient(truth)
    return float(difference.square().sum()) / 1e3


def connectivity_error(alpha: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Return how much more or less of a frame [H, W] hangs on the main part of both, / 1e3."""
    levels = np.arange(1, round(1 / CONNECTIVITY_STEP) + 1, dtype=np.float32) * CONNECTIVITY_STEP
    connected_to = np.full(alpha.shape, -1, np.float32)
    for index, level in enumerate(levels):
        bound = level - np.float32(1e-6)
        main = largest_component((alpha >= bound) & (truth >= bound))
        lost = (connected_to == -1) & ~main
        connected_to[lost] = index * np.float32(CONNECTIVITY_STEP)
    connected_to[connected_to == -1] = 1
    shares = []
    for values in (alpha, truth):
        distance = values - connected_to
        shares.append(1 - distance * (distance >= CONNECTIVITY_TOLERANCE))
    return float(np.abs(shares[0] - shares[1]).sum()) / 1e3


def dtssd(alpha: Tensor, truth: Tensor) -> float:
    """Return how differently alpha changes from frame to frame, x 1e2; NaN of a single frame."""
    changes = (
        ((alpha[t] - alpha[t - 1]) - (truth[t] - truth[t - 1])).square().mean().sqrt()
        for t in range(1, len(alpha))
    )
    return mean(float(change) * 1e2 for change in changes)


def foreground_mse(foreground: Tensor, truth: Tensor, where: Tensor) -> float:
    """Return the mean squared difference of colours, x 1e3; NaN where nothing is compared.

    Args:
        foreground, truth: [T, 3, H, W], uint8.
        where: [T, H, W], bool: the pixels to compare.
    """
    total, count = 0.0, 0
    for own, true, mask in zip(foreground, truth, where, strict=True):
        difference = own[:, mask].float() - true[:, mask].float()
        total += float(difference.square().sum())
        count += difference.numel()
    return total / count / 255**2 * 1e3 if count else math.nan


def soft(alpha: Tensor) -> Tensor:
    """Return where an alpha is neither 0 nor 1, of the same shape, bool."""
    return (alpha > 0) & (alpha < 1)


def composite_error(
    matted: tuple[Tensor, Tensor],
    truth: tuple[Tensor, Tensor],
    background: tuple[int, int, int],
    where: Tensor,
) -> float:
    """Return the mean squared error over a background, x 1e3; NaN where nothing is compared.

    Args:
        matted, truth: alpha [T, H, W], and the foreground [T, 3, H, W], uint8.
        background: R'G'B', 0..255.
        where: [T, H, W], bool: the pixels to compare.
    """
    behind = torch.tensor(background, dtype=torch.float32)[:, None]
    total, count = 0.0, 0
    for own_alpha, own, true_alpha, true, mask in zip(*matted, *truth, where, strict=True):
        shown, wanted = (
            behind + (colour[:, mask].float() - behind) * alpha[mask]
            for alpha, colour in ((own_alpha, own), (true_alpha, true))
        )
        total += float((shown - wanted).square().sum())
        count += shown.numel()
    return total / count / 255**2 * 1e3 if count else math.nan


def _ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Return the ranks of values; those that are equal share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def _gradient(alpha: Tensor) -> Tensor:
    """Return the strength of the gradient of [H, W]."""
    x = torch.arange(-GRADIENT_RADIUS_PX, GRADIENT_RADIUS_PX + 1, dtype=torch.float32)
    gaussian = torch.exp(-x.square() / (2 * GRADIENT_SIGMA**2))
    derivative = x * gaussian
    kernel = gaussian[:, None] * derivative
    kernel = kernel / kernel.square().sum().sqrt()
    padded = F.pad(alpha[None, None], [GRADIENT_RADIUS_PX] * 4, mode="replicate")
    both = F.conv2d(padded, torch.stack((kernel, kernel.T))[:, None])
    return both.square().sum(1).sqrt()[0]
