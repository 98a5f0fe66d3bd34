"""What trials show of the time and the room that all the work takes, and how that is said."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from matting.media.packet_table import PacketSizes
from matting.media.probe import packet_sizes
from matting.workers.estimate import Forecast, frames_per_second
from matting.workers.executor import TrialClock
from matting.workers.preflight import spread
from tests.support.clips import make_clip


def test_the_forecast_in_words() -> None:
    forecast = Forecast(
        tried_frames=44,
        frames_per_second=2.5,
        frames=45000,
        output_bytes=12_000_000_000,
        joined_bytes=24_000_000_000,
        free_bytes=80_000_000_000,
        gpu_bytes=(3_100_000_000, 6_000_000_000),
    )
    assert forecast.in_words(datetime(2026, 11, 24, 21, 0)).splitlines() == [
        "A trial with 44 frames: about 2.5 frames a second. All 45000 take about 5 h 0 min, "
        "until about 02:00 tomorrow.",
        "On the disk they need about 12.0 GB, joining them and adding the audio 24.0 GB more; "
        "80.0 GB are free.",
        "Memory of the graphics card: 3.1 GB of 6.0 GB.",
    ]


def test_the_speed_is_that_of_all_frames_after_the_first_of_each_trial() -> None:
    one = TrialClock(written=[10.0, 11.0, 12.0], flushed=14.0)  # 2 frames in 4 s
    two = TrialClock(written=[20.0, 20.0, 20.0, 20.0, 21.0], flushed=22.0)  # 4 frames in 2 s
    assert frames_per_second([one, two]) == 1.0
    assert frames_per_second([TrialClock(written=[1.0], flushed=2.0)]) is None
    assert frames_per_second([]) is None


def test_key_frames_count_as_often_as_they_will_come(tmp_path: Path) -> None:
    sizes = PacketSizes((1, 1000), (0, 0)) + PacketSizes((1, 3000), (10, 1000))
    assert sizes.bytes_of(101, 1) == 2000 + 100 * 100
    assert PacketSizes((2, 4000)).bytes_of(10, 1) == 20000  # all that is known
    video = make_clip(tmp_path / "clip.mp4", 50, gop=25)
    found = packet_sizes(video)
    assert found.key[0] == 2
    assert found.other[0] == 48
    assert found.key[1] + found.other[1] < video.stat().st_size


def test_trials_are_spread_over_the_video() -> None:
    numbers = list(range(160))
    assert spread(numbers, 3) == [80, 26, 133]
    assert spread([7], 3) == [7]
    assert spread([7, 8], 3) == [8, 7]
    assert spread([], 3) == []


def test_run_ups_take_time_and_are_no_frames() -> None:
    def said(run_up_frames: float) -> str:
        forecast = Forecast(10, 2.0, 7200, 0, 0, None, run_up_frames=run_up_frames)
        return forecast.in_words(datetime(2026, 1, 1)).splitlines()[0]

    assert "All 7200 take about 1 h 0 min" in said(0)
    assert "All 7200 take about 2 h 0 min" in said(7200)
