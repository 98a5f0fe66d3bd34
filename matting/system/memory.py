"""Memory: what a device refuses or has left, work in smaller parts, and keeping what is freed."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

import torch

from matting.errors import MachineError, OutOfMemoryError

# How torch words it when the processor's allocator, cuBLAS or cuDNN finds no memory, or breaks.
NO_MEMORY = ("can't allocate memory", "not enough memory", "ALLOC_FAILED")
BROKEN = ("CUDA error", "CUBLAS_STATUS", "CUDNN_STATUS", "cuDNN error")
# Of malloc.h, glibc's.
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
KEPT_BYTES, KEPT_BLOCK_BYTES = 1 << 30, 1 << 25

A = TypeVar("A")
F = TypeVar("F", bound="Frames")


class Frames(Protocol):
    """Some frames that can be worked on in parts."""

    def __len__(self) -> int: ...

    def split(self: F, frames: int) -> Sequence[F]: ...


def keep_freed_memory() -> None:
    """Has the C library keep what is freed for what is allocated next, in this process.

    Otherwise glibc gives the memory of every large tensor back to the system, which clears each
    page again for the next one: a fifth of the network's time on the CPU. Other C libraries
    keep it by themselves, or cannot be told.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        # Every further thread's own arena gives back what is larger than its small heaps.
        library.mallopt(ARENA_MAX, 1)
        library.mallopt(MMAP_THRESHOLD, KEPT_BLOCK_BYTES)
        library.mallopt(TRIM_THRESHOLD, KEPT_BYTES)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turns what a device refuses in the block into plain words.

    Raises:
        OutOfMemoryError: there is too little of it.
        MachineError: the graphics card broke off; nothing works on it any more in this process.
    """
    try:
        yield
    except MemoryError as error:
        raise _out_of_memory() from error
    except RuntimeError as error:  # torch's own errors derive from it, not all by a name
        words = str(error)
        if isinstance(error, torch.OutOfMemoryError) or any(sign in words for sign in NO_MEMORY):
            raise _out_of_memory() from error
        if isinstance(error, torch.AcceleratorError) or any(sign in words for sign in BROKEN):
            raise MachineError(
                f"The graphics card broke off ({words.splitlines()[0]}).",
                if_repeated="update its driver, or use --device cpu.",
                option="--device",
            ) from error
        raise


def _out_of_memory() -> OutOfMemoryError:
    return OutOfMemoryError(
        "There is too little memory for pictures of this size.",
        "Close other programs, use a smaller --downsample-ratio, or --device cpu.",
        option="--downsample-ratio",
    )


def free_bytes(device: torch.device) -> int:
    """The memory of a graphics card that this process can still use."""
    free, _ = torch.cuda.mem_get_info(device)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return free + kept


def gpu_bytes(device: torch.device) -> tuple[int, int] | None:
    """Of a graphics card's memory, what is in use by anybody, and all; None for the CPU."""
    if device.type != "cuda":
        return None
    free, total = torch.cuda.mem_get_info(device)
    return total - free, total


def release_memory(device: torch.device) -> None:
    """Gives back to the graphics card what torch keeps for later."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def in_parts(work: Callable[[F], A], frames: F, device: torch.device) -> list[A]:
    """The results of `work` for the parts of `frames`: one, or more where memory is short.

    What was too much once is not tried again.

    Raises:
        OutOfMemoryError: there is too little for a single frame.
        MachineError: as `enough_memory`.
    """
    made: list[A] = []
    parts = [frames]
    while len(made) < len(parts):
        part = parts[len(made)]
        try:
            with enough_memory():
                made.append(work(part))
            continue
        except OutOfMemoryError:
            if len(part) == 1:
                raise
        release_memory(device)
        half = -(-len(part) // 2)
        parts[len(made) :] = [each for rest in parts[len(made) :] for each in rest.split(half)]
    return made
