"""Pictures as the samples that a video or a file holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from matting.imaging.sample_format import SampleFormat

A = TypeVar("A")


@dataclass(frozen=True)
class Planes:
    """T pictures; uint8 for 8 bits, else uint16; on any device.

    Attributes:
        luma_or_rgb: luma [T, 1, H, W], or R, G, B [T, 3, H, W] where the coding has no luma.
        chroma: Cb, Cr [T, 2, h, w], of any strides; None: the pictures are grey or R'G'B'.
    """

    sample_format: SampleFormat
    luma_or_rgb: Tensor
    chroma: Tensor | None = None

    def __len__(self) -> int:
        return self.luma_or_rgb.shape[0]

    @property
    def height(self) -> int:
        return self.luma_or_rgb.shape[2]

    @property
    def width(self) -> int:
        return self.luma_or_rgb.shape[3]

    def to(self, device: torch.device) -> Planes:
        """The same on another device; all of it is there when this returns to the CPU."""
        ahead = device.type != "cpu"  # nothing would wait for a copy that comes from a card
        main = self.luma_or_rgb.to(device, non_blocking=ahead)
        chroma = self.chroma if self.chroma is None else self.chroma.to(device, non_blocking=ahead)
        return Planes(self.sample_format, main, chroma)

    def crop(self, width: int, height: int) -> Planes:
        """Their left upper part, in the same memory."""
        main = self.luma_or_rgb[..., :height, :width]
        if self.chroma is None:
            return Planes(self.sample_format, main)
        across, down = self.sample_format.chroma_size(width, height)
        return Planes(self.sample_format, main, self.chroma[..., :down, :across])

    def split(self, frames: int) -> list[Planes]:
        """The same in parts of at most `frames` pictures."""
        mains = self.luma_or_rgb.split(frames)
        chromas = [None] * len(mains) if self.chroma is None else self.chroma.split(frames)
        return [Planes(self.sample_format, m, c) for m, c in zip(mains, chromas, strict=True)]


def dtype_of(sample_format: SampleFormat) -> torch.dtype:
    """In which its samples are kept."""
    return torch.uint8 if sample_format.sample_bytes == 1 else torch.uint16


def same_samples(one: Planes, other: Planes) -> bool:
    """Whether pictures hold the same numbers, wherever and in whichever bits these lie."""
    pairs = [(one.luma_or_rgb, other.luma_or_rgb)]
    if one.chroma is not None and other.chroma is not None:
        pairs.append((one.chroma, other.chroma))
    return all(torch.equal(_numbers(a, one), _numbers(b, other)) for a, b in pairs)


def _numbers(samples: Tensor, planes: Planes) -> Tensor:
    return samples.cpu().to(torch.int32) >> planes.sample_format.lsb_padding


def joined(parts: Sequence[Planes]) -> Planes:
    """Pictures of one coding and size in one."""
    chromas = [part.chroma for part in parts if part.chroma is not None]
    chroma = _chained(chromas) if chromas else None
    return Planes(parts[0].sample_format, _chained([part.luma_or_rgb for part in parts]), chroma)


def movable(numbers: Tensor) -> Tensor:
    """The same memory in a type that every device can index and join; 16 bits get a sign."""
    return numbers.view(torch.int16) if numbers.dtype == torch.uint16 else numbers


def _chained(parts: Sequence[Tensor]) -> Tensor:
    if parts[0].stride(1) == 1 and parts[0].shape[1] > 1:  # interleaved they stay
        return _chained([part.permute(0, 2, 3, 1) for part in parts]).permute(0, 3, 1, 2)
    return torch.cat([movable(part) for part in parts]).view(parts[0].dtype)


@dataclass(frozen=True)
class Timed(Generic[A]):
    """Some frames at one of the steps, in parts, and the times of all of them."""

    parts: Sequence[A]
    pts: tuple[int, ...]
