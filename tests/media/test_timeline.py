"""Where clocks jump, picture and audio go on together; where they do not, nothing moves."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.errors import MediaError
from matting.media.clock_runs import RunReader
from matting.media.timeline import (
    MOST_SHIFTS,
    OVERLAP_SECONDS,
    Clock,
    Shift,
    Timeline,
    timeline_of,
)

TICKS = 90_000
FRAME, BLOCK = 3000, 1920  # ticks a frame of the picture, and a packet of the audio
PICTURE, AUDIO = 0, 1
HOUR = 3600 * TICKS


class Sent(NamedTuple):
    """A packet: the true time at which it is presented, and what it says itself."""

    stream: int
    true: int
    pts: int
    dts: int


def recording(
    frames: Sequence[int], clocks: Sequence[int], late: int = 0, reordered: bool = False
) -> list[Sent]:
    """Return a recording whose clock jumps, in the order of the file.

    Args:
        frames: of the picture until each jump.
        clocks: what the clock says where each part begins.
        late: how many ticks later than the picture the audio is written.
    """
    packets: list[tuple[int, Sent]] = []
    start = 0
    for count, clock in zip(frames, clocks, strict=True):
        ticks = clock - start
        places = list(range(count))
        if reordered:
            places = [
                p + (1 if p % 2 else -1) if 0 < p < count - 1 + count % 2 else p for p in places
            ]
        for number, place in enumerate(places):
            true, decoded = start + place * FRAME, start + (number - 1) * FRAME
            packets.append((decoded, Sent(PICTURE, true, true + ticks, decoded + ticks)))
        stop = start + count * FRAME
        first = -(-start // BLOCK) * BLOCK
        for time in range(first, stop, BLOCK):
            packets.append((time + late, Sent(AUDIO, time, time + ticks, time + ticks)))
        start = stop
    return [packet for _, packet in sorted(packets, key=lambda item: item[0])]


def line_of(packets: Sequence[Sent], container: str = "mpegts") -> Timeline:
    tick = Fraction(1, TICKS)
    readers: dict[int, RunReader] = {}
    for place, sent in enumerate(packets):
        reader = readers.setdefault(sent.stream, RunReader(container, tick))
        reader.add(sent.pts, sent.dts, FRAME if sent.stream == PICTURE else BLOCK, place)
    clocks = {index: Clock(reader.runs, tick) for index, reader in readers.items()}
    return timeline_of(clocks, PICTURE, [AUDIO], step=FRAME * tick, restarts=container == "mpegts")


def placed(packets: Sequence[Sent], line: Timeline, stream: int) -> list[int]:
    own = [sent for sent in packets if sent.stream == stream]
    return [sent.pts + round(line.shift(stream, n) * TICKS) for n, sent in enumerate(own)]


jumps = st.integers(-20 * HOUR, 20 * HOUR).filter(lambda ticks: abs(ticks) > 15 * TICKS)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(70, 200), min_size=1, max_size=4),
    st.data(),
    st.integers(-20_000, 20_000),
    st.booleans(),
)
def test_clocks_that_jump(
    frames: list[int], data: st.DataObject, late: int, reordered: bool
) -> None:
    clocks = [30 * HOUR]
    for count in frames[:-1]:
        clocks.append(clocks[-1] + count * FRAME + data.draw(jumps))
    packets = recording(frames, clocks, late, reordered)
    line = line_of(packets)
    for stream in (PICTURE, AUDIO):
        true = [sent.true + clocks[0] for sent in packets if sent.stream == stream]
        assert placed(packets, line, stream) == true


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(15, 200), min_size=2, max_size=4), st.data(), st.booleans())
def test_clocks_that_go_back_a_little(
    frames: list[int], data: st.DataObject, reordered: bool
) -> None:
    clocks = [30 * HOUR]
    for count in frames[:-1]:
        back = data.draw(st.integers(TICKS // 4, TICKS * 9 // 20))
        clocks.append(clocks[-1] + count * FRAME - back)
    packets = recording(frames, clocks, reordered=reordered)
    line = line_of(packets)
    for stream in (PICTURE, AUDIO):
        true = [sent.true + clocks[0] for sent in packets if sent.stream == stream]
        assert placed(packets, line, stream) == true


@pytest.mark.parametrize("bad", [1, 20])
def test_a_few_packets_that_go_back_a_little_move_no_others(bad: int) -> None:
    packets = recording([200], [HOUR])
    of_picture = [n for n, sent in enumerate(packets) if sent.stream == PICTURE]
    for n in of_picture[60 : 60 + bad]:
        sent = packets[n]
        packets[n] = sent._replace(pts=sent.pts - TICKS // 4, dts=sent.dts - TICKS // 4)
    line = line_of([sent for sent in packets if sent.stream == PICTURE])
    assert not line.is_cut
    assert line.strays == ((60, 60 + bad),)


def test_a_picture_that_goes_back_a_little_without_its_audio_stays() -> None:
    packets = recording([200], [HOUR])
    late = [
        sent._replace(pts=sent.pts - TICKS // 4, dts=sent.dts - TICKS // 4)
        if sent.stream == PICTURE and sent.true > 90 * FRAME
        else sent
        for sent in packets
    ]
    assert not line_of(late).is_cut


def test_times_that_ffmpeg_makes_up_may_run_ahead() -> None:
    """Where a program stream's own times are behind them, its clock does not start anew."""
    reader = RunReader("mpeg", Fraction(1, TICKS))
    for number in range(60):
        lead = number % 6 * FRAME
        time = number * FRAME + lead
        reader.add(time, time, FRAME, number, is_written=lead == 0)
    assert len(reader.runs) == 1


