"""Mattes and sources whose outputs are known well enough to compare two ways of making them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from matting.imaging.compositor import Matte
from matting.imaging.planes import Planes, dtype_of
from matting.imaging.sample_format import SampleFormat, Size
from tests.support.frames import random_code_values


def random_source(
    sample_format: SampleFormat,
    frames: int,
    size: Size,
    *,
    grey: bool = False,
    whole_range: bool = False,
) -> Planes:
    """Return noise in any format, padded and interleaved as it asks.

    Args:
        grey: without chroma.
        whole_range: of all code values; else a foreground beside them is within the range too.
    """
    channels = 1 if grey or sample_format.luma_coefficients else 3
    luma_or_rgb = _noise(sample_format, whole_range, frames, channels, size.height, size.width)
    if grey or sample_format.luma_coefficients is None:
        return Planes(sample_format, luma_or_rgb)
    width, height = sample_format.chroma_size(size)
    if not sample_format.semi_planar:
        return Planes(
            sample_format, luma_or_rgb, _noise(sample_format, whole_range, frames, 2, height, width)
        )
    interleaved = _noise(sample_format, whole_range, frames, height, width, 2)
    return Planes(sample_format, luma_or_rgb, interleaved.permute(0, 3, 1, 2))


def smooth_source(sample_format: SampleFormat, frames: int, size: Size) -> Planes:
    """Return slow waves in a planar format, in the middle of its range."""

    def waves(channels: int, of: Size, height: float) -> Tensor:
        rows, columns = torch.meshgrid(
            torch.linspace(0, 4, of.height), torch.linspace(0, 6, of.width), indexing="ij"
        )
        phases = torch.arange(frames * channels).view(frames, channels, 1, 1)
        levels = 0.5 + height * torch.sin(rows + columns + phases)
        code_values = (levels * sample_format.max_code_value).to(torch.int32)
        return (code_values << sample_format.lsb_padding).to(dtype_of(sample_format))

    if sample_format.luma_coefficients is None:
        return Planes(sample_format, waves(3, size, 0.3))
    chroma = sample_format.chroma_size(size)
    return Planes(sample_format, waves(1, size, 0.2), waves(2, chroma, 0.1))


def soft_edged(source: Planes, change: float = 0.2, colourless: bool = False) -> Matte:
    """Return a matte with a soft disc, in whose edge alone the foreground is not the source.

    Args:
        change: the foreground less the source at most, of R'G'B' in [0, 1].
        colourless: change R', G' and B' alike.
    """
    width, height = source.size
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    distance = torch.hypot(rows - 0.4 * height, columns - 0.4 * width)
    # From 1 to 0 without a kink, over half of the width.
    way = ((distance / width - 0.05) / 0.5).clamp(0, 1)
    alpha = 0.5 + 0.5 * torch.cos(way * math.pi)
    most = 4 * change * alpha * (1 - alpha)
    signs = (1, 1, 1) if colourless else (1, -0.5, 0.7)
    offset = torch.stack([*(sign * most for sign in signs), alpha])
    offset = offset.expand(len(source), -1, -1, -1).contiguous()
    return Matte(source, torch.zeros_like(offset), offset)


def _noise(sample_format: SampleFormat, whole_range: bool, *shape: int) -> Tensor:
    if whole_range:
        values = random_code_values(*shape, bits=sample_format.bits).to(torch.int32)
    else:
        values = random_code_values(*shape, bits=sample_format.bits - 1).to(torch.int32)
        values += 1 << (sample_format.bits - 2)
    return (values << sample_format.lsb_padding).to(dtype_of(sample_format))
