"""What torch has for each kind of device: the one door to `torch.cuda`, `torch.xpu`, `torch.mps`.

What only NVIDIA's GPUs have, streams and pinned memory for full-size frames among it, is used
where the frames are on one (`frames_device`), by `imaging` and `media`, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from types import ModuleType

import torch

from matting.system.device_kinds import DeviceKind
from matting.system.nvidia_smi import Gpu

CPU = torch.device("cpu")
# By torch's names for them; AMD's are as NVIDIA's.
KINDS = {kind.type: kind for kind in DeviceKind if kind is not DeviceKind.AMD}
# Torch's MPS backend crashes when threads use it at the same time (pytorch/pytorch, 197805).
_mps_lock = RLock()


def kind_of(device: torch.device) -> DeviceKind:
    """Return what a device is.

    Raises:
        ValueError: it is of no kind that the program knows.
    """
    kind = KINDS.get(device.type)
    if kind is None:
        raise ValueError(f"a device of an unknown kind: {device}")
    is_amd = kind is DeviceKind.NVIDIA and bool(getattr(torch.version, "hip", None))
    return DeviceKind.AMD if is_amd else kind


def frames_device(device: torch.device) -> torch.device:
    """Return where full-size frames are worked on while the network runs on a device.

    They are on the processor unless the device is NVIDIA's: so nothing is asked of others but the
    network, none of them needs 16-bit whole numbers and 64-bit floats, which they lack, and all
    that is made of a matte is the same there, bit for bit.
    """
    return device if kind_of(device) is DeviceKind.NVIDIA else CPU


def count(kind: DeviceKind) -> int:
    """Return how many devices of a kind torch can use."""
    if kind is DeviceKind.APPLE:
        return int(torch.backends.mps.is_available())
    if kind is DeviceKind.INTEL:
        return torch.xpu.device_count() if torch.xpu.is_available() else 0
    if kind is DeviceKind.CPU:
        return 1
    own = kind is kind_of(torch.device("cuda"))
    return torch.cuda.device_count() if own and torch.cuda.is_available() else 0


def facts(device: torch.device) -> Gpu:
    """Return the name, the memory and the capability of a GPU, as far as torch knows them.

    Raises:
        RuntimeError: it cannot be used.
    """
    kind = kind_of(device)
    if kind is DeviceKind.APPLE:
        name = getattr(
            torch.backends.mps, "get_name", lambda: "Apple GPU"
        )()  # older ones have none
        return Gpu(name, torch.mps.recommended_max_memory())
    properties = _module(device).get_device_properties(device)
    is_nvidia = kind is DeviceKind.NVIDIA
    capability = (properties.major, properties.minor) if is_nvidia else None
    return Gpu(properties.name, properties.total_memory, capability)


def driver_of(device: torch.device) -> str:
    """Return what is known of the version of a GPU's driver without any other program."""
    kind = kind_of(device)
    if kind is DeviceKind.INTEL:
        return str(torch.xpu.get_device_properties(device).driver_version)
    if kind is DeviceKind.AMD:
        return f"HIP {torch.version.hip}"
    return ""


def use(device: torch.device) -> None:
    """Make a GPU the one that the calling thread uses."""
    if kind_of(device) not in {DeviceKind.CPU, DeviceKind.APPLE}:  # a Mac has one
        _module(device).set_device(device)


def memory(device: torch.device) -> tuple[int, int] | None:
    """Return how many bytes of a GPU's memory all processes use, and its size.

    Returns:
        None for the processor, and where it cannot be told. Of Apple's, only what torch uses.
    """
    kind = kind_of(device)
    if kind is DeviceKind.CPU:
        return None
    if kind is DeviceKind.APPLE:
        return torch.mps.driver_allocated_memory(), torch.mps.recommended_max_memory()
    try:
        free, total = _module(device).mem_get_info(device)
    except RuntimeError:  # Intel's drivers do not always say
        if kind is DeviceKind.INTEL:
            return None
        raise
    return total - free, total


def free_bytes(device: torch.device) -> int | None:
    """Return how much of a GPU's memory this process can still use; None: it cannot be told."""
    known = memory(device)
    if known is None:
        return None
    used, total = known
    if kind_of(device) is DeviceKind.APPLE:
        return max(0, total - torch.mps.current_allocated_memory())
    own = _module(device)
    return int(total - used + own.memory_reserved(device) - own.memory_allocated(device))


def release_memory(device: torch.device) -> None:
    """Return to a GPU what torch has cached for later."""
    if kind_of(device) is not DeviceKind.CPU:
        _module(device).empty_cache()


@contextmanager
def alone_on(device: torch.device) -> Iterator[None]:
    """Keep other threads off a device that only one may use at a time."""
    if kind_of(device) is DeviceKind.APPLE:
        with _mps_lock:
            yield
    else:
        yield


def _module(device: torch.device) -> ModuleType:
    """Return torch's module for a GPU."""
    kind = kind_of(device)
    if kind is DeviceKind.APPLE:
        return torch.mps
    return torch.xpu if kind is DeviceKind.INTEL else torch.cuda