def test_joined_files_each_with_its_own_clock() -> None:
    """Their clocks start alike, and the audio of the first is over a little after its picture."""
    packets = recording([120, 120], [2 * TICKS, 2 * TICKS])
    tail = [
        Sent(AUDIO, 0, at, at) for at in (2 * TICKS + 120 * FRAME + n * BLOCK for n in range(3))
    ]
    middle = next(n for n, p in enumerate(packets) if n > 200 and p.pts == 2 * TICKS)
    joined = [*packets[: middle - 1], *tail, *packets[middle - 1 :]]
    line = line_of(joined)
    times = placed(joined, line, PICTURE)
    assert {later - earlier for earlier, later in pairwise(times)} == {FRAME}
    assert line.shift(AUDIO, 400) == line.shift(PICTURE, 200) == 120 * Fraction(FRAME, TICKS)


def test_the_picture_waits_for_audio_that_is_not_over() -> None:
    packets = recording([120, 120], [2 * TICKS, 2 * TICKS])
    tail = [Sent(AUDIO, 0, at, at) for at in range(6 * TICKS, 7 * TICKS, BLOCK)]
    middle = next(n for n, p in enumerate(packets) if n > 200 and p.pts == 2 * TICKS)
    joined = [*packets[: middle - 1], *tail, *packets[middle - 1 :]]
    line = line_of(joined)
    own, heard = placed(joined, line, PICTURE), placed(joined, line, AUDIO)
    waited = max(later - earlier for earlier, later in pairwise(own))
    assert TICKS - OVERLAP_SECONDS * TICKS <= waited <= TICKS + FRAME
    assert min(later - earlier for earlier, later in pairwise(heard)) > -OVERLAP_SECONDS * TICKS


def test_a_pause_that_only_the_picture_makes_stays() -> None:
    packets = recording([60], [TICKS])
    late = [Sent(PICTURE, 0, at, at) for at in range(HOUR, HOUR + 10 * FRAME, FRAME)]
    heard = [Sent(AUDIO, 0, at, at) for at in range(3 * TICKS, HOUR, 9 * TICKS)]
    assert not line_of([*packets, *heard, *late]).is_cut


def test_a_pause_that_only_the_audio_makes_stays() -> None:
    """It may go on long after the picture's end."""
    packets = recording([60], [TICKS])
    for ahead in (3 * TICKS, 9 * TICKS):
        late = [Sent(AUDIO, 0, at + ahead, at + ahead) for at in range(3 * TICKS, 4 * TICKS, BLOCK)]
        for container in ("mpegts", "matroska,webm"):
            assert not line_of([*packets, *late], container).is_cut


def test_a_clock_that_jumps_without_end_is_refused(tmp_path: Path) -> None:
    shifts = tuple(Shift(number, Fraction(number)) for number in range(MOST_SHIFTS + 1))
    with pytest.raises(MediaError, match="jump 401 times"):
        Timeline(shifts={PICTURE: shifts}).require_followed(tmp_path / "clip.ts")
    Timeline(shifts={PICTURE: shifts[1:]}).require_followed(tmp_path / "clip.ts")


def test_single_packets_on_another_clock_are_strays() -> None:
    for container in ("mpegts", "matroska,webm"):
        for far in (HOUR, -HOUR):
            packets = recording([100], [2 * HOUR])
            numbers = [n for n, sent in enumerate(packets) if sent.stream == PICTURE][40:42]
            for number in numbers:
                sent = packets[number]
                packets[number] = sent._replace(pts=sent.pts + far, dts=sent.dts + far)
            line = line_of(packets, container)
            assert not line.is_cut
            assert line.strays == ((40, 42),)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 40 * TICKS), min_size=2, max_size=60), st.booleans())
def test_times_that_rise_stay_where_they_are(gaps: list[int], is_flv: bool) -> None:
    """Elsewhere than in streams that are broadcast, a pause is a pause."""
    time, packets = 0, []
    for gap in gaps:
        packets.append(Sent(PICTURE, time, time, time))
        time += gap
    line = line_of(packets, "flv" if is_flv else "matroska,webm")
    assert not line.is_cut
    assert not line.strays


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 25), st.integers(0, 30))
def test_the_first_decoding_times_may_be_missing(group: int, unknown: int) -> None:
    """Matroska has none while pictures are reordered, however far ahead these are presented."""
    reader = RunReader("matroska", Fraction(1, TICKS))
    for number in range(3 * group):
        place = number - number % group + group - 1 - number % group
        decoded = None if number < unknown else (number - unknown) * FRAME
        reader.add(place * FRAME, decoded, FRAME, number)
    assert len(reader.runs) == 1
