"""Files as they lie on a disk: which are pictures, their order, their content's hash."""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
from collections.abc import Callable, Set
from pathlib import Path

from matting.errors import InputError
from matting.progress import ignore
from matting.system.atomic_files import retry_on_sharing_violation

PNG, JPEG, TIFF = {".png"}, {".jpg", ".jpeg"}, {".tif", ".tiff"}
SUFFIXES = PNG | JPEG | TIFF
WRITTEN_SUFFIXES = {".exr"}  # of pictures that are results only
# Of many small files, to make room for more would take longer than to read them.
FIRST_BLOCK_BYTES, BLOCK_BYTES = 1 << 16, 1 << 20
IMPOSSIBLE = {errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}
# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg",
    ".wmv", ".flv", ".mxf", ".ogv", ".3gp",
})
# fmt: on


def read_error(path: Path, error: OSError) -> InputError:
    """Return the plain form of what the operating system said when `path` was read."""
    return InputError(
        f"{path} cannot be read: {error.strerror}.",
        "Check that its disk is connected and that no other program holds it.",
        retry=True,
    )


def require_possible(path: Path) -> None:
    """Refuse a path that no file can have, before anything asks what is there.

    Raises:
        InputError: it is too long, or its links lead in a circle.
    """
    try:
        path.stat()
    except OSError as error:
        if error.errno in IMPOSSIBLE:
            raise InputError(
                f"{path} is not there: {error.strerror}.", "Check the path and its spelling."
            ) from error


def image_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder in natural order: 2 before 10.

    Raises:
        InputError: the folder cannot be read.
    """
    return _pictures(folder, SUFFIXES)


def source_or_result_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder as `image_files` does, or those that are results only.

    Raises:
        InputError: the folder cannot be read.
    """
    return image_files(folder) or _pictures(folder, WRITTEN_SUFFIXES)


def _pictures(folder: Path, suffixes: Set[str]) -> list[Path]:
    try:
        pictures = [p for p in folder.iterdir() if p.suffix.lower() in suffixes and p.is_file()]
    except OSError as error:
        raise read_error(folder, error) from error
    visible = (p for p in pictures if not p.name.startswith("."))
    return sorted(visible, key=lambda path: (natural_order(path), path.name))  # 1 and 01 differ


def visible(folder: Path) -> list[Path]:
    """Return what lies in a folder, in natural order, but for what is hidden.

    Raises:
        InputError: the folder cannot be read.
    """
    try:
        paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise read_error(folder, error) from error
    return sorted(paths, key=lambda path: (natural_order(path), path.name))  # a and A differ


def is_video(path: Path) -> bool:
    """Return whether a path is a file whose name is that of a video."""
    return path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES


def natural_order(path: Path) -> list[str | int]:
    """Return a sort key for file names in which runs of digits count as numbers: 2 before 10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def free_disk_bytes(folder: Path) -> int | None:
    """Return what is free on the disk that a folder is on; None if that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:  # some network drives do not tell
        return None


def sha256(path: Path, on_bytes: Callable[[int], None] = ignore) -> str:
    """Return the SHA-256 of a file's content, as 64 hexadecimal digits.

    Args:
        on_bytes: told how many more bytes have been read; what it raises ends the reading.
    Raises:
        InputError: it cannot be read.
    """

    def read() -> str:
        digest = hashlib.sha256()  # a new one for each try
        with path.open("rb", buffering=0) as file:
            block = file.read(FIRST_BLOCK_BYTES)
            while block:
                digest.update(block)
                on_bytes(len(block))
                block = file.read(BLOCK_BYTES)
        return digest.hexdigest()

    try:
        return retry_on_sharing_violation(read)
    except OSError as error:
        raise read_error(path, error) from error
