"""Frames copied between the CPU and a GPU, beside the work on both.

Copies go through pinned memory, each direction on a stream of its own. The thread that asks for a
copy waits for it; the compute stream does not, since the work of other threads would wait with it.
Torch's allocators track both sides: neither memory is reused before the copies have finished.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import cache

import torch
from torch import Tensor

from matting.imaging.planes import Planes, signed_view


class Direction(Enum):
    """Where a copy goes."""

    TO_DEVICE = auto()
    TO_HOST = auto()


def to_device(planes: Planes, device: torch.device) -> Planes:
    """Return the frames on `device`, complete; on the CPU the planes themselves."""
    if device.type == "cpu" or planes.luma_or_rgb.is_cuda:
        return planes.to(device)
    host_luma = _pin(planes.luma_or_rgb)
    host_chroma = None if planes.chroma is None else _pin(planes.chroma)
    computing, copying = torch.cuda.current_stream(device), _stream(device, Direction.TO_DEVICE)
    with torch.cuda.stream(copying):
        luma_or_rgb = host_luma.to(device, non_blocking=True)
        chroma = None if host_chroma is None else host_chroma.to(device, non_blocking=True)
    _wait_for(copying)
    for tensor in (luma_or_rgb, chroma):
        if tensor is not None:
            tensor.record_stream(computing)
    return Planes(planes.sample_format, luma_or_rgb, chroma)


def to_host(planes: Planes) -> Planes:
    """Return the frames on the CPU, complete; other work on the GPU goes on meanwhile."""
    device = planes.device
    if device.type == "cpu":
        return planes
    computing, copying = torch.cuda.current_stream(device), _stream(device, Direction.TO_HOST)
    copying.wait_stream(computing)
    with torch.cuda.stream(copying):
        luma_or_rgb = _copy_to_host(planes.luma_or_rgb)
        chroma = None if planes.chroma is None else _copy_to_host(planes.chroma)
    for tensor in (planes.luma_or_rgb, planes.chroma):
        if tensor is not None:
            tensor.record_stream(copying)
    _wait_for(copying)
    return Planes(planes.sample_format, luma_or_rgb, chroma)


def allocate_pinned(like: Tensor) -> Tensor | None:
    """Return host memory for a tensor, which a GPU can copy by itself; None: there is none left."""
    try:
        return torch.empty_like(like, device="cpu", pin_memory=True)
    except RuntimeError:  # the system gives no more of it, or there is no GPU
        return None


def _pin(tensor: Tensor) -> Tensor:
    pinned = allocate_pinned(tensor)
    return tensor if pinned is None else _copy_async(tensor, pinned)


def _copy_to_host(tensor: Tensor) -> Tensor:
    pinned = allocate_pinned(tensor)
    return tensor.cpu() if pinned is None else _copy_async(tensor, pinned)


def _copy_async(source: Tensor, target: Tensor) -> Tensor:
    signed_view(target).copy_(signed_view(source), non_blocking=True)
    return target


@cache
def _stream(device: torch.device, _direction: Direction) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)


def _wait_for(stream: torch.cuda.Stream) -> None:
    """Wait for what a stream has been given so far, without keeping a core busy."""
    done = torch.cuda.Event(blocking=True)
    done.record(stream)
    done.synchronize()
