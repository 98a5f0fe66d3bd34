"""Work on moments in lanes: side by side, in order, while there is time, and frames read once."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from pathlib import Path
from threading import Barrier, Event

import pytest

from matting.errors import DecodeError
from matting.options import MattingOptions
from matting.report import moment_matting
from matting.report.comparison import Clip, PreviewedVideo
from matting.report.moment_matting import Clips, Lanes, Pace, result_of
from matting.report.moments import Moment
from tests.support.clips import make_clip

MOMENTS = [Moment(frame, 0, "in between") for frame in (30, 10, 20, 40)]
HANGS_SECONDS = 20.0


def frames_of(lanes: Lanes, pace: Pace) -> list[int]:
    found = lanes.results(lambda moment: moment.frame, MOMENTS, pace, pace.always)
    return [result for _, result in found if isinstance(result, int)]


def test_results_come_in_order_and_two_are_made_at_once() -> None:
    both = Barrier(2)

    def work(moment: Moment) -> int:
        both.wait(HANGS_SECONDS)
        return moment.frame

    prepared: list[bool] = []
    with Lanes(2, lambda: prepared.append(True)) as lanes:
        pace = Pace(time.monotonic() + HANGS_SECONDS)
        found = list(lanes.results(work, MOMENTS, pace, 0))
    assert prepared == [True, True]
    assert found == [(moment, moment.frame) for moment in MOMENTS]


def test_no_lane_waits_for_an_earlier_moment() -> None:
    last_begun = Event()

    def work(moment: Moment) -> int:
        if moment == MOMENTS[0]:
            assert last_begun.wait(HANGS_SECONDS)
        elif moment == MOMENTS[-1]:
            last_begun.set()
        return moment.frame

    with Lanes(2) as lanes:
        results = lanes.results(work, MOMENTS, Pace(time.monotonic() + HANGS_SECONDS), 0)
        assert [result for _, result in results] == [30, 10, 20, 40]


def test_when_the_time_is_over_only_those_are_made_that_always_are() -> None:
    with Lanes(2) as lanes:
        over = time.monotonic()
        assert frames_of(lanes, Pace(over, always=0)) == []
        assert frames_of(lanes, Pace(over, always=3)) == [30, 10, 20]
        assert frames_of(lanes, Pace(over + HANGS_SECONDS, always=0)) == [30, 10, 20, 40]


def test_a_moment_that_cannot_be_read_does_not_end_it() -> None:
    def work(moment: Moment) -> int:
        if moment.frame == 10:
            raise DecodeError("broken")
        return moment.frame

    with Lanes(1) as lanes:
        found = list(lanes.results(work, MOMENTS, Pace(0), always=4))
    assert [isinstance(result, DecodeError) for _, result in found] == [False, True, False, False]


def test_what_is_begun_stops_where_the_lanes_end() -> None:
    def work() -> None:
        if not lanes.stopped.wait(HANGS_SECONDS):
            pytest.fail("nobody stopped it")
        raise CancelledError

    with pytest.raises(KeyboardInterrupt), Lanes(1) as lanes:
        begun = [lanes.begin(work), lanes.begin(work)]
        raise KeyboardInterrupt
    for future in begun:
        with pytest.raises(CancelledError):
            result_of(future)


def test_frames_are_read_once_while_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = PreviewedVideo.open(make_clip(tmp_path / "clip.mp4", 12), MattingOptions())
    read: list[int] = []

    def read_clip(moment: Moment) -> Clip:
        read.append(moment.frame)
        return Clip.read(video, moment)

    one, other = Moment(9, 0, "asked for"), Moment(11, 0, "asked for")
    size = Clip.read(video, one).size_bytes
    monkeypatch.setattr(moment_matting, "CLIPS_BYTES", size)
    clips = Clips(read_clip)
    for moment in (one, other, one, other):
        assert clips.of(moment).frames
    assert read == [9, 11, 11]
