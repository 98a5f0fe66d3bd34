"""Counting how often files are opened: by FFmpeg, and by Python."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import av
import pytest

from matting.system.temporary_files import is_temporary


class OpenCounter:
    """How often each file was opened for reading while this counts."""

    def __init__(self) -> None:
        self._demuxed: Counter[Path] = Counter()
        self._read: Counter[Path] = Counter()

    def demuxed(self, path: Path) -> int:
        """Return how often FFmpeg opened `path` through PyAV."""
        return self._demuxed[path]

    def demuxed_before_published(self, path: Path) -> int:
        """Return how often FFmpeg opened what became `path`."""
        return _before_published(self._demuxed, path)

    def read_before_published(self, path: Path) -> int:
        """Return how often Python did so, for reading alone."""
        return _before_published(self._read, path)

    def read(self, path: Path) -> int:
        """Return how often Python opened `path` for reading alone, other than through PyAV."""
        return self._read[path]

    def of(self, path: Path) -> int:
        """Return how often `path` was opened for reading in all."""
        return self._demuxed[path] + self._read[path]

    def note_demuxed(self, path: Path) -> None:
        self._demuxed[path] += 1

    def note_read(self, path: Path) -> None:
        self._read[path] += 1


def _before_published(opens: Counter[Path], path: Path) -> int:
    return sum(
        count
        for opened, count in opens.items()
        if opened.parent == path.parent and is_temporary(opened, path)
    )


_counting: list[OpenCounter] = []  # a hook stays as long as the process does


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _counting:
        return
    name, mode, _flags = arguments
    if isinstance(name, (str, os.PathLike)) and isinstance(mode, str) and set(mode) <= set("rbt"):
        for counter in _counting:
            counter.note_read(Path(name))


@cache
def _install_hook() -> None:
    sys.addaudithook(_on_event)


@contextmanager
def counted_opens(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenCounter]:
    """Count in the block, in this process; FFmpeg opens files without Python's knowing."""
    _install_hook()
    counter = OpenCounter()
    really_open = av.open

    def count(file: Any, mode: Any = None, *arguments: Any, **named: Any) -> Any:
        if isinstance(file, (str, os.PathLike)) and mode in {None, "r"}:
            counter.note_demuxed(Path(file))
        return really_open(file, mode, *arguments, **named)

    monkeypatch.setattr(av, "open", count)
    _counting.append(counter)
    try:
        yield counter
    finally:
        _counting.remove(counter)
