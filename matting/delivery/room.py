"""Whether what is to be written has room on its disk."""

from __future__ import annotations

from pathlib import Path

from matting.errors import StorageError
from matting.system.files import free_disk_bytes
from matting.system.humanize import gigabytes


def require_room(folder: Path, needed_bytes: int) -> None:
    """Refuse to begin what would not fit; where a disk does not tell what is free, all does.

    Raises:
        StorageError: it would not.
    """
    free_bytes = free_disk_bytes(folder)
    if free_bytes is None or free_bytes >= needed_bytes:
        return
    raise StorageError(
        f"The disk is too small: {gigabytes(needed_bytes)} are needed, and "
        f"{gigabytes(free_bytes)} are free in {folder}.",
        "Free some space, or choose another disk with --output.",
        option="--output",
    )
