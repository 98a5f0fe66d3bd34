"""One run a folder: a lock that the system frees when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from matting.errors import FORBIDDEN, BusyError, storage_error
from matting.system.atomic_files import make_folder

LOCK_NAME = ".lock"
LOCK_FILE = re.compile(r"\..*lock")  # of whatever name
POLL_SECONDS = 0.1
# What file systems without locks say, network drives most of all.
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}


@contextmanager
def folder_lock(folder: Path, name: str = LOCK_NAME, patience_seconds: float = 0) -> Iterator[None]:
    """Hold `folder`, and make it if it is not there. A file system without locks keeps nobody out.

    Where the block raises before there is anything in a folder that was made, it is removed.

    Args:
        name: of the file that is locked; locks of different names do not exclude each other.
        patience_seconds: how long to wait for another run to let go.
    Raises:
        BusyError: another run holds it.
        StorageError: the folder cannot be written.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    make_folder(folder)
    path = folder / name
    try:
        lock = _acquire(path, patience_seconds)
    except OSError as error:
        _remove_unused(made)
        raise storage_error(error, path) from error
    try:
        with _held(lock):
            try:
                yield
            except BaseException:
                _remove_unused(made)  # while nobody else can begin to work in it
                raise
    except BaseException:
        if os.name == "nt":  # where an open file cannot be removed
            _remove_unused(made)
        raise


@contextmanager
def reading_lock(folder: Path) -> Iterator[None]:
    """Hold a folder that is only read, so that no other run changes it meanwhile.

    One that cannot be written, as on a read-only share, is not held: no run on this computer can
    change it.

    Raises:
        BusyError: another run holds it.
        StorageError: its disk fails.
    """
    path = folder / LOCK_NAME
    lock: BaseFileLock | None = None
    try:
        lock = _acquire(path)
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise storage_error(error, path) from error
    with _held(lock):
        yield


def _acquire(path: Path, patience_seconds: float = 0) -> BaseFileLock | None:
    """Lock the file `path`; None: its file system has no locks.

    Raises:
        BusyError: another run holds it.
        OSError: the file cannot be made or written.
    """
    # Preserved: the file stays, as it always has. So filelock never takes the mere presence of a
    # file for a lock where the file system has none; after a crash, that would last for ever.
    lock = FileLock(
        path, timeout=patience_seconds, poll_interval=POLL_SECONDS, preserve_lock_file=True
    )
    try:
        lock.acquire()
    except Timeout as error:
        raise BusyError(
            f"Another run is working in {path.parent}.", "Wait until it has ended, or stop it."
        ) from error
    except OSError as error:
        if error.errno in NO_LOCKS:
            return None
        raise
    return lock


def _remove_unused(made: Sequence[Path]) -> None:
    """Remove folders, the innermost first, that hold nothing, the first one nothing but locks."""
    if not made:
        return
    with contextlib.suppress(OSError):
        held = list(made[0].iterdir())
        if all(LOCK_FILE.fullmatch(path.name) for path in held):
            for path in held:
                path.unlink()
            for folder in made:
                folder.rmdir()


@contextmanager
def _held(lock: BaseFileLock | None) -> Iterator[None]:
    try:
        yield
    finally:
        if lock is not None:
            with contextlib.suppress(OSError):  # the drive is gone, and with it the lock
                lock.release()
