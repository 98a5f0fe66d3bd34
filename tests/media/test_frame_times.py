"""Every frame gets a time; those that have a good one keep it."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from matting.media.frame_times import (
    FINE_TICKS,
    FrameClock,
    finer_ticks,
    is_no_clock,
    rising_times,
    times_as_ffmpeg,
)

STEP = Fraction(100)
QUICK = settings(deadline=None, max_examples=150)


def shown(times: list[int | None]) -> list[int]:
    return rising_times(times, STEP)


def as_ffmpeg(
    pts: list[int | None], dts: list[int | None], duration: int | None = None
) -> list[int]:
    clocks = [FrameClock(*times, duration) for times in zip(pts, dts, strict=True)]
    return times_as_ffmpeg(clocks, STEP)


def test_only_the_frame_without_a_good_time_gets_another() -> None:
    assert shown([0, 100, 100, 300, 400]) == [0, 100, 200, 300, 400]
    assert shown([0, 200, 200, 300, 400]) == [0, 100, 200, 300, 400]
    assert shown([0, 100, None, None, 400]) == [0, 100, 200, 300, 400]
    assert shown([0, 100, 99_999, 300, 400]) == [0, 100, 200, 300, 400]
    assert shown([0, 100, -50, 300, 400]) == [0, 100, 200, 300, 400]
    assert shown([None, 100, 200, None]) == [0, 100, 200, 300]
    assert shown([None, None]) == [0, 100]
    assert shown([0, 40, 40, 80, None]) in ([0, 20, 40, 80, 120], [0, 40, 60, 80, 120])
    assert shown([0, 40, 80, 80, 120, None])[-1] == 160


def test_frames_that_share_a_coarse_tick_find_room_in_finer_ones() -> None:
    coarse = [0, 1, 2, 2, 3, 4]
    finer = finer_ticks(coarse)
    assert finer == FINE_TICKS
    fine = shown([time * finer for time in coarse])
    assert [fine[place] for place in (0, 1, 2, 4, 5)] == [0, 64, 128, 192, 256]
    assert finer_ticks([0, 1, 2, 3]) == 1


def test_times_that_go_back_are_replaced_by_those_of_decoding() -> None:
    assert as_ffmpeg([0, 200, 300, 100, 500], [100, 200, 300, 400, None]) == [0, 200, 300, 400, 500]
    # Where those go back as often, and where there are none, nothing is better.
    assert as_ffmpeg([0, 200, 100], [0, 100, 50]) == [0, 200, 100]
    assert as_ffmpeg([0, 200, 100], [None] * 3) == [0, 200, 100]


def test_a_frame_without_any_time_follows_when_the_one_before_has_lasted() -> None:
    assert as_ffmpeg([6, None, None, None], [46, 86, 126, None]) == [6, 86, 126, 166]
    assert as_ffmpeg([6, None, None, 500], [None] * 4, 40) == [6, 46, 86, 500]
    assert as_ffmpeg([6, 16, None, None], [None] * 4) == [6, 16, 26, 36]
    assert as_ffmpeg([6, 16, None], [None] * 3, 1) == [6, 16, 26]
    assert as_ffmpeg([None, None], [None] * 2) == [0, 100]


@QUICK
@given(
    gaps=st.lists(st.integers(1, 1000), min_size=1, max_size=30),
    delay=st.integers(0, 3),
    unsaid=st.sets(st.integers(0, 29)),
)
def test_times_that_rise_are_as_the_container_says(
    gaps: list[int], delay: int, unsaid: set[int]
) -> None:
    times: list[int | None] = [*accumulate(gaps)]
    decoded = [*times[delay:], *[None] * min(delay, len(times))]
    assert as_ffmpeg(times, decoded) == times
    said = [None if place in unsaid else time for place, time in enumerate(times)]
    assert as_ffmpeg(said, times) == times


@QUICK
@given(
    gap=st.integers(1, 10**6),
    frames=st.integers(2, 40),
    lasting=st.fractions(Fraction(1, 10), 20),
    missing=st.sets(st.integers(0, 39), max_size=5),
)
def test_numbers_of_frames_are_no_times(
    gap: int, frames: int, lasting: Fraction, missing: set[int]
) -> None:
    times = [None if place in missing else place * gap for place in range(frames)]
    usual = int(gap * lasting)
    assert not is_no_clock(times, [usual] * frames)
    assert not is_no_clock(times, [0, None] * frames)
    few = sum(time is not None for time in times) < 2
    numbers = [None if time is None else time // gap for time in times]
    assert few or len(missing) * 3 > frames or is_no_clock(numbers, [48_000] * frames)


@st.composite
def disturbed(draw: st.DrawFn) -> tuple[list[int], list[int | None], set[int]]:
    """Return the true times of frames, those of a file, and the places where they differ."""
    gaps = draw(st.lists(st.integers(40, 4000), min_size=6, max_size=40))
    true = list(accumulate(gaps, initial=draw(st.integers(-5000, 10**12))))
    given: list[int | None] = list(true)
    places: set[int] = set()
    for place in draw(st.lists(st.integers(2, len(true) - 3), max_size=len(true))):
        if not places & set(range(place - 2, place + 3)):
            places.add(place)
    for place in places:
        kind = draw(st.sampled_from(["missing", "doubled", "back", "ahead"]))
        far = draw(st.integers(5_000_000, 10**9))
        given[place] = {
            "missing": None,
            "doubled": true[place - 1],
            "back": true[place] - far,
            "ahead": true[place] + far,
        }[kind]
    return true, given, places


@QUICK
@given(disturbed())
def test_good_times_stay(times: tuple[list[int], list[int | None], set[int]]) -> None:
    true, given, places = times
    result = shown(given)
    assert len(result) == len(true)
    assert all(earlier < later for earlier, later in pairwise(result))
    for place, (time, before) in enumerate(zip(result, true, strict=True)):
        # Of two that share a time, the other one may be the one that lacks its own.
        is_doubled = place + 1 in places and given[place + 1] == given[place]
        assert place in places or is_doubled or time == before
        if place in places:
            assert true[place - 2] < time < true[place + 1]


@QUICK
@given(st.lists(st.none() | st.integers(-(2**62), 2**62), min_size=1, max_size=40))
def test_whatever_a_file_says_times_rise(times: list[int | None]) -> None:
    result = shown(times)
    assert len(result) == len(times)
    assert all(earlier < later for earlier, later in pairwise(result))
    known = [time for time in times if time is not None]
    if len(known) == len(times) and all(a < b for a, b in pairwise(known)):
        assert result == times
