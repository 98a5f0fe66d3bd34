"""Frames as planes of samples, as a video or an image file holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from matting.imaging.sample_format import SampleFormat, Size

PartT = TypeVar("PartT")


@dataclass(frozen=True)
class Planes:
    """T frames of one size, as code values: uint8 for 8 bits, else uint16; on any device.

    Attributes:
        luma_or_rgb: luma [T, 1, H, W], or R', G', B' [T, 3, H, W] where the format has no luma.
        chroma: Cb, Cr [T, 2, h, w], of any strides; None: the frames are grey or R'G'B'.
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

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)

    @property
    def device(self) -> torch.device:
        return self.luma_or_rgb.device

    def to(self, device: torch.device) -> Planes:
        """Return the frames on another device; those that come to the CPU are complete there."""
        non_blocking = device.type != "cpu"  # nothing would wait for a copy that leaves a GPU
        luma_or_rgb = self.luma_or_rgb.to(device, non_blocking=non_blocking)
        if self.chroma is None:
            return Planes(self.sample_format, luma_or_rgb)
        chroma = self.chroma.to(device, non_blocking=non_blocking)
        return Planes(self.sample_format, luma_or_rgb, chroma)

    def crop(self, size: Size) -> Planes:
        """Return the top left part of that size, in the same memory."""
        luma_or_rgb = self.luma_or_rgb[..., : size.height, : size.width]
        if self.chroma is None:
            return Planes(self.sample_format, luma_or_rgb)
        width, height = self.sample_format.chroma_size(size)
        return Planes(self.sample_format, luma_or_rgb, self.chroma[..., :height, :width])

    def split(self, frames: int) -> list[Planes]:
        """Return the frames in parts of at most `frames`, in the same memory."""
        lumas = self.luma_or_rgb.split(frames)
        chromas = [None] * len(lumas) if self.chroma is None else self.chroma.split(frames)
        return [Planes(self.sample_format, y, c) for y, c in zip(lumas, chromas, strict=True)]

    def between(self, first: int, stop: int) -> Planes:
        """Return the frames from `first` up to, but not with, `stop`, in the same memory."""
        chroma = None if self.chroma is None else self.chroma[first:stop]
        return Planes(self.sample_format, self.luma_or_rgb[first:stop], chroma)

    def rows(self, rows: slice) -> Planes:
        """Return some rows of pixels, whole rows of chroma, in the same memory."""
        return self.window(0, rows.start, Size(self.width, rows.stop - rows.start))

    def window(self, left: int, top: int, size: Size) -> Planes:
        """Return a part of the frames, in the same memory where it is inside of them.

        Args:
            left, top: where it begins; whole chroma samples. Beyond the edges these are repeated.
        """
        luma_or_rgb = _window(self.luma_or_rgb, left, top, size)
        if self.chroma is None:
            return Planes(self.sample_format, luma_or_rgb)
        columns, rows = self.sample_format.subsampling
        chroma_size = self.sample_format.chroma_size(size)
        chroma = _window(self.chroma, left // columns, top // rows, chroma_size)
        return Planes(self.sample_format, luma_or_rgb, chroma)


def repeat(frame: Planes, frames: int) -> Planes:
    """Return one frame as several, in the same memory."""
    chroma = None if frame.chroma is None else frame.chroma.expand(frames, -1, -1, -1)
    luma_or_rgb = frame.luma_or_rgb.expand(frames, -1, -1, -1)
    return Planes(frame.sample_format, luma_or_rgb, chroma)


def dtype_of(sample_format: SampleFormat) -> torch.dtype:
    """Return the type that holds samples of that format."""
    return torch.uint8 if sample_format.sample_bytes == 1 else torch.uint16


def same_samples(one: Planes, other: Planes) -> bool:
    """Return whether frames hold the same code values, on whatever devices, however padded."""
    pairs = [(one.luma_or_rgb, other.luma_or_rgb)]
    if one.chroma is not None and other.chroma is not None:
        pairs.append((one.chroma, other.chroma))
    return all(torch.equal(_code_values(a, one), _code_values(b, other)) for a, b in pairs)


def _code_values(samples: Tensor, planes: Planes) -> Tensor:
    """Return samples as int32 without padding, on the CPU."""
    return samples.cpu().to(torch.int32) >> planes.sample_format.lsb_padding


def concatenate(parts: Sequence[Planes]) -> Planes:
    """Return the frames of all parts, which are of one format and size, in new memory."""
    chromas = [part.chroma for part in parts if part.chroma is not None]
    chroma = _concatenate(chromas) if chromas else None
    luma_or_rgb = _concatenate([part.luma_or_rgb for part in parts])
    return Planes(parts[0].sample_format, luma_or_rgb, chroma)


def signed_view(samples: Tensor) -> Tensor:
    """Return the same memory, uint16 as int16, which every device can index and concatenate."""
    return samples.view(torch.int16) if samples.dtype == torch.uint16 else samples


def _window(plane: Tensor, left: int, top: int, size: Size) -> Tensor:
    """Return a part of a plane [T, C, H, W]; beyond its edges, these are repeated."""
    for dim, begin, length in ((2, top, size.height), (3, left, size.width)):
        if begin >= 0 and begin + length <= plane.shape[dim]:
            plane = plane.narrow(dim, begin, length)
        else:
            index = torch.arange(begin, begin + length, device=plane.device)
            index.clamp_(0, plane.shape[dim] - 1)
            plane = signed_view(plane).index_select(dim, index).view(plane.dtype)
    return plane


def _concatenate(planes: Sequence[Tensor]) -> Tensor:
    """Return planes [t, C, h, w] as one [T, C, h, w]; those that are interleaved stay so."""
    if planes[0].stride(1) == 1 and planes[0].shape[1] > 1:
        return _concatenate([plane.permute(0, 2, 3, 1) for plane in planes]).permute(0, 3, 1, 2)
    return torch.cat([signed_view(plane) for plane in planes]).view(planes[0].dtype)


@dataclass(frozen=True)
class TimedBatch(Generic[PartT]):
    """Consecutive frames on their way through the pipeline.

    Attributes:
        parts: the frames at one of its steps, in parts where memory was short.
        pts: the times of all of them, in ticks of the source's time base.
    """

    parts: Sequence[PartT]
    pts: tuple[int, ...]
