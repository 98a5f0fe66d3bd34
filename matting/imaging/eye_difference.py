"""How much the mattes of both eyes differ beyond what depth explains.

Depth moves things aside along the rows, by distances that are not known here. So each band of rows
of one eye is compared with the other eye's in two ways that do not depend on them: by its area, and
at the shift where both differ least. On people and drawn films with known disparity, the mean of
both ranks frames as their true disagreement does better than either alone: the area misses what
makes up for itself within a band, and the shift leaves a little where a band holds several depths.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BANDS, COLUMNS = 36, 512  # at most
COARSE = 4  # columns that are one where the shift is first looked for
FARTHEST = 0.08  # of the width: how far things may be moved aside
LEAST_AREA = 0.005  # of the picture: what differs counts against at least so much


def eye_differences(left: Tensor, right: Tensor) -> Tensor:
    """Return what differs as a share of what both eyes show, [T], float32, in [0, 1].

    0: one eye's matte is the other's, moved aside band by band; 1: one eye alone shows anybody.

    Args:
        left, right: alpha of both eyes at the same times, [T, 1, h, w], float32, in [0, 1]; the
            small copies will do.
    """
    size = min(left.shape[2], BANDS), min(left.shape[3], COLUMNS)
    own, other = (F.adaptive_avg_pool2d(alpha, size)[:, 0] for alpha in (left, right))
    areas = (own.sum(2) - other.sum(2)).abs().sum(1)
    shapes = _least_differences(own, other).sum(1)
    shown = own.sum((1, 2)) + other.sum((1, 2))
    return (areas + shapes) / 2 / shown.clamp(min=2 * LEAST_AREA * size[0] * size[1])


def _least_differences(own: Tensor, other: Tensor) -> Tensor:
    """Return by how much each band differs at the best shift, [T, bands].

    Args:
        own, other: [T, bands, columns].
    """
    coarse = [F.avg_pool1d(bands, COARSE, ceil_mode=True) for bands in (own, other)]
    reach = max(1, round(FARTHEST * coarse[0].shape[2]))
    best = _differences(coarse[0], _shifted(coarse[1], reach)).argmin(2)
    farthest = (reach + 1) * COARSE
    nearby = torch.arange(-COARSE, COARSE + 1, device=own.device)
    shifts = (best[:, :, None] - reach) * COARSE + nearby + farthest
    frames, bands = (torch.arange(count, device=own.device) for count in own.shape[:2])
    moved = _shifted(other, farthest)[frames[:, None, None], bands[:, None], shifts]
    return _differences(own, moved).amin(2)


def _shifted(bands: Tensor, reach: int) -> Tensor:
    """Return bands at all shifts up to `reach` to both sides, [T, bands, shifts, columns]."""
    padded = F.pad(bands, (reach, reach), mode="replicate")
    return padded.unfold(2, bands.shape[2], 1)


def _differences(bands: Tensor, shifted: Tensor) -> Tensor:
    """Return by how much bands differ from others at each shift, [T, bands, shifts]."""
    return (bands[:, :, None] - shifted).abs().sum(3)
