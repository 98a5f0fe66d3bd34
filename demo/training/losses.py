"""The RVM paper's losses on alpha and foreground, and two that help training from random weights.

Source: Lin et al. 2021, the section on losses.
All tensors are [B, T, C, H, W]; predictions are not clamped.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 5  # of the Laplacian pyramid
COHERENCE = 5.0  # weight of change in time
OVERSHOOT = 0.3  # weight of values outside [0, 1]; clamping alone has no gradient there


@dataclass(frozen=True)
class Losses:
    """One scalar of each kind."""

    alpha: Tensor
    pyramid: Tensor
    alpha_coherence: Tensor
    foreground: Tensor
    foreground_coherence: Tensor
    overshoot: Tensor
    segmentation: Tensor

    def total(self) -> Tensor:
        """Return their weighted sum."""
        return (
            self.alpha
            + self.pyramid
            + COHERENCE * (self.alpha_coherence + self.foreground_coherence)
            + self.foreground
            + OVERSHOOT * self.overshoot
            + 0.2 * self.segmentation
        )


def losses(
    fgr: Tensor, pha: Tensor, segmentation: Tensor, true_fgr: Tensor, true_pha: Tensor
) -> Losses:
    """Return the losses of a prediction.

    Args:
        fgr, pha: predicted foreground and alpha.
        segmentation: logits of `project_seg`, at any size.
        true_fgr, true_pha: the true ones in [0, 1], at the size of fgr and pha.
    """
    clamped = pha.clamp(0, 1)
    visible = true_pha > 0
    fgr_error = torch.where(visible, fgr.clamp(0, 1) - true_fgr, 0)
    overshoot = (pha - clamped).abs().mean() + ((fgr - fgr.clamp(0, 1)).abs() * visible).mean()
    mask = F.interpolate(true_pha.flatten(0, 1), segmentation.shape[-2:], mode="area")
    return Losses(
        alpha=(clamped - true_pha).abs().mean(),
        pyramid=laplacian(clamped.flatten(0, 1), true_pha.flatten(0, 1)),
        alpha_coherence=_change(clamped - true_pha),
        foreground=fgr_error.abs().mean(),
        foreground_coherence=_change(fgr_error),
        overshoot=overshoot,
        segmentation=F.binary_cross_entropy_with_logits(segmentation.flatten(0, 1), mask),
    )


def laplacian(pha: Tensor, true_pha: Tensor) -> Tensor:
    """Return the L1 of a Laplacian pyramid of the error [N, 1, H, W]; coarse levels weigh more."""
    error = pha - true_pha  # the pyramid is linear: that of the error is the pyramids' difference
    total = error.new_zeros(())
    for level in range(LEVELS):
        height, width = error.shape[-2] // 2 * 2, error.shape[-1] // 2 * 2
        error = error[..., :height, :width]
        small = _halve(_halve(error, -1), -2)
        coarse = F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)
        total = total + (error - coarse).abs().mean() * 2**level / LEVELS
        error = small
    return total


def _halve(x: Tensor, dim: int) -> Tensor:
    """Halve a dimension of even size, after a binomial blur of five taps."""
    ends = (2, 1, 0, 0) if dim == -1 else (0, 0, 2, 1)
    padded = F.pad(x, ends, mode="replicate")
    count = x.shape[dim] // 2
    taps = [padded.narrow(dim, i, 2 * count - 1).unfold(dim, 1, 2).squeeze(-1) for i in range(5)]
    return (taps[0] + taps[4] + 4 * (taps[1] + taps[3]) + 6 * taps[2]) / 16


def _change(error: Tensor) -> Tensor:
    """Return the mean square of the error's change from frame to frame."""
    if error.shape[1] < 2:
        return error.new_zeros(())
    return (error[:, 1:] - error[:, :-1]).square().mean()
