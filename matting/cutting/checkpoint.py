"""What a cut that stopped at damage leaves behind, so that the next one need not cut again."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from matting.cutting.cut_job import CutSegment
from matting.errors import InputError
from matting.project.plan import UNREADABLE, SourceFingerprint
from matting.system import atomic_files, files
from matting.system.fingerprint import Fingerprint

NAME = "kept.json"
VERSION = 1


@dataclass(frozen=True)
class CutCheckpoint:
    """All pieces of a damaged source, the damaged ones included.

    Attributes:
        path: the source's file. It is known again by its whole content: a better copy of it may
            have the same size and ends.
        seconds: the length of a piece that was aimed at.
        ends: when the source breaks off, in seconds; None: it does not.
    """

    path: Path
    source: SourceFingerprint
    seconds: Fraction
    truncated_at: Fraction | None
    segments: tuple[CutSegment, ...]

    def write(self, work: Path) -> None:
        """Records the pieces, which lie in the folder `work`.

        Raises:
            StorageError: it cannot be written.
        """
        value = {
            "version": VERSION,
            "source": vars(self.source),
            "content": files.sha256(self.path),
            "seconds": str(self.seconds),
            "ends": None if self.truncated_at is None else str(self.truncated_at),
            "pieces": [
                {
                    "file": segment.path.name,
                    **vars(Fingerprint.of(segment.path)),
                    "times": segment.times,
                    "damaged": segment.damaged,
                    "copied": segment.copied,
                }
                for segment in self.segments
            ],
        }
        atomic_files.write_json(work / NAME, value)

    @classmethod
    def read(
        cls, work: Path, path: Path, source: SourceFingerprint, seconds: Fraction
    ) -> CutCheckpoint | None:
        """The pieces in `work`, cut from that source into that length; None if one is missing."""
        if not (work / NAME).is_file():
            return None
        try:
            value = atomic_files.read_json(work / NAME, "")
            wanted = [VERSION, vars(source), str(seconds)]
            if [value["version"], value["source"], value["seconds"]] != wanted:
                return None
            if value["content"] != files.sha256(path):
                return None
            segments = tuple(_segment(work, item) for item in value["pieces"])
            truncated_at = None if value["ends"] is None else Fraction(value["ends"])
        except (InputError, *UNREADABLE):
            return None
        return cls(path, source, seconds, truncated_at, segments)


def _segment(work: Path, value: Any) -> CutSegment:
    path = work / Path(value["file"]).name
    if not Fingerprint(int(value["size_bytes"]), str(value["sha256"])).matches(path):
        raise ValueError(f"{path} has changed")
    times, damaged = (tuple(int(time) for time in value[key]) for key in ("times", "damaged"))
    return CutSegment(path, times, damaged, copied=bool(value["copied"]))
