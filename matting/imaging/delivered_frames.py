"""Frames with their alpha, as delivered formats take them: straight, and in code values.

Alpha is stored in 10 bits; every other depth gets the nearest code value, by whole numbers alone,
the same on every device.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.planes import Planes, dtype_of, signed_view
from matting.imaging.sample_format import SampleFormat, Size


class Axis(IntEnum):
    """The dimension of [T, C, H, W] along which two pictures are joined."""

    DOWN = 2
    RIGHT = 3


@dataclass(frozen=True)
class DeliveredFrames:
    """T frames for a writer, on the CPU.

    Attributes:
        colour: the foreground, not multiplied by alpha, or the composite where a format has no
            alpha; in the writer's own sample format. None: the writer takes alpha alone.
        alpha: [T, 1, H, W], uint16, 0..MAX_ALPHA. None: the format has none.
    """

    colour: Planes | None
    alpha: Tensor | None

    def __len__(self) -> int:
        return len(self.require_alpha()) if self.colour is None else len(self.colour)

    def require_colour(self) -> Planes:
        """Return the colour.

        Raises:
            ValueError: there is none.
        """
        if self.colour is None:
            raise ValueError("this format takes colour")
        return self.colour

    def require_alpha(self) -> Tensor:
        """Return the alpha.

        Raises:
            ValueError: there is none, or it is not of this depth.
        """
        if self.alpha is None or self.alpha.dtype != torch.uint16:
            raise ValueError("this format takes alpha of 10 bits in 16")
        return self.alpha


def quantise_alpha(alpha: Tensor, bits: int) -> Tensor:
    """Return alpha in the whole range of another depth.

    Args:
        alpha: [T, 1, H, W], uint16, 0..MAX_ALPHA, on any device.
        bits: 8 to 16.
    Returns:
        of the same shape, uint8 for 8 bits, else uint16: 0 is 0, MAX_ALPHA the largest code value.
    """
    target = SampleFormat(bits)
    return alpha if target.max_code_value == MAX_ALPHA else alpha_as_grey(alpha, target)


def alpha_as_grey(alpha: Tensor, target: SampleFormat) -> Tensor:
    """Return alpha as luma, or as one channel of R'G'B': 0 is black, and MAX_ALPHA white.

    Args:
        alpha: [T, 1, H, W], uint16, 0..MAX_ALPHA, on any device.
    Returns:
        of the same shape, in the target's type and padding.
    """
    zero, span = (int(value) for value in target.luma_code_range)
    codes = alpha.to(torch.int32).mul_(2 * span).add_(MAX_ALPHA)
    codes = codes.div_(2 * MAX_ALPHA, rounding_mode="floor").add_(zero)
    return codes.mul_(1 << target.lsb_padding).to(dtype_of(target))


def joined_size(size: Size, target: SampleFormat, axis: Axis) -> Size:
    """Return the size of what `join_alpha` makes of frames of a size."""
    columns, rows = target.subsampling
    if axis is Axis.DOWN:
        return Size(size.width, 2 * (size.height + -size.height % rows))
    return Size(2 * (size.width + -size.width % columns), size.height)


def join_alpha(frames: DeliveredFrames, axis: Axis) -> Planes:
    """Return pictures twice as high or wide: the colour, then alpha as grey below or beside it.

    Where chroma is shared and a side is odd, each half repeats its edge once.
    """
    colour = frames.require_colour()
    target = colour.sample_format
    grey = alpha_as_grey(frames.require_alpha(), target)
    if target.luma_coefficients is None:
        grey = grey.expand(-1, 3, -1, -1)
    step = target.subsampling[1 if axis is Axis.DOWN else 0]
    halves = [_whole_cells(half, axis, step) for half in (colour.luma_or_rgb, grey)]
    luma_or_rgb = _join(halves, axis)
    if colour.chroma is None:
        return Planes(target, luma_or_rgb)
    no_colour = colour.chroma.new_full((), int(target.chroma_code_range.zero) << target.lsb_padding)
    chroma = _join([colour.chroma, no_colour.expand_as(colour.chroma)], axis)
    return Planes(target, luma_or_rgb, chroma)


def _whole_cells(samples: Tensor, axis: Axis, step: int) -> Tensor:
    """Return planes [T, C, H, W] with their last line repeated up to a multiple of `step`."""
    lines = samples.shape[axis]
    missing = -lines % step
    return _join([samples, *[samples.narrow(axis, lines - 1, 1)] * missing], axis)


def _join(parts: list[Tensor], axis: Axis) -> Tensor:
    return torch.cat([signed_view(part) for part in parts], axis).view(parts[0].dtype)
