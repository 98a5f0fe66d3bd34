"""Parts of the picture in which people may be found, and others in which they never are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.sample_format import Size
from matting.range_options import Rectangle


def allowed_parts(
    size_px: Size,
    *,
    keep_out: Sequence[Rectangle] = (),
    hold_in: Sequence[Rectangle] = (),
    forbidden: Tensor | None = None,
) -> Tensor:
    """Return how much of a matte may stay at each pixel: [H, W], float32, 0..1.

    Args:
        keep_out: where nothing stays.
        hold_in: outside of which nothing stays; empty: it may be anywhere.
        forbidden: [h, w], float32, 0..1, of any size: how much does not stay; scaled to the
            picture.
    """
    width, height = size_px
    allowed = torch.zeros(height, width) if hold_in else torch.ones(height, width)
    for part in hold_in:
        _inside(allowed, part).fill_(1)
    for part in keep_out:
        _inside(allowed, part).fill_(0)
    if forbidden is not None:
        scaled = F.interpolate(
            forbidden[None, None], (height, width), mode="bilinear", antialias=True
        )[0, 0]
        allowed *= 1 - scaled.clamp(0, 1)
    return allowed


def _inside(plane: Tensor, part: Rectangle) -> Tensor:
    """Return what of a plane [H, W] lies in a rectangle, in the same memory."""
    return plane[part.top : part.top + part.height, part.left : part.left + part.width]
