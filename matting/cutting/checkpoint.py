"""What a cut that stopped at damage leaves behind, so that the next one need not cut again."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from matting.cutting.cut_job import CutSegment
from matting.errors import InputError
from matting.project import records
from matting.project.paths import CUT_CHECKPOINT
from matting.project.plan import MOST_FRAMES, MOST_SEGMENTS
from matting.project.records import Count, FileName, Ticks
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.fingerprint import Fingerprint, Sha256

NAME = CUT_CHECKPOINT


@dataclass(frozen=True)
class CutCheckpoint:
    """All segments of a damaged source, those with damage included.

    Attributes:
        path: the source's file.
        source: it is known again by its whole content: a better copy of it may have the same size
            and ends.
        seconds: the segment length that was aimed at.
        truncated_at: when the source breaks off, in seconds; None: it does not.
    """

    path: Path
    source: SourceFingerprint
    seconds: Fraction
    truncated_at: Fraction | None
    segments: tuple[CutSegment, ...]

    def write(self, work: Path) -> None:
        """Record the segments, which lie in the folder `work`.

        Raises:
            StorageError: it cannot be written.
        """
        if self.source.content_sha256 is None:
            raise ValueError("the source was not read through")
        record = _Record(
            source=self.source,
            content=self.source.content_sha256,
            seconds=self.seconds,
            truncated_at=self.truncated_at,
            segments=tuple(_SegmentRecord.of(segment) for segment in self.segments),
        )
        records.write(work / NAME, record)

    @classmethod
    def read(
        cls, work: Path, path: Path, source: SourceFingerprint, seconds: Fraction
    ) -> CutCheckpoint | None:
        """Return the segments in `work`, if they were cut from that source into that length.

        Args:
            source: of all the content of `path`.

        None if they were not, if one is missing or changed, or if the checkpoint is damaged: then
        the source is cut again.
        """
        if not (work / NAME).is_file():
            return None
        try:
            record = records.read(work / NAME, _Record, "", most_values=2 * MOST_FRAMES)
            if not record.source.looks_like(source) or record.seconds != seconds:
                return None
            if record.content != source.content_sha256:
                return None
            if not all(saved.fingerprint.matches(work / saved.file) for saved in record.segments):
                return None
        except InputError:
            return None
        segments = tuple(saved.in_folder(work) for saved in record.segments)
        return cls(path, source, seconds, record.truncated_at, segments)


class _SegmentRecord(Struct, frozen=True):
    """A segment; its times are the source's."""

    file: FileName
    size_bytes: Count
    sha256: Sha256
    times: Annotated[tuple[Ticks, ...], Meta(min_length=1, max_length=MOST_FRAMES)]
    suspect: Annotated[tuple[Ticks, ...], Meta(max_length=MOST_FRAMES)] = field(name="damaged")
    copied: bool
    shots: Annotated[tuple[Ticks, ...], Meta(max_length=MOST_FRAMES)] | None = None

    def __post_init__(self) -> None:
        if any(later <= earlier for earlier, later in pairwise(self.times)):
            raise ValueError("Expected rising times")
        if not set(self.suspect) <= set(self.times):
            raise ValueError("Expected damaged frames to be frames of the segment")

    @classmethod
    def of(cls, segment: CutSegment) -> _SegmentRecord:
        fingerprint = Fingerprint.of(segment.path)
        return cls(
            segment.path.name,
            fingerprint.size_bytes,
            fingerprint.sha256,
            segment.times,
            segment.suspect,
            segment.copied,
            segment.shots,
        )

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self.size_bytes, self.sha256)

    def in_folder(self, work: Path) -> CutSegment:
        return CutSegment(
            work / self.file, self.times, self.suspect, copied=self.copied, shots=self.shots
        )


class _Record(Struct, frozen=True, kw_only=True):
    """The content of the file.

    Attributes:
        content: the hash of the whole source.
    """

    version: Literal[1] = 1
    source: SourceFingerprint
    content: Sha256
    seconds: Fraction
    truncated_at: Fraction | None = field(name="ends")
    segments: Annotated[tuple[_SegmentRecord, ...], Meta(max_length=MOST_SEGMENTS)] = field(
        name="pieces"
    )
