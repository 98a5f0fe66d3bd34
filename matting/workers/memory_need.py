"""How much memory matting takes, and what to say where there is less."""

from __future__ import annotations

from matting.errors import OutOfMemoryError
from matting.imaging.sample_format import Size
from matting.progress import Progress
from matting.system.humanize import gigabytes
from matting.system.ram import ROOM, available_bytes

# What a worker takes on the processor, measured: 1.3 GB at 1920x1080; at 8192x4096, 3.7 GB with
# results in H.264, 6 GB in H.265. The first is for Python and torch, the second for the frames that
# are at work at once.
PROGRAM_BYTES = 950_000_000
BYTES_PER_PIXEL = 150


def needed_bytes(size_px: Size) -> int:
    """Return about how much memory frames of that size take."""
    return PROGRAM_BYTES + BYTES_PER_PIXEL * size_px.width * size_px.height


def warn_of_little_memory(size_px: Size, progress: Progress, available: int | None = None) -> None:
    """Say so where frames of that size may need more memory than there is.

    Args:
        available: how much there is, in bytes; None: what this process can have.
    """
    available = available_bytes() if available is None else available
    needed = needed_bytes(size_px)
    if available is not None and available < needed:
        progress.say(
            f"WARNING: Frames of {size_px.width}x{size_px.height} need about {gigabytes(needed)} "
            f"of memory, and {gigabytes(available)} are left. {ROOM}"
        )


def ended_by_the_system(*, for_memory: bool) -> OutOfMemoryError:
    """Return the error for a worker that was killed.

    Args:
        for_memory: whether the system is known to have done so for lack of memory.
    """
    available = available_bytes()
    left = "" if available is None else f" Now {gigabytes(available)} are left."
    if for_memory:
        what = "Memory ran out: the system ended the part of the program that mattes."
    else:
        what = (
            "The part of the program that mattes was killed, as the system does when memory runs "
            "out."
        )
    return OutOfMemoryError(what + left, ROOM)
