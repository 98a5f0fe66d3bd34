"""Parts of frames that were computed by themselves, to be put over what was computed of the whole.

At its edges a crop counts for nothing, and further inside more and more, so that none can be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from matting.imaging.matte_planes import MattePlanes, alpha_at_chroma_sites, is_soft
from matting.imaging.planes import signed_view
from matting.imaging.sample_format import Size

WHOLE_SHARE = 8  # of a crop that counts fully
WEIGHT_BITS = 8


class Frames(Protocol):
    """Consecutive frames, at one of their steps."""

    def between(self: F, first: int, stop: int) -> F: ...


F = TypeVar("F")
C = TypeVar("C", bound=Frames)
D = TypeVar("D", bound=Frames)


@dataclass(frozen=True)
class Crop(Generic[C]):
    """The same window of some consecutive frames.

    Attributes:
        first: the number of the first of them, among the frames that it is of.
        left, top: where it is, in pixels of the frame; it may reach beyond the frame's edges.
        ramp_px: how far from its edges it counts less, where they are not the frame's.
        shares: how much it counts in each of its frames, 0..WHOLE_SHARE.
        content: what was made of it.
    """

    first: int
    left: int
    top: int
    ramp_px: int
    shares: tuple[int, ...]
    content: C

    def made_into(self, make: Callable[[C], D]) -> Crop[D]:
        """Return the same crop of what `make` makes of its content."""
        place = self.first, self.left, self.top, self.ramp_px, self.shares
        return Crop(*place, make(self.content))


def split_crops(crops: Sequence[Crop[C]], lengths: Sequence[int]) -> list[tuple[Crop[C], ...]]:
    """Return the crops of each part, where the frames are split.

    Args:
        lengths: of the parts.
    """
    parts, start = [], 0
    for length in lengths:
        stop = start + length
        parts.append(tuple(part for crop in crops for part in _between(crop, start, stop)))
        start = stop
    return parts


def blend_crop(whole: MattePlanes, part: MattePlanes, crop: Crop[C]) -> None:
    """Blend what is stored of a crop into what is stored of its frames, in place.

    Whole numbers only, which every device rounds alike.

    Args:
        whole: in memory of its own; its frames are those from the crop's first on.
        part: as large as the crop, on the same device.
    """
    frame, size = whole.size, part.size
    columns = slice(max(0, crop.left), min(frame.width, crop.left + size.width))
    rows = slice(max(0, crop.top), min(frame.height, crop.top + size.height))
    own_columns = slice(columns.start - crop.left, columns.stop - crop.left)
    own_rows = slice(rows.start - crop.top, rows.stop - crop.top)
    weights = _weights(crop, size, frame, whole)[..., own_rows, own_columns]
    alpha = _blend(
        signed_view(whole.alpha)[..., rows, columns],
        signed_view(part.alpha)[..., own_rows, own_columns],
        weights,
    )
    _blend(
        whole.luma_or_rgb[..., rows, columns],
        part.luma_or_rgb[..., own_rows, own_columns],
        weights,
    ).mul_(is_soft(alpha))
    if whole.chroma is None or part.chroma is None:
        return
    step_x, step_y = whole.sample_format.subsampling
    at_sites = alpha_at_chroma_sites(alpha.float(), whole.sample_format)
    _blend(
        whole.chroma[..., _shared(rows, step_y), _shared(columns, step_x)],
        part.chroma[..., _shared(own_rows, step_y), _shared(own_columns, step_x)],
        weights[..., ::step_y, ::step_x],
    ).mul_(is_soft(at_sites))


def _blend(whole: Tensor, part: Tensor, weights: Tensor) -> Tensor:
    """Blend `part` into `whole`, in place, by weights of 0 to 2**WEIGHT_BITS; return `whole`."""
    change = (part.to(torch.int32) - whole.to(torch.int32)).mul_(weights)
    change.add_(1 << (WEIGHT_BITS - 1)).bitwise_right_shift_(WEIGHT_BITS)
    return whole.copy_(change.add_(whole))


def _weights(crop: Crop[C], size: Size, frame: Size, whole: MattePlanes) -> Tensor:
    """Return the weights of a crop's pixels, [T, 1, h, w], int32; equal where chroma is shared."""
    step_x, step_y = whole.sample_format.subsampling
    device = whole.device
    across = _ramp((crop.left, size.width, frame.width), crop.ramp_px, step_x, device)
    down = _ramp((crop.top, size.height, frame.height), crop.ramp_px, step_y, device)
    shares = torch.tensor(crop.shares, dtype=torch.int32, device=device).view(-1, 1, 1, 1)
    return (torch.minimum(across, down[:, None]) * shares).floor_divide_(WHOLE_SHARE)


def _ramp(side: tuple[int, int, int], ramp_px: int, step: int, device: torch.device) -> Tensor:
    """Return the weights along a side, int32; where it is the frame's edge, there is no ramp.

    Args:
        side: where it begins, how long it is, and how long the frame's is.
        step: how many pixels share a weight.
    """
    begin, length, frame = side
    pixels = torch.arange(length, dtype=torch.int32, device=device).floor_divide_(step).mul_(step)
    full = torch.full_like(pixels, ramp_px)
    near = pixels if begin > 0 else full
    far = pixels.flip(0) if begin + length < frame else full
    weights = torch.minimum(near, far).clamp_(max=ramp_px) * (1 << WEIGHT_BITS)
    return weights.floor_divide_(ramp_px)


def _shared(pixels: slice, step: int) -> slice:
    return slice(pixels.start // step, -(-pixels.stop // step))


def _between(crop: Crop[C], start: int, stop: int) -> list[Crop[C]]:
    """Return what of a crop belongs to the frames from `start` up to `stop`, if anything does."""
    first, last = max(start, crop.first), min(stop, crop.first + len(crop.shares))
    if first >= last:
        return []
    skipped, frames = first - crop.first, last - first
    content = crop.content.between(skipped, skipped + frames)
    shares = crop.shares[skipped : skipped + frames]
    return [replace(crop, first=first - start, shares=shares, content=content)]
