"""One run a folder: a lock that the operating system frees when the run ends, however it ends."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from matting.errors import BusyError, writing
from matting.system.atomic_files import make_folder

LOCK_NAME = ".lock"
POLL_SECONDS = 0.1


@contextmanager
def folder_lock(folder: Path, name: str = LOCK_NAME, patience_seconds: float = 0) -> Iterator[None]:
    """Holds `folder`, making it when it is not there.

    Args:
        name: of the file that is locked; locks of different names do not exclude each other.
        patience_seconds: how long to wait for another run to let go.
    Raises:
        BusyError: another run holds it.
        StorageError: the folder cannot be written.
    """
    make_folder(folder)
    path = folder / name
    with writing(path):
        file = path.open("a+b")
    with file:
        deadline = time.monotonic() + patience_seconds
        while not (held := _try_lock(file)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if not held:
            raise BusyError(
                f"Another run is working in {folder}.",
                "Wait until it has ended, or stop it.",
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
