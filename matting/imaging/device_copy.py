"""Pictures between the processor and a graphics card, beside the work on both.

Copies go through pinned memory, each direction on a stream of its own. The thread that asks for a
copy waits for it; the stream that computes does not, for the work of other threads would wait, too.
Torch's allocators know of both memories: neither is given away again before the copies have ended.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from matting.imaging.planes import Planes, signed_view

TO_CARD, TO_HOST = "to the card", "to the host"


def to_device(planes: Planes, device: torch.device) -> Planes:
    """The same on `device`, all of it there; on the CPU the planes themselves."""
    if device.type == "cpu" or planes.luma_or_rgb.is_cuda:
        return planes.to(device)
    staged = [None if t is None else _pinned_copy(t) for t in (planes.luma_or_rgb, planes.chroma)]
    using, copying = torch.cuda.current_stream(device), _stream(device, TO_CARD)
    with torch.cuda.stream(copying):
        main, chroma = (None if t is None else t.to(device, non_blocking=True) for t in staged)
    _wait_for(copying)
    for tensor in (main, chroma):
        if tensor is not None:
            tensor.record_stream(using)
    if main is None:
        raise ValueError("no picture")
    return Planes(planes.sample_format, main, chroma)


def to_host(planes: Planes) -> Planes:
    """The same on the CPU, all of it there; other work on the card goes on meanwhile."""
    device = planes.luma_or_rgb.device
    if device.type == "cpu":
        return planes
    using, copying = torch.cuda.current_stream(device), _stream(device, TO_HOST)
    copying.wait_stream(using)
    with torch.cuda.stream(copying):
        main = _host_copy(planes.luma_or_rgb)
        chroma = None if planes.chroma is None else _host_copy(planes.chroma)
    for tensor in (planes.luma_or_rgb, planes.chroma):
        if tensor is not None:
            tensor.record_stream(copying)
    _wait_for(copying)
    return Planes(planes.sample_format, main, chroma)


def pinned(like: Tensor) -> Tensor | None:
    """Memory like that, which a card can copy by itself; None: no such is left."""
    try:
        return torch.empty_like(like, device="cpu", pin_memory=True)
    except RuntimeError:  # the system gives no more of it, or there is no card
        return None


def _pinned_copy(tensor: Tensor) -> Tensor:
    target = pinned(tensor)
    return tensor if target is None else _filled(target, tensor)


def _host_copy(tensor: Tensor) -> Tensor:
    target = pinned(tensor)
    return tensor.cpu() if target is None else _filled(target, tensor)


def _filled(target: Tensor, source: Tensor) -> Tensor:
    signed_view(target).copy_(signed_view(source), non_blocking=True)
    return target


@cache
def _stream(device: torch.device, _direction: str) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)


def _wait_for(stream: torch.cuda.Stream) -> None:
    """Waits for what was given to a stream so far, without keeping a core busy."""
    done = torch.cuda.Event(blocking=True)
    done.record(stream)
    done.synchronize()
