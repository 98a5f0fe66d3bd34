"""What a job has on disk: which segments are done, which failed, and why. Nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from matting.errors import InputError
from matting.options import OutputKind

if TYPE_CHECKING:  # it needs packages, which importing the library does not
    from matting.project.ledger import Ledger

AnyPath = str | os.PathLike[str]


@dataclass(frozen=True)
class SegmentRecord:
    """What is recorded of one segment.

    Attributes:
        name: of its file, such as "output_000.mp4".
        is_done: whether it is recorded as matted, and all its results lie there, as large as they
            are recorded. What is in them is not read: only a run does that.
        frames: how many frames its results have; 0 while there are none.
        error: what went wrong when it was matted last, in a sentence; "" if nothing did.
        files: its results that are there, by what they are.
    """

    name: str
    is_done: bool
    frames: int
    error: str
    files: Mapping[OutputKind, Path]


@dataclass(frozen=True)
class JobRecord:
    """What is recorded of the segments of one video, or of a folder of videos.

    Attributes:
        folder: the one whose name ends in _matted.
        segments: all of them, in order.
    """

    folder: Path
    segments: tuple[SegmentRecord, ...]

    @property
    def is_done(self) -> bool:
        """Whether all segments are."""
        return bool(self.segments) and all(one.is_done for one in self.segments)

    @property
    def failed(self) -> Mapping[str, str]:
        """Why each segment failed that is not done, by its name."""
        return {one.name: one.error for one in self.segments if one.error and not one.is_done}


def read_job(matted: AnyPath, output: AnyPath | None = None) -> JobRecord:
    """Return what is recorded of a job, also while it is at work, or was killed.

    Args:
        matted: the folder whose name ends in _matted, or the video that is matted.
        output: the folder that the job was told to put its files into; None: none.
    Raises:
        InputError: there is no job, or its records cannot be read.
    """
    from matting.project.ledger import Ledger
    from matting.project.matted import find_matted
    from matting.system.invocation import Command

    place = None if output is None else absolute_path(output)
    folder = find_matted(absolute_path(matted), place, Command.REPORT)
    ledger = Ledger(folder)
    return JobRecord(folder.root, tuple(_segment(ledger, name) for name in ledger.names))


def _segment(ledger: Ledger, name: str) -> SegmentRecord:
    entry, folder = ledger.entry(name), ledger.folder
    paths = {kind: folder.output_folder(kind) / own.file for kind, own in entry.files.items()}
    files = {
        kind: path
        for kind, path in paths.items()
        if entry.files[kind].fingerprint.has_size_of(path)
    }
    is_done = ledger.says_done(name) and files.keys() >= entry.outputs.keys()
    return SegmentRecord(name, is_done, entry.frames, entry.error, files)


def absolute_path(path: AnyPath) -> Path:
    """Return a path that no change of the current folder changes; links in it stay.

    Raises:
        InputError: no file can have it.
    """
    absolute = os.path.abspath(path)  # noqa: PTH100 - which does not follow them
    if "\0" in absolute:
        raise InputError(f"{absolute!r} is no path: a character in it ends every name.")
    return Path(absolute)
