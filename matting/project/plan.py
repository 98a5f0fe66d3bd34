"""The plan of a segments folder: which frames of the source each segment holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from matting.imaging.sample_format import Size
from matting.project import records
from matting.project.paths import PLAN_NAME
from matting.project.records import Count, FileName, Ticks
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.fingerprint import Fingerprint, Sha256
from matting.view import View

CUT_AGAIN = "Cut the video again, with the option --overwrite."
OVERWRITE = "--overwrite"

MOST_SEGMENTS = 1_000_000
MOST_FRAMES = 1 << 24  # of a video: 77 hours at 60 frames a second
LAST_TICK, LARGEST_RATIONAL = 2**63 - 1, 2**31 - 1  # that FFmpeg can count
RUN = re.compile(r"([0-9]{1,19})x([0-9]{1,8})(?: |\Z)")
SomeTicks = Annotated[tuple[Ticks, ...], Meta(max_length=MOST_FRAMES)]
FrameCount = Annotated[int, Meta(ge=1, le=MOST_FRAMES)]
ShotStarts = Annotated[tuple[FrameCount, ...], Meta(max_length=MOST_FRAMES)]


class PlannedSegment(Struct, frozen=True):
    """One segment; its times are the source's, in ticks of the plan's time base.

    Attributes:
        first_pts: of its first frame.
        frames: their number.
        gaps: from each frame to the next, in order of display: "512x14 513x1" is fourteen gaps of
            512 ticks and one of 513.
        size_bytes, sha256: of the file as it was cut; one that was changed since has others.
        repeated: the PTS of damaged frames, in whose place another frame is shown.
        doubtful: the PTS of damaged frames that are kept as a player shows them.
        missing: the PTS of damaged frames that no player shows; they are not counted here.
    """

    name: FileName
    first_pts: Ticks
    frames: FrameCount
    gaps: str
    size_bytes: Count
    sha256: Sha256
    repeated: SomeTicks = ()
    doubtful: SomeTicks = ()
    missing: SomeTicks = ()

    def __post_init__(self) -> None:
        frames, last = 1, self.first_pts
        for ticks, count in _runs(self.gaps):
            frames += count
            last += ticks * count
            if frames > self.frames:
                break
        if frames != self.frames:
            raise ValueError(f"Expected the gaps between {self.frames} frames")
        if last > LAST_TICK:
            raise ValueError("Expected times that can be counted")

    @classmethod
    def of(
        cls,
        name: str,
        pts: Sequence[int],
        fingerprint: Fingerprint,
        *,
        repeated: tuple[int, ...] = (),
        doubtful: tuple[int, ...] = (),
        missing: tuple[int, ...] = (),
    ) -> PlannedSegment:
        """Return the plan of a segment whose frames have the rising times `pts`."""
        return cls(
            name=name,
            first_pts=pts[0],
            frames=len(pts),
            gaps=_gaps(pts),
            size_bytes=fingerprint.size_bytes,
            sha256=fingerprint.sha256,
            repeated=repeated,
            doubtful=doubtful,
            missing=missing,
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """Of the file as it was cut."""
        return Fingerprint(self.size_bytes, self.sha256)

    def times(self) -> list[int]:
        """Return when each frame is presented, in ticks after the first."""
        gaps = (ticks for ticks, count in _runs(self.gaps) for _ in range(count))
        return list(accumulate(gaps, initial=0))


class Plan(Struct, frozen=True, kw_only=True):
    """How a source was cut.

    Attributes:
        time_base: seconds a tick of every PTS here.
        rate: the source's frames a second on average. Each segment of a variable-rate source has
            its own, but all are encoded with this one, so that they can be joined.
        start_pts: the PTS at which the source container starts (audio may start before video).
        seconds: the length of segments that was asked for.
        reencoded: whether re-encoding was asked for; otherwise they hold the source's own packets
            wherever these give exact segments.
        truncated: whether the source ended although it should have gone on.
        shots: the frames at which a shot starts after a cut, a fade or a dissolve, rising; counted
            through all segments from 0, which is not listed. None: a plan of an earlier version,
            which did not look for them.
        view, size_px: how its picture is meant to be seen, and its size upright; None: a plan of
            an earlier version, which did not look.
    """

    version: Literal[3] = 3
    source: SourceFingerprint
    time_base: Fraction
    rate: Fraction
    start_pts: Ticks
    seconds: Fraction
    reencoded: bool
    segments: Annotated[tuple[PlannedSegment, ...], Meta(min_length=1, max_length=MOST_SEGMENTS)]
    truncated: bool = False
    shots: ShotStarts | None = None
    view: View | None = None
    size_px: Size | None = None

    def __post_init__(self) -> None:
        if len({segment.name for segment in self.segments}) < len(self.segments):
            raise ValueError("Expected segments of different names")
        if min(self.time_base, self.rate, self.seconds) <= 0:
            raise ValueError("Expected a time base, a rate and a length above 0")
        if max(self.time_base.as_integer_ratio()) > LARGEST_RATIONAL:
            raise ValueError("Expected a time base of 32 bits")
        if self.frames > MOST_FRAMES:
            raise ValueError(f"Expected at most {MOST_FRAMES} frames")
        if any(later <= earlier for earlier, later in pairwise((0, *(self.shots or ())))):
            raise ValueError("Expected shots that start at rising frames")
        if self.size_px is not None and min(self.size_px) < 1:
            raise ValueError("Expected a picture that is not empty")

    @property
    def frames(self) -> int:
        return sum(segment.frames for segment in self.segments)

    @property
    def is_of_damaged(self) -> bool:
        """Whether the source was damaged, so that there may be a better copy of it."""
        damaged = (s.repeated or s.doubtful or s.missing for s in self.segments)
        return self.truncated or any(damaged)


_last_plan: records.LastRecord[Plan] = records.LastRecord()


def read_plan(segments_folder: Path) -> Plan | None:
    """Return the plan of a folder made by `segment`; None where there is none.

    Raises:
        InputError: there is one, but it cannot be read.
    """
    path = segments_folder / PLAN_NAME
    if not path.is_file():
        return None
    return records.read(path, Plan, CUT_AGAIN, option=OVERWRITE, last=_last_plan)


def write_plan(segments_folder: Path, plan: Plan) -> None:
    """Write the plan into the folder of its segments.

    Raises:
        StorageError: it cannot be written.
    """
    records.write(segments_folder / PLAN_NAME, plan)


def _gaps(pts: Sequence[int]) -> str:
    """Return the gaps between rising times, as `PlannedSegment` has them."""
    steps = (later - earlier for earlier, later in pairwise(pts))
    return " ".join(f"{step}x{len(list(same))}" for step, same in groupby(steps))


def _runs(gaps: str) -> Iterator[tuple[int, int]]:
    """Yield (ticks, how many such gaps in a row); ValueError where `gaps` is not of that form."""
    at = 0
    while at < len(gaps):
        run = RUN.match(gaps, at)
        if run is None:
            raise ValueError("Expected gaps such as 512x14")
        ticks, count = int(run[1]), int(run[2])
        if ticks < 1 or count < 1:
            raise ValueError("Expected gaps above 0")
        yield ticks, count
        at = run.end()
