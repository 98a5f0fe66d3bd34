"""Values between samples: chroma at the pixels, pixels at the chroma sites, planes at other sizes.

Pure tensor functions on planes [T, C, H, W] of any device. All interpolation is linear, and beyond
a plane's edge the edge is repeated. Where a chroma sample lies is its siting: how far right of and
below the first of the pixels that share it (ITU-T H.273, chroma sample location type).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.planes import signed_view
from matting.imaging.sample_format import SampleFormat


def average_at_chroma_sites(pixels: Tensor, target: SampleFormat) -> Tensor:
    """Return the mean over the pixels around each of `target`'s chroma sites.

    Args:
        pixels: [T, C, n, W], float32; where s rows share a chroma sample, with a halo of s // 2
            more rows at both ends.
    Returns:
        [T, C, n', w], float32.
    """
    columns, rows = target.subsampling
    if rows > 1:
        pixels = _box_mean(pixels, 2, rows, target.siting[1])
    if columns == 1:
        return pixels
    missing = -pixels.shape[3] % columns
    halo = columns // 2
    pixels = F.pad(pixels, (halo, halo + missing, 0, 0), mode="replicate")
    return _box_mean(pixels, 3, columns, target.siting[0])


def sample_at_chroma_sites(pixels: Tensor, target: SampleFormat) -> Tensor:
    """Return the values at `target`'s chroma sites, interpolated between neighbouring pixels.

    For what changes slowly, such as the network's small maps brought to full size.

    Args:
        pixels: [T, C, n, W], float32.
    Returns:
        [T, C, n', w], float32.
    """
    for dim, step, siting in (
        (2, target.subsampling[1], target.siting[1]),
        (3, target.subsampling[0], target.siting[0]),
    ):
        missing = -pixels.shape[dim] % step
        if missing:
            edge = pixels.narrow(dim, pixels.shape[dim] - 1, 1)
            pixels = torch.cat([pixels, *[edge] * missing], dim)
        first = math.floor(siting)
        samples = pixels[_every(dim, first, step)]
        if siting > first:
            samples = torch.lerp(samples, pixels[_every(dim, first + 1, step)], siting - first)
        pixels = samples
    return pixels


def upsample_columns(samples: Tensor, step: int, siting: float) -> Tensor:
    """Return samples [.., w], shared by `step` columns each, at the pixels: [.., w * step]."""
    width = samples.shape[3]
    padded = F.pad(samples, (1, 1, 0, 0), mode="replicate")
    pixels = samples.new_empty((*samples.shape[:3], width * step))
    for phase in range(step):
        position = (phase - siting) / step
        left = 1 + math.floor(position)
        before, after = (padded[..., first : first + width] for first in (left, left + 1))
        weight = position - math.floor(position)
        pixels[..., phase::step] = torch.lerp(before, after, weight) if weight else before
    return pixels


def upsample_rows(samples: Tensor, step: int, siting: float) -> Tensor:
    """Return samples, each shared by `step` rows, at the pixels: [.., h * step, w].

    Args:
        samples: [.., h + 2, w], float32: with one more row at each end.
    """
    height = samples.shape[2] - 2
    pixels = samples.new_empty((*samples.shape[:2], height * step, samples.shape[3]))
    for phase in range(step):
        position = (phase - siting) / step
        above = 1 + math.floor(position)
        before, after = (samples[:, :, first : first + height] for first in (above, above + 1))
        weight = position - math.floor(position)
        torch.lerp(before, after, weight, out=pixels[:, :, phase::step])
    return pixels


def sample_bilinear(plane: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return a plane at positions between its samples, [T, C, n, m], float32.

    Args:
        plane: [T, C, H, W], of any type.
        rows, columns: [n] and [m], float32, in samples; the result is their grid.
    """
    lines = interpolate_rows(plane, rows)
    columns = columns.clamp(0, plane.shape[3] - 1)
    left = columns.long()
    right = (left + 1).clamp_(max=plane.shape[3] - 1)
    # Several times as fast on the CPU as indexing.
    before, after = (lines.gather(3, index.expand(*lines.shape[:3], -1)) for index in (left, right))
    return torch.lerp(before, after, columns - left)


def interpolate_rows(plane: Tensor, rows: Tensor) -> Tensor:
    """Return a plane at positions between its rows, [T, C, n, W], float32.

    Args:
        plane: [T, C, H, W], of any type.
        rows: [n], float32, in samples.
    """
    rows = rows.clamp(0, plane.shape[2] - 1)
    above = rows.long()
    below = (above + 1).clamp_(max=plane.shape[2] - 1)
    weight = (rows - above).view(-1, 1)
    return torch.lerp(
        _select_rows(plane, above).float(), _select_rows(plane, below).float(), weight
    )


def clamped_rows(plane: Tensor, rows: slice) -> Tensor:
    """Return rows of a plane [T, C, H, W]; those outside it repeat its edge."""
    height = plane.shape[2]
    if rows.start >= 0 and rows.stop <= height:
        return plane[:, :, rows]
    index = torch.arange(rows.start, rows.stop, device=plane.device).clamp_(0, height - 1)
    return _select_rows(plane, index)


def _select_rows(plane: Tensor, index: Tensor) -> Tensor:
    return signed_view(plane).index_select(2, index).view(plane.dtype)


def box_weights(step: int, siting: float) -> dict[int, float]:
    """Return the weight of each pixel, counted from the first one, in a chroma sample's mean.

    The box is `step` pixels wide and has the sample in its middle.
    """
    weights = {}
    for pixel in range(-(step // 2), step + step // 2):
        low, high = max(pixel - 0.5, siting - step / 2), min(pixel + 0.5, siting + step / 2)
        if high > low:
            weights[pixel] = (high - low) / step
    return weights


def _every(dim: int, start: int, step: int) -> tuple[slice, ...]:
    """Return an index of every `step`th element of a dimension."""
    return (slice(None),) * dim + (slice(start, None, step),)


def _box_mean(pixels: Tensor, dim: int, step: int, siting: float) -> Tensor:
    """Return the mean around each site; `pixels` has step // 2 more at both ends of `dim`."""
    halo = step // 2
    count = (pixels.shape[dim] - 2 * halo) // step
    total: Tensor | None = None
    for pixel, weight in box_weights(step, siting).items():
        values = pixels[_every(dim, pixel + halo, step)].narrow(dim, 0, count)
        total = values * weight if total is None else total.add_(values, alpha=weight)
    if total is None:
        raise ValueError(f"no pixel near a siting of {siting}")
    return total
