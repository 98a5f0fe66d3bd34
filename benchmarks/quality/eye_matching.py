"""What one eye sees, moved to where the other one sees it, by a known disparity.

A disparity is how many pixels further to the right the left eye sees a thing than the right eye,
so that nearer things have more of it. Maps of it, [1, H, W], are an eye's own: they say it of what
that eye sees in each pixel.
"""

from __future__ import annotations

from enum import IntEnum

import torch
from torch import Tensor

TOLERANCE_PX = 0.01  # disparities that differ by less are those of one thing


class Eye(IntEnum):
    """An eye, and which way the other one sees things moved: to the left of where the left does."""

    LEFT = -1
    RIGHT = 1


EYES = (Eye.LEFT, Eye.RIGHT)


def matched(values: Tensor, disparity: Tensor, eye: Eye) -> Tensor:
    """Return what the other eye has for the same things, linearly interpolated in its rows.

    Args:
        values: [C, H, W], float32, of the other eye.
        disparity: of this eye; beyond the other's edge, the edge is repeated.
        eye: whose pixels the result has.
    """
    first, second, share = _neighbours(disparity, eye)
    near, far = (values.gather(2, index.expand_as(values)) for index in (first, second))
    return torch.lerp(near, far, share.expand_as(values))


def seen_by_both(disparity: Tensor, other: Tensor, eye: Eye) -> Tensor:
    """Return where the other eye sees the same things, unhidden and inside its picture.

    Args:
        disparity, other: of this eye, and of the other.
        eye: whose pixels the result has.
    Returns:
        [1, H, W], bool.
    """
    first, second, share = _neighbours(disparity, eye)
    same = [(other.gather(2, at) - disparity).abs() < TOLERANCE_PX for at in (first, second)]
    return inside_other(disparity, eye) & same[0] & (same[1] | (share == 0))


def inside_other(disparity: Tensor, eye: Eye) -> Tensor:
    """Return where the match is inside the other eye's picture, [1, H, W], bool."""
    columns = torch.arange(disparity.shape[2]) + eye * disparity
    return (columns >= 0) & (columns <= disparity.shape[2] - 1)


def _neighbours(disparity: Tensor, eye: Eye) -> tuple[Tensor, Tensor, Tensor]:
    """Return the other eye's two columns nearest to each match, and the second one's share."""
    last = disparity.shape[2] - 1
    columns = (torch.arange(last + 1) + eye * disparity).clamp(0, last)
    first = columns.floor().long()
    return first, (first + 1).clamp(max=last), columns - first
