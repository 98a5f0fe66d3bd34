"""Stored mattes put together: one blended into another, and one kept out of parts of the picture.

What is premultiplied by alpha blends linearly: alpha itself, and the corrections. All results are
rounded from float32 arithmetic of single operations, so that they are the same on every computer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes, alpha_at_chroma_sites, is_soft
from matting.imaging.planes import signed_view


@torch.inference_mode()
def blend_mattes(before: MattePlanes, after: MattePlanes, weights: Sequence[float]) -> MattePlanes:
    """Return mattes between two of the same frames.

    Args:
        before, after: of T frames, on the CPU, of one size and format.
        weights: T shares of `after`, 0..1; at 0 and at 1 the result is one of them, bit for bit.
    """
    share = torch.tensor(weights, dtype=torch.float32).reshape(-1, 1, 1, 1)

    def mixed(one: Tensor, other: Tensor) -> Tensor:
        start = one.to(torch.float32)
        return other.to(torch.float32).sub_(start).mul_(share).add_(start)

    chroma = None
    if before.chroma is not None and after.chroma is not None:
        chroma = mixed(before.chroma, after.chroma)
    return _rounded(
        mixed(signed_view(before.alpha), signed_view(after.alpha)),
        mixed(before.luma_or_rgb, after.luma_or_rgb),
        chroma,
        before,
    )


@torch.inference_mode()
def limit_matte(matte: MattePlanes, allowed: Tensor, weights: Sequence[float]) -> MattePlanes:
    """Return mattes that are kept out of parts of the picture.

    Args:
        matte: of T frames, on the CPU.
        allowed: how much of the matte stays at each pixel, [H, W], float32, 0..1.
        weights: T shares of how far that holds, 0..1; at 0 a matte stays as it is.
    """
    share = torch.tensor(weights, dtype=torch.float32).reshape(-1, 1, 1, 1)
    factor = 1 - share * (1 - allowed)
    chroma = None
    if matte.chroma is not None:
        at_sites = alpha_at_chroma_sites(factor * MAX_ALPHA, matte.sample_format)
        chroma = matte.chroma.to(torch.float32).mul_(at_sites).mul_(1 / MAX_ALPHA)
    return _rounded(
        signed_view(matte.alpha).to(torch.float32).mul_(factor),
        matte.luma_or_rgb.to(torch.float32).mul_(factor),
        chroma,
        matte,
    )


def _rounded(
    alpha: Tensor, luma_or_rgb: Tensor, chroma: Tensor | None, like: MattePlanes
) -> MattePlanes:
    """Return a matte of these values, float32, without corrections where it is solid or empty."""
    alpha.round_()
    corrections = luma_or_rgb.round_().mul_(is_soft(alpha)).to(torch.int8)
    if chroma is not None:
        at_sites = alpha_at_chroma_sites(alpha, like.sample_format)
        chroma = chroma.round_().mul_(is_soft(at_sites)).to(torch.int8)
    stored = alpha.to(torch.int16).view(torch.uint16)
    return MattePlanes(stored, corrections, chroma, like.sample_format)
