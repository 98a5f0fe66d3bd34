"""Hostile entries among and in place of a job's files, and how they are taken away again."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.faults.hostile_entries import KINDS, VIDEO_NAMES, Outside

MOST_ENTRIES = 12
BESIDE = ("output_900.mp4", "a.mkv", "b.png", "c.tif", "d.m3u8", "e.ffconcat", ".hidden.mp4")
PICTURES = {".png": "a PNG bomb", ".tif": "an endless TIFF", ".jpg": "a file of random bytes"}
# Each is looked at for many seconds before it is refused; the limit is one file's.
SLOW = {"a video with a long edit list"}
SUFFIXES = ("", "", "", ".partial", ".replaced", ".holder", ".present")
LOCKS = (".lock", ".worker.lock", "job.log", "job.1.log")


class Entry(NamedTuple):
    """One hostile entry.

    Attributes:
        kind: one of KINDS.
        aside: where what it has replaced is; None: it has replaced nothing.
        identity: by which it is recognised.
    """

    kind: str
    path: Path
    aside: Path | None
    identity: tuple[int, ...]


class Planting:
    """The entries that have been put into one folder."""

    def __init__(self, folder: Path, aside: Path, outside: Outside, rng: Random) -> None:
        self._folder, self._aside, self._outside, self._rng = folder, aside, outside, rng
        self._entries: list[Entry] = []
        self._made: list[Path] = []
        self.has_replaced = False
        aside.mkdir()

    def story(self) -> str:
        """Return what lies where, for messages."""
        return "; ".join(
            f"{entry.kind} at {entry.path.relative_to(self._folder).as_posix()[:60]!r}"
            for entry in self._entries
        )

    def beside(self) -> None:
        """Put entries where nothing of the job is or will be."""
        inner = [path for path in self._folder.rglob("*") if path.is_dir()]
        for _ in range(self._rng.randint(3, MOST_ENTRIES)):
            folder = self._rng.choice([self._folder, *inner])
            self._put(folder / self._rng.choice((*VIDEO_NAMES, *BESIDE)))

    def among_videos(self, folder: Path) -> None:
        """Put entries where each video, and each folder of pictures, is to be matted."""
        for number in range(self._rng.randint(3, MOST_ENTRIES)):
            if self._rng.random() < 0.7:
                self._put(folder / self._rng.choice((*VIDEO_NAMES, *BESIDE)))
                continue
            pictures = folder / f"pictures_{number}"
            pictures.mkdir()
            for suffix in self._rng.sample(sorted(PICTURES), 2):
                usual = PICTURES[suffix] if self._rng.random() < 0.5 else None
                self._put(pictures / f"1{suffix}", usual)

    def in_place(self, names: list[Path]) -> None:
        """Put entries where the job has, or will have, files and folders of its own."""
        for _ in range(self._rng.randint(1, 3)):
            name = self._rng.choice(names)
            path = self._folder / name
            path = path.with_name(path.name + self._rng.choice(SUFFIXES))
            if self._rng.random() < 0.2:
                path = path.with_name(self._rng.choice(LOCKS))
            missing = [p for p in path.parents if not p.exists() and self._folder in p.parents]
            if all(p.is_dir() for p in path.parents if p.exists()):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._made += missing
                self.has_replaced = True
                self._put(path)

    def undo(self) -> None:
        """Take the entries away, but what the program has put in their place, and put back."""
        for entry in reversed(self._entries):
            if os.path.lexists(entry.path) and _identity(entry.path) == entry.identity:
                if entry.path.is_dir() and not entry.path.is_symlink():
                    shutil.rmtree(entry.path)
                else:
                    entry.path.unlink()
            if entry.aside is not None and not os.path.lexists(entry.path):
                entry.aside.rename(entry.path)
        for folder in self._made:
            with contextlib.suppress(OSError):  # it is in use by now
                folder.rmdir()
        self._entries.clear()

    def _put(self, path: Path, kind: str | None = None) -> None:
        aside = None
        if os.path.lexists(path):
            if any(entry.path == path for entry in self._entries):
                return
            aside = self._aside / str(len(self._entries))
            path.rename(aside)
        there = {entry.kind for entry in self._entries}
        kind = kind or self._rng.choice(sorted(KINDS.keys() - (SLOW & there)))
        KINDS[kind](path, self._outside, self._rng)
        self._entries.append(Entry(kind, path, aside, _identity(path)))


def _identity(path: Path) -> tuple[int, ...]:
    status = path.lstat()
    # What a folder holds changes its times, and a number may be given again.
    changed = () if path.is_dir() and not path.is_symlink() else (status.st_mtime_ns,)
    return (status.st_dev, status.st_ino, *changed)
