"""What reading a file may come to, in a process of its own; it imports next to nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from matting.errors import MediaError

SECONDS = 1.0  # how long such a process may be silent


def read_pid(_path: Path, _alive: Callable[[], None]) -> int:
    return os.getpid()


def hang(_path: Path, _alive: Callable[[], None]) -> None:
    time.sleep(60)


def take_long(_path: Path, alive: Callable[[], None]) -> str:
    for _ in range(4):
        time.sleep(SECONDS / 3)
        alive()
    return "read"


def crash(_path: Path, _alive: Callable[[], None]) -> None:
    os.abort()


def take_all_memory(_path: Path, _alive: Callable[[], None]) -> int:
    return len(bytearray(1 << 44))


def refuse(path: Path, _alive: Callable[[], None]) -> None:
    raise MediaError(f"{path} is refused.")


def fail(_path: Path, _alive: Callable[[], None]) -> None:
    raise ZeroDivisionError
