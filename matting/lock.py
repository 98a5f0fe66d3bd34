"""One run a folder: a lock that the operating system frees when the run ends, however it ends."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from matting.durable import make_folder
from matting.errors import BusyError, writing

LOCK_NAME = ".lock"


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Holds `folder`, making it when it is not there.

    Raises:
        BusyError: another run holds it.
        StorageError: the folder cannot be written.
    """
    make_folder(folder)
    path = folder / LOCK_NAME
    with writing(path):
        file = path.open("a+b")
    with file:
        if not _try_lock(file):
            raise BusyError(
                f"Another run is working in {folder}.",
                "Wait until it has ended, or stop it, then run this command again.",
            )
        try:
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks: there is nothing to hold
        return True

    def _unlock(file: IO[bytes]) -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
