"""One run a folder: a lock that the system frees when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from matting.errors import FORBIDDEN, BusyError, StorageError, storage_error
from matting.progress import ignore
from matting.system import lock_holder
from matting.system.atomic_files import make_folder

LOCK_NAME = ".lock"
# Where the file system has no locks: there while a run is at work, and after one that was killed.
PRESENCE_SUFFIX = ".present"
# Of whatever name, and what lies beside them.
LOCK_FILE = re.compile(rf"\..*lock({re.escape(PRESENCE_SUFFIX)}|{re.escape(lock_holder.SUFFIX)})?")
POLL_SECONDS = 0.1
# What file systems without locks say, network drives most of all.
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}


@contextmanager
def folder_lock(
    folder: Path,
    name: str = LOCK_NAME,
    patience_seconds: float = 0,
    warn: Callable[[str], object] = ignore,
) -> Iterator[None]:
    """Hold `folder`, and make it if it is not there.

    A file system without locks keeps nobody out on its own: there a file stands for the lock, which
    other computers cannot tell from one that a killed run has left.

    Where the block raises before there is anything in a folder that was made, it is removed.

    Args:
        name: of the file that is locked; locks of different names do not exclude each other.
        patience_seconds: how long to wait for another run to let go.
        warn: told, in a sentence, where the file system has no locks.
    Raises:
        BusyError: another run holds it.
        StorageError: the folder cannot be written.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    make_folder(folder)
    path = folder / name
    try:
        lock = _acquire(path, patience_seconds, warn)
    except OSError as error:
        _remove_unused(made)
        raise storage_error(error, path) from error
    try:
        with _held(lock, path):
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
    with contextlib.nullcontext() if lock is None else _held(lock, path):
        yield


def _acquire(
    path: Path, patience_seconds: float = 0, warn: Callable[[str], object] = ignore
) -> BaseFileLock:
    """Lock the file `path`.

    Raises:
        BusyError: another run holds it.
        StorageError: it is another file by a link.
        OSError: the file cannot be made or written.
    """
    _require_own(path)
    # Preserved: the file stays, as it always has. So filelock never takes the mere presence of a
    # file for a lock where the file system has one; after a crash, that would last for ever.
    lock: BaseFileLock = FileLock(
        path, timeout=patience_seconds, poll_interval=POLL_SECONDS, preserve_lock_file=True
    )
    try:
        try:
            lock.acquire()
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            warn(
                f"The disk of {path.parent} has no locks: do not let two computers work in that "
                "folder at the same time."
            )
            lock = SoftFileLock(
                path.with_name(path.name + PRESENCE_SUFFIX),
                timeout=patience_seconds,
                poll_interval=POLL_SECONDS,
            )
            lock.acquire()
    except Timeout as error:
        raise _busy(path, Path(lock.lock_file)) from error
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


def _require_own(path: Path) -> None:
    """Refuse what is a link to another file: it would be emptied.

    An empty file with several names is what copies with hard links make of a lock.
    """
    try:
        status = path.lstat()
    except OSError:
        return  # it is not there, or `acquire` tells why
    if not stat.S_ISREG(status.st_mode) or (status.st_nlink > 1 and status.st_size > 0):
        raise StorageError(
            f"{path} should be a file of this program, but it is a link to another, or no file.",
            "Delete it, or move it to another place.",
        )


def _busy(path: Path, lock_file: Path) -> BusyError:
    holder = lock_holder.read(path)
    ending = lock_holder.how_to_end(holder) if holder else "stop it."
    hint = f"Wait until it has ended, or {ending}"
    if lock_file != path:
        hint += f" If it has ended already, delete {lock_file}."
    return BusyError(
        f"Another run is working in {path.parent}{lock_holder.described(holder)}.", hint
    )


@contextmanager
def _held(lock: BaseFileLock, path: Path) -> Iterator[None]:
    try:
        with lock_holder.recorded(path):
            yield
    finally:
        with contextlib.suppress(OSError):  # the drive is gone, and with it the lock
            lock.release()
