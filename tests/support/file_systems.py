"""File systems that refuse, as no mode of a folder keeps root from writing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def refuse_writing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process open what is in `folder` by its descriptor for reading only."""
    real_open = os.open

    def read_only_open(
        path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        if flags & WRITING and folder in Path(path).parents:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return real_open(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", read_only_open)
