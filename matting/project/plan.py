"""The plan of a segments folder: which frames of the source each segment holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from typing import Any

from matting.errors import InputError
from matting.project.paths import PLAN_NAME
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint

VERSION = 3
END_BYTES = 1 << 20
CUT_AGAIN = "Cut the video again: segment with the option --overwrite."


# What reading somebody else's JSON as ours raises.
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@dataclass(frozen=True)
class SourceFingerprint:
    """By what a source video is known again: its name, size, and the hash of both its ends."""

    name: str
    size_bytes: int
    ends_sha256: str

    @classmethod
    def of(cls, video: Path) -> SourceFingerprint:
        """That of `video`, by reading two megabytes of it."""
        size = video.stat().st_size
        with video.open("rb") as file:
            digest = hashlib.sha256(file.read(END_BYTES))
            file.seek(max(0, size - END_BYTES))
            digest.update(file.read(END_BYTES))
        return cls(video.name, size, digest.hexdigest())


@dataclass(frozen=True)
class PlannedSegment:
    """One segment; its times are those of the source, in ticks of the plan's time base.

    Attributes:
        first_pts: of its first frame.
        gaps: from each frame to the next, in order of display, as (ticks, how many such gaps).
        fingerprint: of the file as it was cut; one that was changed since has another.
        repeated: the PTS of damaged frames, in whose place another frame is shown.
    """

    name: str
    first_pts: int
    gaps: tuple[tuple[int, int], ...]
    fingerprint: Fingerprint
    repeated: tuple[int, ...] = ()

    @property
    def frames(self) -> int:
        return 1 + sum(count for _, count in self.gaps)

    def times(self) -> list[int]:
        """When each frame is shown, from the first on."""
        return list(accumulate((t for t, count in self.gaps for _ in range(count)), initial=0))


def gaps_of(pts: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The gaps between rising times, as `PlannedSegment` has them."""
    steps = (later - earlier for earlier, later in pairwise(pts))
    return tuple((step, len(list(same))) for step, same in groupby(steps))


@dataclass(frozen=True)
class Plan:
    """How a source was cut.

    Attributes:
        time_base: seconds a tick of every PTS here.
        rate: the source's frames a second on average; each piece of a variable-rate source has
            its own, but all are encoded with this one, so that they can be joined.
        start_pts: the PTS at which the source container starts (sound may start before picture).
        seconds: the length of segments asked for; for the user's information.
        reencoded: whether new pieces were asked for; else they hold the source's own packets
            wherever these give exact pieces.
    """

    source: SourceFingerprint
    time_base: Fraction
    rate: Fraction
    start_pts: int
    seconds: str
    reencoded: bool
    segments: tuple[PlannedSegment, ...]

    @property
    def frames(self) -> int:
        return sum(segment.frames for segment in self.segments)

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "source": vars(self.source),
            "time_base": str(self.time_base),
            "rate": str(self.rate),
            "start_pts": self.start_pts,
            "seconds": self.seconds,
            "reencoded": self.reencoded,
            "segments": [
                {
                    "name": s.name,
                    "first_pts": s.first_pts,
                    "frames": s.frames,
                    "gaps": " ".join(f"{ticks}x{count}" for ticks, count in s.gaps),
                    **vars(s.fingerprint),
                    "repeated": list(s.repeated),
                }
                for s in self.segments
            ],
        }

    @classmethod
    def from_json(cls, value: Any) -> Plan:
        """The reverse of `to_json`; KeyError, TypeError or ValueError where it is none."""
        if value["version"] != VERSION:
            raise ValueError(f"version {value['version']!r}")
        source = SourceFingerprint(
            str(value["source"]["name"]),
            int(value["source"]["size_bytes"]),
            str(value["source"]["ends_sha256"]),
        )
        segments = tuple(
            PlannedSegment(
                _plain_name(s["name"]),
                int(s["first_pts"]),
                _gaps(s["gaps"]),
                Fingerprint(int(s["size_bytes"]), str(s["sha256"])),
                tuple(int(pts) for pts in s["repeated"]),
            )
            for s in value["segments"]
        )
        names = {segment.name for segment in segments}
        time_base, rate = Fraction(value["time_base"]), Fraction(value["rate"])
        if not names or len(names) < len(segments):
            raise ValueError("segments that are missing or named twice")
        if time_base <= 0 or rate <= 0:
            raise ValueError("times that do not rise")
        return cls(
            source=source,
            time_base=time_base,
            rate=rate,
            start_pts=int(value["start_pts"]),
            seconds=str(value["seconds"]),
            reencoded=bool(value["reencoded"]),
            segments=segments,
        )


def read_plan(segments_folder: Path) -> Plan | None:
    """The plan of a folder made by `segment`; None where there is none.

    Raises:
        InputError: there is one, but it cannot be read.
    """
    path = segments_folder / PLAN_NAME
    if not path.is_file():
        return None
    value = atomic_files.read_json(path, CUT_AGAIN, option="--overwrite")
    try:
        return Plan.from_json(value)
    except UNREADABLE as error:
        raise InputError(
            f"{path} is not a list of segments this version can read ({error}).",
            CUT_AGAIN,
            option="--overwrite",
        ) from error


def write_plan(segments_folder: Path, plan: Plan) -> None:
    """Writes the plan into the folder of its segments."""
    atomic_files.write_json(segments_folder / PLAN_NAME, plan.to_json())


def concat_list(names: Sequence[str]) -> str:
    """The text of a list of files as ffmpeg's concat demuxer reads it."""
    quoted = (name.replace("'", "'\\''") for name in names)
    return "".join(f"file '{name}'\n" for name in quoted)


def _gaps(text: str) -> tuple[tuple[int, int], ...]:
    pairs = [gap.split("x") for gap in text.split()]
    gaps = tuple((int(ticks), int(count)) for ticks, count in pairs)
    if any(ticks < 1 or count < 1 for ticks, count in gaps):
        raise ValueError("times that do not rise")
    return gaps


def _plain_name(name: Any) -> str:
    """A file name that cannot lead out of its folder."""
    if not isinstance(name, str) or Path(name).name != name or name in {"", ".", ".."}:
        raise ValueError(f"{name!r} is not a file name")
    return name
