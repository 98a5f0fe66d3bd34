"""What reading a file may come to, in a process of its own; it imports next to nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

from matting.errors import MediaError
from matting.progress import Progress

SECONDS = 1.0  # how long such a process may be silent


def read_pid(_path: Path, _progress: Progress) -> int:
    return os.getpid()


def hang(_path: Path, _progress: Progress) -> None:
    time.sleep(60)


def take_long(_path: Path, progress: Progress) -> str:
    for _ in range(4):
        time.sleep(SECONDS / 3)
        progress.alive()
    return "read"


def crash(*_arguments: object) -> None:
    os.abort()


def take_all_memory(_path: Path, _progress: Progress) -> int:
    return len(bytearray(1 << 44))


def refuse(path: Path, _progress: Progress) -> None:
    raise MediaError(f"{path} is refused.")


def fail(_path: Path, _progress: Progress) -> None:
    raise ZeroDivisionError
