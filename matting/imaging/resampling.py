"""Values between samples: chroma brought to the pixels, pixels to chroma, planes to other sizes.

Pure tensor functions; all interpolation is linear, and beyond a picture's edge the edge goes on.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.planes import signed_view
from matting.imaging.sample_format import SampleFormat


def downsample_chroma(values: Tensor, target: SampleFormat) -> Tensor:
    """The mean around each of `target`'s chroma samples.

    Args:
        values: [T, C, n, W] of the pixels, with half a step more of rows at both ends where
            rows are shared.
    """
    columns, rows = target.subsampling
    if rows > 1:
        values = _mean(values, 2, rows, target.siting[1])
    if columns == 1:
        return values
    odd = -values.shape[3] % columns
    more = columns // 2
    values = F.pad(values, (more, more + odd, 0, 0), mode="replicate")
    return _mean(values, 3, columns, target.siting[0])


def sample_at_chroma(values: Tensor, target: SampleFormat) -> Tensor:
    """`values` [T, C, n, W] of the pixels at the places of `target`'s chroma samples.

    For what changes slowly, such as the network's small results at full size.
    """
    for dim, step, siting in (
        (2, target.subsampling[1], target.siting[1]),
        (3, target.subsampling[0], target.siting[0]),
    ):
        missing = -values.shape[dim] % step
        if missing:
            edge = values.narrow(dim, values.shape[dim] - 1, 1)
            values = torch.cat([values, *[edge] * missing], dim)
        low = math.floor(siting)
        place = values[_every(dim, low, step)]
        if siting > low:
            place = torch.lerp(place, values[_every(dim, low + 1, step)], siting - low)
        values = place
    return values


def upsample(lines: Tensor, step: int, siting: float) -> Tensor:
    """Lines [.., w] of samples that `step` pixels share, brought to the pixels, [.., w * step]."""
    width = lines.shape[3]
    padded = F.pad(lines, (1, 1, 0, 0), mode="replicate")
    pixels = lines.new_empty((*lines.shape[:3], width * step))
    for phase in range(step):
        place = (phase - siting) / step
        left = 1 + math.floor(place)
        before, after = (padded[..., at : at + width] for at in (left, left + 1))
        weight = place - math.floor(place)
        pixels[..., phase::step] = torch.lerp(before, after, weight) if weight else before
    return pixels


def upsample_rows(lines: Tensor, step: int, siting: float) -> Tensor:
    """The same downwards; `lines` [.., h + 2, w] have one more at each end: [.., h * step, w]."""
    height = lines.shape[2] - 2
    pixels = lines.new_empty((*lines.shape[:2], height * step, lines.shape[3]))
    for phase in range(step):
        place = (phase - siting) / step
        above = 1 + math.floor(place)
        before, after = (lines[:, :, at : at + height] for at in (above, above + 1))
        weight = place - math.floor(place)
        torch.lerp(before, after, weight, out=pixels[:, :, phase::step])
    return pixels


def sampled(plane: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """A plane at rows and columns between its own, bilinear, float32."""
    lines = rows_at(plane, rows)
    columns = columns.clamp(0, plane.shape[3] - 1)
    left = columns.long()
    right = (left + 1).clamp_(max=plane.shape[3] - 1)
    # Several times as fast on the CPU as to index.
    before, after = (lines.gather(3, at.expand(*lines.shape[:3], -1)) for at in (left, right))
    return torch.lerp(before, after, columns - left)


def rows_at(plane: Tensor, places: Tensor) -> Tensor:
    """A plane's rows at places between them, linear; beyond its edge they repeat it."""
    places = places.clamp(0, plane.shape[2] - 1)
    above = places.long()
    below = (above + 1).clamp_(max=plane.shape[2] - 1)
    weight = (places - above).view(-1, 1)
    return torch.lerp(_lines(plane, above).float(), _lines(plane, below).float(), weight)


def clamped_rows(plane: Tensor, rows: slice) -> Tensor:
    """Rows of a plane; those outside repeat its edge."""
    height = plane.shape[2]
    if rows.start >= 0 and rows.stop <= height:
        return plane[:, :, rows]
    index = torch.arange(rows.start, rows.stop, device=plane.device).clamp_(0, height - 1)
    return _lines(plane, index)


def _lines(plane: Tensor, index: Tensor) -> Tensor:
    return signed_view(plane).index_select(2, index).view(plane.dtype)


def box_weights(step: int, siting: float) -> dict[int, float]:
    """The pixels within half a step of a chroma sample, from its cell's first: each one's share."""
    found = {}
    for pixel in range(-(step // 2), step + step // 2):
        low, high = max(pixel - 0.5, siting - step / 2), min(pixel + 0.5, siting + step / 2)
        if high > low:
            found[pixel] = (high - low) / step
    return found


def _every(dim: int, start: int, step: int) -> tuple[slice, ...]:
    return (slice(None),) * dim + (slice(start, None, step),)


def _mean(values: Tensor, dim: int, step: int, siting: float) -> Tensor:
    """The mean over `step` pixels around each place; `values` has half a step more at each end."""
    more = step // 2
    count = (values.shape[dim] - 2 * more) // step
    total: Tensor | None = None
    for k, weight in box_weights(step, siting).items():
        share = values[_every(dim, k + more, step)].narrow(dim, 0, count)
        total = share * weight if total is None else total.add_(share, alpha=weight)
    if total is None:
        raise ValueError(f"no pixel near {siting}")
    return total
