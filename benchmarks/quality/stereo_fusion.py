"""Ways to make one of what both eyes' mattes say at matched places, and to find these places."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.quality.clips import MAX_GREY
from benchmarks.quality.eye_matching import EYES, Eye, inside_other, matched, seen_by_both
from benchmarks.quality.stereo_clips import StereoClip
from benchmarks.quality.stereo_matting import Alphas
from matting.inference.two_views import mirrored_share

LARGEST_DISPARITY = 0.04  # of the eye's width: above it, no match is looked for
BLOCK_PX = 15  # of the small copy: the side of the blocks that are compared
CONSISTENT_PX = 1.0  # of the small copy: both eyes' estimates agree to it
MOST_COST = 3.0  # of a pixel: three colours, in [0, 1]
SURE = 0.05  # of 0 or 1: nearer to it, alpha is sure

Pair = tuple[Tensor, Tensor]  # the left eye's, the right one's
# Returns the alpha of an eye, [T, 1, H, W], of its own and the other's at matched places.
Fusion = Callable[[Tensor, Tensor], Tensor]


def mean_of_both(own: Tensor, other: Tensor) -> Tensor:
    """Let both count alike."""
    return (own + other) / 2


def surer_of_both(own: Tensor, other: Tensor) -> Tensor:
    """Let each count the more, the less is half transparent around, as `--quality best` does."""
    return own.lerp(other, mirrored_share(own, other))


def mean_where_unsure(own: Tensor, other: Tensor) -> Tensor:
    """Average where both are half transparent only."""
    unsure = [(alpha > SURE) & (alpha < 1 - SURE) for alpha in (own, other)]
    return mean_of_both(own, other).where(unsure[0] & unsure[1], own)


FUSIONS: Mapping[str, Fusion] = {
    "mean": mean_of_both,
    "the surer": surer_of_both,
    "mean where both are unsure": mean_where_unsure,
}


def fused(alphas: Alphas, disparities: Pair, seen: Pair, fusion: Fusion) -> Alphas:
    """Return both eyes' alphas, fused where both see the same thing.

    Args:
        disparities: of each eye's pixels, [T, 1, H, W].
        seen: where both eyes see the same thing, [T, 1, H, W], bool.
    """
    left, right = (
        fusion(own, match_frames(other, disparity, eye)).where(both, own)
        for own, other, disparity, both, eye in zip(
            alphas, alphas[::-1], disparities, seen, EYES, strict=True
        )
    )
    return left, right


def true_matches(clip: StereoClip) -> tuple[Pair, Pair]:
    """Return each eye's true disparity, and where both see the same thing."""
    left, right = (eye.disparity for eye in clip.eyes)
    seen = [
        torch.stack([seen_by_both(own, other, eye) for own, other in zip(*both, strict=True)])
        for both, eye in zip(((left, right), (right, left)), EYES, strict=True)
    ]
    return (left, right), (seen[0], seen[1])


def estimated_matches(clip: StereoClip, ratio: float) -> tuple[Pair, Pair]:
    """Return what `true_matches` does, as the small copies of the pictures tell it, by blocks."""
    small = [small_copy(eye.rgb.float() / MAX_GREY, ratio) for eye in clip.eyes]
    frames = [estimate_disparities(*both) for both in zip(*small, strict=True)]
    left, right = (torch.stack(maps) for maps in zip(*frames, strict=True))
    size = clip.eyes[0].rgb.shape[2:]
    maps, seen = [], []
    for own, other, eye in ((left, right, Eye.LEFT), (right, left, Eye.RIGHT)):
        agree = (match_frames(other, own, eye) - own).abs() < CONSISTENT_PX
        agree &= torch.stack([inside_other(disparity, eye) for disparity in own])
        seen.append(F.interpolate(agree.float(), size, mode="nearest") > 0)
        maps.append(F.interpolate(own, size, mode="nearest") / ratio)
    return (maps[0], maps[1]), (seen[0], seen[1])


def estimate_disparities(left: Tensor, right: Tensor) -> Pair:
    """Return the disparity of each eye's pixels, [1, h, w], where the blocks around differ least.

    Args:
        left, right: [3, h, w], float32, in [0, 1].
    """
    width = left.shape[2]
    largest = int(LARGEST_DISPARITY * width)
    # At the left eye's columns; what is outside the other picture costs as much as can be.
    costs = torch.full((1, largest + 1, left.shape[1], width), MOST_COST)
    for shift in range(largest + 1):
        difference = left[:, :, shift:] - right[:, :, : width - shift]
        costs[0, shift, :, shift:] = difference.abs().sum(0)
    at_right = torch.full_like(costs, MOST_COST)
    for shift in range(largest + 1):
        at_right[0, shift, :, : width - shift] = costs[0, shift, :, shift:]
    return _least(costs), _least(at_right)


def small_copy(values: Tensor, ratio: float) -> Tensor:
    """Return frames [T, C, H, W] at the size at which the network sees them."""
    if ratio == 1:
        return values
    size = [int(side * ratio) for side in values.shape[2:]]
    return F.interpolate(values, size, mode="bilinear", antialias=True)


def match_frames(values: Tensor, disparities: Tensor, eye: Eye) -> Tensor:
    """Return what `matched` does of each frame; all are [T, C, H, W]."""
    pairs = zip(values, disparities, strict=True)
    return torch.stack([matched(frame, disparity, eye) for frame, disparity in pairs])


def _least(costs: Tensor) -> Tensor:
    """Return where costs [1, S, h, w], averaged over blocks, are least: between the S steps."""
    around = F.avg_pool2d(costs, BLOCK_PX, 1, BLOCK_PX // 2, count_include_pad=False)[0]
    least, step = around.min(0, keepdim=True)
    before = around.gather(0, (step - 1).clamp(min=0))
    after = around.gather(0, (step + 1).clamp(max=len(around) - 1))
    # The least of the parabola through three costs.
    offset = (before - after) / (2 * (before + after - 2 * least)).clamp(min=1e-6)
    within = (step > 0) & (step < len(around) - 1)
    return step + offset.clamp(-0.5, 0.5) * within
