"""Who holds a lock: a note beside it, so that a run that is kept out can say what keeps it out."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from matting.errors import StorageError
from matting.system import atomic_files

SUFFIX = ".holder"
MOST_BYTES = 1000


class LockHolder(Struct, frozen=True):
    """A process that holds a lock.

    Attributes:
        since: when it took the lock, as its computer's clock said.
    """

    pid: Annotated[int, Meta(gt=0, lt=2**32)]
    host: Annotated[str, Meta(max_length=255)]
    since: datetime


@contextmanager
def recorded(lock: Path) -> Iterator[None]:
    """Note who holds the lock file `lock` while this process does, where that can be written."""
    path = _note(lock)
    holder = LockHolder(os.getpid(), platform.node()[:255], datetime.now().replace(microsecond=0))
    with suppress(StorageError):  # it can be read, but not written
        atomic_files.write_bytes(path, msgspec.json.encode(holder))
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def read(lock: Path) -> LockHolder | None:
    """Return which process holds a lock file; None where that is not known."""
    path = _note(lock)
    try:
        if not path.is_file():  # to open a pipe would take for ever
            return None
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(MOST_BYTES), type=LockHolder)
    except (OSError, msgspec.DecodeError):
        return None


def described(holder: LockHolder | None) -> str:
    """Return the process as an addition to a sentence."""
    if holder is None:
        return ""
    place = "" if _is_here(holder) else f" on the computer {holder.host}"
    return f": process {holder.pid}{place}, since {holder.since:%Y-%m-%d %H:%M}"


def how_to_end(holder: LockHolder, platform_name: str = sys.platform) -> str:
    """Return how to end the process, as a clause with a full stop."""
    by_force = (
        f"taskkill /F /PID {holder.pid}" if platform_name == "win32" else f"kill {holder.pid}"
    )
    place = "" if _is_here(holder) else "there "
    return f"stop it (if its window is gone, {place}with: {by_force})."


def _is_here(holder: LockHolder) -> bool:
    return holder.host == platform.node()[:255]


def _note(lock: Path) -> Path:
    return lock.with_name(lock.name + SUFFIX)
