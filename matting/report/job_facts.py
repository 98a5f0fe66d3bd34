"""What there is to say of a job: what is done, what was found, by what, and what was said."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from msgspec import UNSET, to_builtins

from matting.imaging.frame_signs import DOUBT
from matting.project.entry import Entry, InitialState
from matting.project.job_signs import JobSigns, SignedSegment, read_recorded
from matting.project.ledger import Ledger
from matting.project.paths import LOG_NAME, MattedFolder
from matting.project.plan import PlannedSegment
from matting.project.ranges import MattingRange, RangeStatus
from matting.system.humanize import time_taken

MOST_LOG_BYTES = 300_000
STATES = {
    InitialState.CARRIED: "went on from the segment before",
    InitialState.WARMED_UP: "warmed up by the last frames before it",
    InitialState.RESET: "began anew: its pictures have another size",
    InitialState.FRESH: "began a shot",
}


@dataclass(frozen=True)
class SegmentRow:
    """A segment, for a table.

    Attributes:
        state: what has become of it.
        ended: when it was made, as a local date and time; "": not known.
        took: how long that took; "": not known.
        made_by: as of `SegmentSigns`.
        start: how the network began it.
        remarks: what else was done, and what went wrong.
    """

    name: str
    first_frame: int
    frames: int
    state: str
    ended: str
    took: str
    made_by: str
    start: str
    remarks: Sequence[str]


@dataclass(frozen=True)
class RangeRow:
    """A range that was done again.

    Attributes:
        before, after: the means of the doubt over its frames; None: not known.
    """

    title: str
    made: str
    settings: str
    before: float | None
    after: float | None


class Makers(NamedTuple):
    """What made the segments.

    Attributes:
        of_all: what made all of them; "": not known, or not the same.
        of_each: what made each, "" where that is not known; empty where all are the same.
    """

    of_all: str
    of_each: Sequence[str]


def segment_rows(ledger: Ledger, signs: JobSigns) -> list[SegmentRow]:
    """Return all segments, in order."""
    planned = {own.name: own for own in ledger.plan.segments} if ledger.plan else {}
    return [_segment_row(ledger, own, planned.get(own.name)) for own in signs.segments]


def makers(rows: Sequence[SegmentRow]) -> Makers:
    """Return what made the segments, as the page says it.

    The name of a computer is left out where it made all: a report may be sent to somebody.
    """
    computers = {row.made_by.partition(", ")[0] for row in rows if row.made_by}
    is_alone = len(computers) == 1
    of_each = [row.made_by.partition(", ")[2] if is_alone else row.made_by for row in rows]
    known = {text for text in of_each if text}
    return Makers("", of_each) if len(known) > 1 else Makers("".join(known), ())


def _segment_row(ledger: Ledger, own: SignedSegment, planned: PlannedSegment | None) -> SegmentRow:
    entry = ledger.entry(own.name)
    done = ledger.says_done(own.name)
    state = "done" if done else "its outputs are to be made" if entry.waiting else "to be matted"
    ended = took = made_by = ""
    if own.signs is not None:
        ended = f"{datetime.fromtimestamp(own.signs.ended):%Y-%m-%d %H:%M:%S}"
        took = time_taken(own.signs.ended - own.signs.began)
        made_by = own.signs.made_by
    return SegmentRow(
        own.name,
        own.first_frame,
        own.frames,
        "failed" if entry.error and not done else state,
        ended,
        took,
        made_by,
        STATES[entry.start_state] if entry.start_state is not None else "",
        list(_remarks(ledger.entry(own.name), planned)),
    )


def _remarks(entry: Entry, planned: PlannedSegment | None) -> Iterator[str]:
    if entry.error:
        yield entry.error
    if entry.spliced:
        yield f"holds range {', '.join(map(str, entry.spliced))}, done again"
    if entry.start_state is InitialState.WARMED_UP and entry.lineage and not entry.lineage.exact:
        yield "its first frames may differ a little from those of one pass"
    if planned is not None:
        for what in ("repeated", "doubtful", "missing"):
            if count := len(getattr(planned, what)):
                yield f"{count} damaged frames {DAMAGE[what]}"


DAMAGE = {
    "repeated": "are shown as the one before",
    "doubtful": "are kept as a player shows them",
    "missing": "are shown by no player",
}


def range_rows(ledger: Ledger, signs: JobSigns) -> list[RangeRow]:
    """Return the ranges that count, in order, with what changed after them."""
    return [
        RangeRow(
            f"Range {own}",
            own.made,
            ", ".join(f"{k} {v}" for k, v in _settings(own).items()),
            *_change(ledger, signs, own),
        )
        for own in ledger.ranges
        if own.status is RangeStatus.WHOLE
    ]


def _change(
    ledger: Ledger, signs: JobSigns, own: MattingRange
) -> tuple[float | None, float | None]:
    """Return the doubt over a range's frames, without any range and as it is now."""
    before, after = [], []
    for segment in signs.segments:
        part, entry = own.parts.get(segment.name), ledger.entry(segment.name)
        if part is None or own.number not in entry.spliced or segment.signs is None:
            continue
        base = read_recorded(ledger, entry.base_signs, segment.frames, base=True)
        if base is not None:
            before.append(base.values[part.first_frame : part.stop, DOUBT])
            after.append(segment.signs.values[part.first_frame : part.stop, DOUBT])
    if not before:
        return None, None
    return float(np.concatenate(before).mean()), float(np.concatenate(after).mean())


def _settings(own: MattingRange) -> dict[str, object]:
    settings = {} if own.settings is None else to_builtins(own.settings)
    return {key: value for key, value in settings.items() if key not in {"checkpoint", "shots"}}


def job_settings(ledger: Ledger) -> dict[str, str]:
    """Return by what the job is matted, and what it was asked for, by their names."""
    found: dict[str, str] = {}
    for record in (ledger.remembered, ledger.agreed):
        values = {} if record is None else to_builtins(record)
        found |= {
            str(key): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            for key, value in values.items()
            if value is not UNSET and key != "shots"
        }
    return found


def hashes(ledger: Ledger) -> list[str]:
    """Return a line for each file that is proven: its SHA-256, and its name."""
    root = ledger.folder.root
    return [
        f"{own.sha256}  {path.relative_to(root).as_posix()}"
        for path, own in ledger.recorded_files()
    ]


def log_lines(folder: MattedFolder) -> list[str]:
    """Return the end of the job's log; nothing where there is none."""
    path = folder.root / LOG_NAME
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return []
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - MOST_LOG_BYTES))
            return file.read(MOST_LOG_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
