"""Memory: what a device refuses, work in smaller parts, and reuse of what is freed."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

import torch

from matting.errors import MachineError, OutOfMemoryError
from matting.system import accelerators

# Torch's words when the processor's allocator, cuBLAS or cuDNN finds no memory, or fails; then
# those for Apple's GPUs, Intel's and AMD's.
OUT_OF_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "ALLOC_FAILED",
    "MPS backend out of memory",
    "Invalid buffer size",
    "OUT_OF_DEVICE_MEMORY",
    "OUT_OF_HOST_MEMORY",
    "XPU out of memory",
    "HIP out of memory",
)
GPU_FAILED = (
    "CUDA error",
    "CUBLAS_STATUS",
    "CUDNN_STATUS",
    "cuDNN error",
    "MPSGraph",
    "UR_RESULT_ERROR",
    "Native API failed",
    "HIP error",
    "HIPBLAS_STATUS",
    "miopenStatus",
)
# From glibc's malloc.h.
TRIM_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -4, -8
KEPT_BYTES = 1 << 30

A = TypeVar("A")
F = TypeVar("F", bound="Splittable")


class Splittable(Protocol):
    """Frames that can be split."""

    def __len__(self) -> int: ...

    def split(self: F, frames: int) -> Sequence[F]: ...


def keep_freed_memory() -> None:
    """Make the C library reuse the memory that this process frees.

    Otherwise glibc returns the memory of every large tensor to the system, which clears each page
    again for the next one: a fifth of the network's time on the CPU. It can be told to map no block
    by itself; a least size for that would be 32 MiB at most, which at 1536x864 much is larger than.
    Other C libraries keep memory by themselves, or cannot be told.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        # The arenas of further threads return whatever is larger than their small heaps.
        library.mallopt(ARENA_MAX, 1)
        library.mallopt(MMAP_MAX, 0)
        library.mallopt(TRIM_THRESHOLD, KEPT_BYTES)


def return_freed_memory() -> None:
    """Return to the system what `keep_freed_memory` keeps, for another process that needs it."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn a device's refusal in the block into a plain error.

    Raises:
        OutOfMemoryError: there is too little memory.
        MachineError: the GPU failed; this process can use it no more.
    """
    try:
        yield
    except MemoryError as error:
        raise _out_of_memory() from error
    except RuntimeError as error:  # torch's own errors derive from it, not all by a name
        message = str(error)
        if isinstance(error, torch.OutOfMemoryError) or any(
            sign in message for sign in OUT_OF_MEMORY
        ):
            raise _out_of_memory() from error
        if isinstance(error, torch.AcceleratorError) or any(sign in message for sign in GPU_FAILED):
            raise MachineError(
                f"The graphics card failed ({message.splitlines()[0]}).",
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


def in_parts(work: Callable[[F], A], frames: F, device: torch.device) -> list[A]:
    """Return the results of `work` for the parts of `frames`: one, or more if memory is short.

    A size that was too large once is not tried again.

    Raises:
        OutOfMemoryError: there is too little memory for a single frame.
        MachineError: as for `enough_memory`.
    """
    results: list[A] = []
    parts = [frames]
    while len(results) < len(parts):
        part = parts[len(results)]
        try:
            with enough_memory(), accelerators.alone_on(device):
                results.append(work(part))
            continue
        except OutOfMemoryError:
            if len(part) == 1:
                raise
        accelerators.release_memory(device)
        half = -(-len(part) // 2)
        remaining = parts[len(results) :]
        parts[len(results) :] = [each for rest in remaining for each in rest.split(half)]
    return results
