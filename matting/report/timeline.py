"""What was done when, on the timeline of a job's report: segments, warm-ups, damage, ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from matting.project.entry import InitialState
from matting.project.job_signs import JobSigns
from matting.project.ledger import Ledger
from matting.project.plan import PlannedSegment
from matting.project.ranges import RangeStatus
from matting.report.frame_clock import FrameClock
from matting.report.job_facts import DAMAGE, STATES, SegmentRow

MOST_SPANS = 2_000  # in a band; of more, some neighbours are shown as one
SEVERAL = "several, one close to the next"


class Span(NamedTuple):
    """A part of the timeline, in seconds, and what is to be said of it."""

    start: float
    end: float
    text: str


def timeline_bands(
    ledger: Ledger, signs: JobSigns, clock: FrameClock, rows: Sequence[SegmentRow]
) -> list[dict[str, object]]:
    """Return the bands of the timeline, for the page's script; those without anything are left out.

    Args:
        rows: of the segments, in order.
    """
    bands = {
        "Segments": list(_segments(clock, rows)),
        "Warm-ups and damaged frames": sorted([*_warm_ups(clock, rows), *_damaged(ledger, clock)]),
        "Done again": sorted(_ranges(ledger, signs, clock)),
    }
    return [{"name": name, "spans": fewer_spans(spans)} for name, spans in bands.items() if spans]


def _segments(clock: FrameClock, rows: Sequence[SegmentRow]) -> Iterator[Span]:
    for row in rows:
        if row.frames:
            when = f", {row.ended}, took {row.took}" if row.ended else ""
            yield _span(clock, row.first_frame, row.frames, f"{row.name}: {row.state}{when}")


def _warm_ups(clock: FrameClock, rows: Sequence[SegmentRow]) -> Iterator[Span]:
    for row in rows:
        if row.frames and row.start == STATES[InitialState.WARMED_UP]:
            yield _span(clock, row.first_frame, 1, row.start)


def _damaged(ledger: Ledger, clock: FrameClock) -> Iterator[Span]:
    """Yield the damaged frames of a video; of separate ones nothing is known."""
    plan = ledger.plan
    if plan is None:
        return
    frame_seconds = float(1 / plan.rate)
    for own in plan.segments:
        for ticks, text in _damage_of(own):
            start = float((ticks - plan.start_pts) * plan.time_base)
            if 0 <= start <= clock.seconds[-1]:
                yield Span(start, start + frame_seconds, text)


def _damage_of(segment: PlannedSegment) -> Iterator[tuple[int, str]]:
    damaged = {
        "repeated": segment.repeated,
        "doubtful": segment.doubtful,
        "missing": segment.missing,
    }
    for kind, times in damaged.items():
        yield from ((ticks, f"damaged frames {DAMAGE[kind]}") for ticks in times)


def _ranges(ledger: Ledger, signs: JobSigns, clock: FrameClock) -> Iterator[Span]:
    first_frames = {own.name: own.first_frame for own in signs.segments}
    for own in ledger.ranges:
        if own.status is not RangeStatus.WHOLE:
            continue
        for name, part in own.parts.items():
            if name in first_frames and own.number in ledger.entry(name).spliced:
                first = first_frames[name] + part.first_frame
                yield _span(clock, first, part.frames, f"range {own.number}")


def _span(clock: FrameClock, first: int, frames: int, text: str) -> Span:
    end = clock.seconds[first + frames - 1] + float(
        clock.end_of(first + frames - 1) - clock.time_of(first + frames - 1)
    )
    return Span(float(clock.seconds[first]), float(end), text)


def fewer_spans(spans: Sequence[Span]) -> list[Span]:
    """Return spans, rounded to milliseconds, of which those are one that touch and say the same.

    Of too many, those are one between which least time is.
    """
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and span.text == last.text and span.start <= last.end + 1e-3:
            joined[-1] = Span(last.start, max(last.end, span.end), last.text)
        else:
            joined.append(span)
    if len(joined) > MOST_SPANS:
        joined = list(_closest_joined(joined))
    return [Span(round(start, 3), round(end, 3), text) for start, end, text in joined]


def _closest_joined(spans: Sequence[Span]) -> Iterator[Span]:
    gaps = [after.start - before.end for before, after in pairwise(spans)]
    widest = set(sorted(range(len(gaps)), key=lambda place: -gaps[place])[: MOST_SPANS - 1])
    first = 0
    for place in range(len(spans)):
        if place == len(spans) - 1 or place in widest:
            part = spans[first : place + 1]
            text = part[0].text if len(part) == 1 else SEVERAL
            yield Span(part[0].start, max(own.end for own in part), text)
            first = place + 1
