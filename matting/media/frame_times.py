"""When frames are presented whose container says it badly: judged frame by frame."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from statistics import median_low
from typing import NamedTuple

FINE_TICKS = 64  # from one frame to the next: room for those that share one time
# How many times longer than from one to the next frames may say that they last.
MOST_OVERLAPPING = 100


def rising_times(times: Sequence[int | None], step: Fraction, start: int = 0) -> list[int]:
    """Return strictly rising times for frames in order of presentation.

    A good time stays: one that rises with most others and leaves the frames between a tick each.
    A frame without one gets its share of the time between its neighbours.

    Args:
        times: of each frame, in ticks; None where there is none.
        step: from one frame to the next where nothing says it, in ticks.
        start: the first frame's time where no frame has one.
    """
    kept = _good_frames(times)
    if len(kept) == len(times):
        return [time for time in times if time is not None]
    if not kept:
        return [start + int(place * max(step, Fraction(1))) for place in range(len(times))]
    return list(_fill(kept, len(times), step))


class FrameClock(NamedTuple):
    """What a file says of when a frame is shown, in ticks.

    Attributes:
        pts: when it is presented; None where the container does not say.
        dts: when the packet is decoded with which it comes out; None also where it comes out at
            the end.
        duration: how long it is shown; None or 0 where the container does not say.
    """

    pts: int | None
    dts: int | None
    duration: int | None = None


def times_as_ffmpeg(frames: Iterable[FrameClock], step: Fraction, start: int = 0) -> list[int]:
    """Return when FFmpeg's program shows frames, in the order in which they come.

    Their times of presentation, until those have gone back more often than those of decoding, which
    stand for them from then on, and where there is no other (FFmpeg's `guess_correct_pts`). A frame
    that has neither follows the one before when that has lasted. These times may be doubled and
    may go back.

    Args:
        step: from one frame to the next where nothing says it, in ticks.
        start: the first frame's time where it has none.
    """
    result: list[int] = []
    faulty_pts = faulty_dts = 0
    last_pts: int | None = None
    last_dts: int | None = None
    lasting = max(1, round(step))
    for pts, dts, duration in frames:
        faulty_dts += _goes_back(last_dts, dts)
        faulty_pts += _goes_back(last_pts, pts)
        if pts is not None or dts is not None:
            last_pts = dts if pts is None else pts
            last_dts = pts if dts is None else dts
        is_good = pts is not None and (faulty_pts <= faulty_dts or dts is None)
        time = pts if is_good else dts
        if time is None:
            time = result[-1] + lasting if result else start
        rise = time - result[-1] if result else 0
        # One tick is what FFmpeg makes up.
        said = 0 if duration == 1 and rise > 2 else duration
        lasting = said or max(rise, 0) or lasting
        result.append(time)
    return result


def is_no_clock(times: Sequence[int | None], durations: Sequence[int | None]) -> bool:
    """Return whether times only number the frames, as FFmpeg gives those of a bare Dirac stream.

    Args:
        times: of the frames, in any order.
        durations: how long each says that it lasts, in the same ticks.
    """
    known = sorted({time for time in times if time is not None})
    said = [duration for duration in durations if duration]
    if len(known) < 2 or not said:
        return False
    usual = median_low(later - earlier for earlier, later in pairwise(known))
    return usual * MOST_OVERLAPPING < median_low(said)


def finer_ticks(times: Sequence[int | None]) -> int:
    """Return by how much to divide the ticks so that frames that share a time find room beside it.

    Args:
        times: of the frames, in any order.
    """
    known = sorted({time for time in times if time is not None})
    if len(known) == len(times) or len(known) < 2:
        return 1
    usual = median_low(later - earlier for earlier, later in pairwise(known))
    return max(1, FINE_TICKS // usual)


def _goes_back(before: int | None, time: int | None) -> bool:
    return before is not None and time is not None and time <= before


def _good_frames(times: Sequence[int | None]) -> list[tuple[int, int]]:
    """Return (place, time) of the most frames whose times rise by a tick a frame at the least."""
    ends: list[int] = []  # the least `time - place` in which so many good frames can end
    chains: list[int] = []  # the place of that frame
    before: list[int] = [-1] * len(times)
    for place, time in enumerate(times):
        if time is None:
            continue
        length = bisect_right(ends, time - place)
        before[place] = chains[length - 1] if length else -1
        ends[length : length + 1] = [time - place]
        chains[length : length + 1] = [place]
    good: list[tuple[int, int]] = []
    place = chains[-1] if chains else -1
    while place >= 0:
        good.append((place, times[place] or 0))
        place = before[place]
    return _first_or_last_of_equals(good[::-1], times)


def _first_or_last_of_equals(
    good: list[tuple[int, int]], times: Sequence[int | None]
) -> list[tuple[int, int]]:
    """Of neighbours that share a time, let the one have it that leaves the others more room."""
    place_of = {time: place for place, time in good}
    ends = {
        time: (group[0], group[-1])
        for time, same in groupby(range(len(times)), lambda place: times[place])
        if time in place_of and len(group := list(same)) > 1 and place_of[time] in group
    }
    result: list[tuple[int, int]] = []
    for index, (place, time) in enumerate(good):
        if time not in ends:
            result.append((place, time))
            continue
        first, last = ends[time]
        before = result[-1] if result else None
        after = good[index + 1] if index + 1 < len(good) else None
        more_before = before and after and time - before[1] > after[1] - time
        chosen = last if more_before else first
        if after is not None and after[1] - time < after[0] - chosen:
            chosen = place
        if before is not None and time - before[1] < chosen - before[0]:
            chosen = place
        result.append((chosen, time))
    return result


def _fill(good: Sequence[tuple[int, int]], frames: int, step: Fraction) -> Iterator[int]:
    """Yield a time for every frame, evenly between the good ones."""
    gaps = [(later[1] - earlier[1], later[0] - earlier[0]) for earlier, later in pairwise(good)]
    steps = [Fraction(*gap) for gap in gaps] or [max(step, Fraction(1))]
    # Between others there may be too many frames for their time.
    own_steps = [Fraction(span) for span, count in gaps if count == 1] or steps
    first, time = good[0]
    for place in range(first):
        yield time - int((first - place) * own_steps[0])
    for (_, time), (span, count) in zip(good, gaps, strict=False):
        for number in range(count):
            yield time + span * number // count
    last, time = good[-1]
    for place in range(last, frames):
        yield time + int((place - last) * own_steps[-1])
