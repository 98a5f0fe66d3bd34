"""Files that are either complete or not there: a temporary name, a flush to the disk, a rename."""

from __future__ import annotations

import codecs
import contextlib
import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from matting.errors import writing
from matting.system.temporary_files import (
    REPLACED,
    create_temporary,
    replaced_folders,
    temporary_name,
)
from matting.system.text import escape_json

PATIENCE_SECONDS = 20.0
# What file systems without fsync say, network drives most of all. They are no less safe for that
# than for other programs; any other error means that the content may be lost.
NO_FSYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}

A = TypeVar("A")


def flush(path: Path, named: Path | None = None) -> None:
    """Flush the closed file `path` to the disk itself.

    Args:
        named: what an error names; None: the file.
    """

    def open_and_sync() -> None:
        with path.open("rb+") as file:
            sync(file.fileno())

    with writing(named or path):
        retry_on_sharing_violation(open_and_sync)


def publish(temporary: Path, path: Path) -> None:
    """Give a finished, closed file or folder its final name.

    A file that already has that name is replaced. On Windows a virus scanner or a player may hold
    either for a moment, so the rename is retried for a while.

    Raises:
        StorageError: the name stayed in use, or the place cannot be written.
    """
    if temporary.is_file():
        flush(temporary, named=path)
    with writing(path):
        retry_on_sharing_violation(lambda: temporary.replace(path))
        _flush_folder(path.parent)


def publish_folder(temporary: Path, path: Path) -> None:
    """Give a finished folder, whose files have been flushed, its final name.

    A folder that already has that name is moved aside first, since no system replaces a folder in
    one step, and removed afterwards. After a crash in between, it lies beside `path`, which may not
    be there, until `restore_replaced`.

    Raises:
        StorageError: the name stayed in use, or the place cannot be written.
    """
    with writing(temporary):
        _flush_folder(temporary)
    aside = temporary_name(path, REPLACED) if path.exists() else None
    if aside is not None:
        publish(path, aside)
    publish(temporary, path)
    if aside is not None:
        remove(aside)


def restore_replaced(path: Path) -> None:
    """Give a folder its name back that a crash in `publish_folder` took from it.

    Where another has its name already, it is removed.

    Raises:
        StorageError: it cannot be renamed, or removed.
    """
    if not path.parent.is_dir():
        return
    with writing(path):
        replaced = replaced_folders(path)
    if replaced and not path.exists():
        publish(replaced.pop(0), path)
    for folder in replaced:
        remove(folder)


def set_aside(path: Path) -> Path:
    """Give a file or folder that is not to be replaced another name beside it; return that.

    Raises:
        StorageError: it cannot be renamed.
    """
    numbers = ("", *(f" {number}" for number in range(2, 1000)))
    names = (path.with_name(f"{path.stem} (found{number}){path.suffix}") for number in numbers)
    free = next(name for name in names if not os.path.lexists(name))
    with writing(path):
        retry_on_sharing_violation(lambda: path.rename(free))
    return free


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that it holds, if it is there.

    Raises:
        StorageError: something holds it, or it may not be removed.
    """
    with writing(path):
        retry_on_sharing_violation(lambda: _remove(path))


def discard(path: Path) -> None:
    """Remove a temporary file or folder, if it is there.

    One that something still holds stays, until the job's folder is next swept.
    """
    with contextlib.suppress(OSError):
        retry_on_sharing_violation(lambda: _remove(path))


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path`; after a crash it holds the old content or the new.

    Raises:
        StorageError: it cannot be written.
    """
    temporary = create_temporary(path)
    try:
        with writing(path):
            temporary.write_bytes(content)
        publish(temporary, path)
    finally:
        with writing(temporary):
            temporary.unlink(missing_ok=True)


def copy(source: Path, temporary: Path) -> None:
    """Copy a file's content into one that has a temporary name yet, and flush it.

    Raises:
        StorageError: it cannot be written, or the source cannot be read.
    """
    with writing(temporary):
        shutil.copyfile(source, temporary)
    flush(temporary)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by a UTF-8 file of `text`."""
    write_bytes(path, encode(text))


def encode(text: str) -> bytes:
    """Return `text` as `write_text` writes it."""
    # A name that is no valid UTF-8 (possible on Linux) is written as the bytes it is.
    return text.encode("utf-8", "surrogateescape")


def write_json(path: Path, value: object) -> None:
    """Replace `path` by `value` as readable JSON."""
    write_text(path, json_text(value))


def json_text(value: object) -> str:
    """Return `value` as readable JSON."""
    return escape_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n"


def json_line(value: object) -> bytes:
    """Return `value` as JSON in one line of UTF-8, without its end."""
    return encode(escape_json(json.dumps(value, ensure_ascii=False)))


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, as `decode` does."""
    return decode(path.read_bytes().removeprefix(codecs.BOM_UTF8))


def decode(content: bytes) -> str:
    """Return a text of UTF-8.

    Where Python takes all file names as ASCII (`LANG=C`), decode as it does, so that names in a
    file equal those on the disk.
    """
    ascii_names = codecs.lookup(sys.getfilesystemencoding()).name == "ascii"
    return content.decode("ascii" if ascii_names else "utf-8", "surrogateescape")


def make_folder(path: Path) -> None:
    """Make `path` and its parents, unless they are there; after a crash they still are.

    Raises:
        StorageError: it cannot be made.
    """
    with writing(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            _flush_folder(folder.parent)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def retry_on_sharing_violation(action: Callable[[], A]) -> A:
    """Return what `action` returns.

    On Windows, where a virus scanner or a player may hold the file, try again for a while. The
    action must keep nothing from one try to the next.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except PermissionError:
            if os.name != "nt" or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _flush_folder(folder: Path) -> None:
    """Flush a rename to the disk; Windows does so by itself and cannot be asked."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def sync(descriptor: int) -> None:
    """Flush an open file or folder to the disk, if its file system can do that on demand."""
    try:
        if not _sync_the_drive(descriptor):
            os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FSYNC:
            raise


def _sync_the_drive(descriptor: int) -> bool:
    """Flush the drive's own cache, too, which fsync leaves out on macOS; False where it does not.

    Source: the manual page fsync(2) of macOS.
    """
    if sys.platform != "darwin":
        return False
    import fcntl  # noqa: PLC0415 - Windows has none

    try:
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    except OSError:  # network drives, and some of other file systems
        return False
    return True
