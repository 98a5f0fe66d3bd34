"""The signs of doubt of a whole job, put together of those of its segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matting.errors import InputError
from matting.imaging.frame_signs import DOUBT, SIGNS, CellMeans
from matting.project.entry import OutputFile
from matting.project.ledger import Ledger
from matting.project.segment_signs import (
    DoubtfulMoment,
    SegmentSigns,
    Values,
    read_segment_signs,
)

FLICKER = SIGNS.index("flicker")


@dataclass(frozen=True)
class SignedSegment:
    """A segment of a job, and what was seen of it.

    Attributes:
        first_frame: the number of its first frame in the job.
        signs: None: nothing was, or its file is not what was recorded.
    """

    name: str
    first_frame: int
    frames: int
    signs: SegmentSigns | None


@dataclass(frozen=True)
class JobMoment:
    """One of the most doubtful frames of a job.

    Attributes:
        segment: the one that it is in.
        frame: its number in the job.
        pictures: of it.
    """

    segment: SignedSegment
    frame: int
    doubt: float
    pictures: DoubtfulMoment


@dataclass(frozen=True)
class JobSigns:
    """What was seen of all frames of a job.

    Attributes:
        segments: in order.
        values: [F, len(SIGNS)]; NaN where it is not known.
        eyes: [F], how much the mattes of both eyes differ; NaN where that is not known.
        views: [F], how much the mattes of two views of each frame differ; NaN where that is not
            known, or there was one view.
    """

    segments: tuple[SignedSegment, ...]
    values: Values
    eyes: Values
    views: Values

    @classmethod
    def read(cls, ledger: Ledger) -> JobSigns:
        """Read what was seen of the mattes as they are now, of those that are done."""
        segments = tuple(_segments(ledger))
        rows = [np.full((one.frames, len(SIGNS)), np.nan, np.float32) for one in segments]
        before: CellMeans | None = None
        for segment, values in zip(segments, rows, strict=True):
            if segment.signs is None:
                before = None
                continue
            values[:] = segment.signs.values
            own = segment.signs.first
            if before is not None and before.alpha.shape == own.alpha.shape:
                values[0, FLICKER] = float(own.flicker_after(before))
            before = segment.signs.last if ledger.plan is not None else None
        if not segments:
            none = np.zeros(0, np.float32)
            return cls((), np.zeros((0, len(SIGNS)), np.float32), none, none)
        eyes = [_known(one, one.signs.eyes if one.signs else None) for one in segments]
        views = [_known(one, one.signs.views if one.signs else None) for one in segments]
        return cls(segments, *map(np.concatenate, (rows, eyes, views)))

    def moments(self) -> list[JobMoment]:
        """Return the frames that are pictured, the most doubtful first."""
        found = [
            JobMoment(segment, frame, float(self.values[frame, DOUBT]), pictures)
            for segment in self.segments
            if segment.signs is not None
            for pictures in segment.signs.moments
            for frame in [segment.first_frame + pictures.frame]
        ]
        return sorted(found, key=lambda moment: -moment.doubt)


def read_recorded(
    ledger: Ledger, recorded: OutputFile | None, frames: int, *, base: bool = False
) -> SegmentSigns | None:
    """Return what was seen of a segment; None where that is not there as it was recorded.

    Args:
        base: whether it is of the matte without ranges.
    """
    if recorded is None:
        return None
    path = (ledger.folder.bases if base else ledger.folder.signs) / recorded.file
    if not recorded.fingerprint.matches(path):
        return None
    try:
        return read_segment_signs(path, frames)
    except InputError:
        return None


def _known(segment: SignedSegment, values: Values | None) -> Values:
    """Return some values of a segment; NaN where they are not known."""
    return np.full(segment.frames, np.nan, np.float32) if values is None else values


def _segments(ledger: Ledger) -> Iterator[SignedSegment]:
    planned = {own.name: own.frames for own in ledger.plan.segments} if ledger.plan else {}
    first = 0
    for name in ledger.names:
        entry = ledger.entry(name)
        frames = entry.frames or planned.get(name, 0)
        signs = read_recorded(ledger, entry.signs, frames) if ledger.says_done(name) else None
        yield SignedSegment(name, first, frames, signs)
        first += frames
