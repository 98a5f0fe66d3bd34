"""Which frames a range holds: those that begin to be shown between two times that players show."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from matting.errors import InputError
from matting.media.probe import probe
from matting.media.video_info import USUAL_RATE
from matting.media.video_source import VideoSource
from matting.project.inputs import Input, InputFolder
from matting.project.plan import Plan
from matting.range_options import RangeOptions
from matting.system.humanize import exact_clock

# Players and containers round times to milliseconds.
ROUNDED_BY_SECONDS = Fraction(1, 1000)
# A player that shows whole seconds may show the end of a video so much too late.
LATE_END_SECONDS = 1


@dataclass(frozen=True)
class SegmentFrames:
    """Consecutive frames of a segment.

    Attributes:
        first: from 0.
    """

    item: Input
    first: int
    frames: int


@dataclass(frozen=True)
class RangeFrames:
    """The frames of a range.

    Attributes:
        parts: by the segments that they are in, in order.
        starts_shot, ends_shot: whether a shot starts with the first of them, and ends with the
            last.
    """

    parts: tuple[SegmentFrames, ...]
    starts_shot: bool = True
    ends_shot: bool = True


@dataclass(frozen=True)
class _Clock:
    """When the frames of some segments, which follow each other, are shown by a player.

    Attributes:
        items: the segments.
        starts: the numbers of their first frames.
        ticks: when each frame begins to be shown.
        end: when the last one ends.
        time_base: seconds a tick.
    """

    items: Sequence[Input]
    starts: Sequence[int]
    ticks: Sequence[int]
    end: int
    time_base: Fraction


def range_frames(inputs: InputFolder, asked: RangeOptions, rate: Fraction | None) -> RangeFrames:
    """Return the frames that a range holds.

    Args:
        rate: frames a second of an image sequence, as for `Input.open`.
    Raises:
        InputError: it holds none, leaves the video, or it does not say of which video it is.
    """
    items = _asked_items(inputs, asked)
    if asked.is_whole:
        return RangeFrames(tuple(SegmentFrames(i, 0, _frames(i, rate)) for i in items))
    clock = _clock_of(inputs.plan, items, rate)
    start, end = asked.start_seconds or Fraction(0), asked.end_seconds
    if end is not None and end <= start:
        raise InputError(
            f"The range is empty: it would end at {exact_clock(end)}, before it starts, at "
            f"{exact_clock(start)}.",
            "Give the earlier time with --from, and the later one with --to.",
            option="--to",
        )
    _require_inside(clock, start, end)
    first = bisect_left(clock.ticks, (start - ROUNDED_BY_SECONDS) / clock.time_base)
    stop = len(clock.ticks)
    if end is not None:
        stop = bisect_left(clock.ticks, (end - ROUNDED_BY_SECONDS) / clock.time_base)
    if first >= stop:  # no frame begins there: the one that is shown
        first = max(0, bisect_right(clock.ticks, start / clock.time_base) - 1)
        stop = first + 1
    shots = _shot_starts(items, clock)
    ends_shot = stop == len(clock.ticks) or stop in shots
    return RangeFrames(tuple(_parts(clock, first, stop)), first in shots, ends_shot)


def _asked_items(inputs: InputFolder, asked: RangeOptions) -> Sequence[Input]:
    """Return the segments of the video that is meant.

    Raises:
        InputError: there are several, or none of that name.
    """
    names = ", ".join(item.name for item in inputs.inputs[:5])
    if asked.video is not None:
        found = [item for item in inputs.inputs if inputs.plan is None and item.name == asked.video]
        if not found:
            raise InputError(
                f"{inputs.path} holds no separate video {asked.video}.",
                f"What it holds: {names}.",
                option="--video",
            )
        return found
    if inputs.plan is None and len(inputs.inputs) > 1 and not asked.is_whole:
        raise InputError(
            f"{inputs.path} holds separate videos, and the range may be of any.",
            f"Say of which with --video; the first are {names}.",
            option="--video",
        )
    return inputs.inputs


def _clock_of(plan: Plan | None, items: Sequence[Input], rate: Fraction | None) -> _Clock:
    if plan is not None:
        starts: list[int] = []
        ticks: list[int] = []
        for segment in plan.segments:
            starts.append(len(ticks))
            first = segment.first_pts - plan.start_pts
            ticks += [first + time for time in segment.times()]
        return _Clock(items, starts, ticks, _end(ticks, plan.rate, plan.time_base), plan.time_base)
    (item,) = items
    source = item.open(rate)
    if isinstance(source, VideoSource):
        before = probe(item.path).start_pts
        times = [time - before for time in source.times]
        end = _end(times, source.rate, source.time_base)
        return _Clock(items, [0], times, end, source.time_base)
    count = source.frames
    return _Clock(items, [0], range(count), count, 1 / (rate or USUAL_RATE))


def _end(ticks: Sequence[int], rate: Fraction, time_base: Fraction) -> int:
    """Return when the last frame ends: it lasts as long as one does at that rate."""
    return ticks[-1] + max(1, round(1 / (rate * time_base)))


def _require_inside(clock: _Clock, start: Fraction, end: Fraction | None) -> None:
    last = clock.end * clock.time_base
    for time, option in ((start, "--from"), (end, "--to")):
        late = LATE_END_SECONDS if option == "--to" else 0
        if time is not None and (time > last + late or (time == last and not late)):
            raise InputError(
                f"{option} {exact_clock(time)} is after the end of the video, which is at "
                f"{exact_clock(last)}.",
                "Give times as a player shows them, as 0:41:10 or 41:10.",
                option=option,
            )


def _shot_starts(items: Sequence[Input], clock: _Clock) -> set[int]:
    """Return the frames at which shots start, as far as that is known."""
    return {0} | {
        start + shot
        for item, start in zip(items, clock.starts, strict=True)
        for shot in item.shot_starts or ()
    }


def _parts(clock: _Clock, first: int, stop: int) -> Iterator[SegmentFrames]:
    bounds = pairwise([*clock.starts, len(clock.ticks)])
    for item, (start, end) in zip(clock.items, bounds, strict=True):
        if start < stop and first < end:
            own = max(first, start)
            yield SegmentFrames(item, own - start, min(stop, end) - own)


def _frames(item: Input, rate: Fraction | None) -> int:
    return item.frames if item.frames is not None else item.open(rate).frames
