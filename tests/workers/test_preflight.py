"""Before hours are spent: how long, how large, and whether there is room for it."""

from __future__ import annotations

import re
import shutil
from collections import namedtuple
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from matting.errors import StorageError
from matting.infer import infer
from matting.media.packet_table import PacketSizes
from matting.media.probe import packet_sizes
from matting.options import EncodingOptions, OutputKind, OutputOptions, VideoCodec
from matting.project.paths import MattedFolder
from matting.run import run
from matting.system.humanize import duration, gigabytes, time_of_day
from matting.workers import preflight
from matting.workers.estimate import Forecast, frames_per_second
from matting.workers.executor import TrialClock
from tests.support.clips import make_clip, picture
from tests.support.faulty_worker import breaks, crash_once, serving
from tests.support.recorder import Recorder
from tests.support.stages import (
    FAST,
    SECOND,
    assert_same,
    composites,
    cut,
    matting_options,
    processed,
    with_compute,
)

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def always_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials of the tests' tiny clips too."""
    monkeypatch.setattr(preflight, "WORTH_PIXELS", 1)


def free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    """So much is free on every disk."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, free_bytes))


def told(progress: Recorder) -> str:
    """The forecast that was said."""
    [text] = [line for line in progress.said if line.startswith("A trial with")]
    return text


def needed_bytes(text: str) -> float:
    match = re.search(r"they need about ([0-9.]+) (MB|GB)", text)
    assert match
    return float(match[1]) * {"MB": 1e6, "GB": 1e9}[match[2]]


# ---- How it is told


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (61, "1 min"),
        (3569, "59 min"),
        (3599, "1 h 0 min"),
        (19200, "5 h 20 min"),
        (86390, "1 day 0 h"),
        (200000, "2 days 8 h"),
    ],
)
def test_a_length_of_time_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_time_of_day_has_its_day_where_it_is_not_todays() -> None:
    now = datetime(2026, 12, 30, 22, 5)
    assert time_of_day(datetime(2026, 12, 30, 23, 59), now) == "23:59"
    assert time_of_day(datetime(2026, 12, 31, 3, 40), now) == "03:40 tomorrow"
    assert time_of_day(datetime(2027, 1, 2, 0, 1), now) == "00:01 on 2027-01-02"


def test_sizes_as_people_read_them() -> None:
    sizes = [gigabytes(size) for size in (0, 4e6, 999e6, 1.25e9, 99.94e9, 1234e9)]
    assert sizes == ["1 MB", "4 MB", "999 MB", "1.2 GB", "99.9 GB", "1234 GB"]


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


# ---- How it is reckoned


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
    assert preflight.spread(numbers, 3) == [80, 26, 133]
    assert preflight.spread([7], 3) == [7]
    assert preflight.spread([7, 8], 3) == [8, 7]
    assert preflight.spread([], 3) == []


# ---- What it does


def test_the_results_are_the_same_with_a_trial_before_them(
    tmp_path: Path,
    progress: Recorder,
    random_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segments = cut(tmp_path, progress)
    without = infer(segments, matting_options(random_checkpoint), tmp_path / "without", progress)
    assert not progress.heard("A trial")  # too short for one
    monkeypatch.setattr(preflight, "WORTH_PIXELS", 1)
    tried = infer(segments, matting_options(random_checkpoint), tmp_path / "tried", progress)
    assert_same(without, tried)
    assert "All 70 take" in told(progress)
    assert sorted(path.name for path in tried.root.iterdir()) == sorted(
        path.name for path in without.root.iterdir()
    )
    assert progress.totals[-1] == progress.done == 70


@pytest.mark.usefixtures("always_worth_it")
def test_the_room_is_reckoned_for_every_kind_of_result(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 240, size=(192, 144))
    look = OutputOptions(
        kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.ALPHA_PNG), encoding=FAST
    )
    run(video, SECOND, matting_options(random_checkpoint, look), None, progress)
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    made = [
        path.stat().st_size
        for kind in (*look.kinds, "STATE")
        for path in (folder.root / kind).rglob("*.*")
        if path.is_file()
    ]
    assert needed_bytes(told(progress)) == pytest.approx(sum(made), rel=0.25)


@pytest.mark.usefixtures("always_worth_it")
def test_with_a_bit_rate_the_room_is_known(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path
) -> None:
    look = OutputOptions(encoding=EncodingOptions(VideoCodec.H264, bitrate_bps=40_000_000))
    infer(cut(tmp_path, progress, 75), matting_options(random_checkpoint, look), None, progress)
    # 75 frames at 30 a second
    assert needed_bytes(told(progress)) == pytest.approx(40e6 / 8 * 2.5, rel=0.1)


@pytest.mark.usefixtures("always_worth_it")
def test_a_disk_that_is_too_small_stops_it_before_anything_changes(
    tmp_path: Path,
    progress: Recorder,
    random_checkpoint: Path,
    opaque_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segments = cut(tmp_path, progress)
    done = infer(segments, matting_options(opaque_checkpoint), None, progress)
    before = {path: path.read_bytes() for path in composites(done)}
    options = matting_options(
        random_checkpoint, OutputOptions(encoding=EncodingOptions(VideoCodec.H264, quality=0))
    )
    free(monkeypatch, 1000)
    with pytest.raises(StorageError) as refused:
        infer(segments, options, None, progress)
    assert refused.value.exit_code == 4
    assert "The disk is too small" in refused.value.what
    assert "--force" in refused.value.hint
    assert {path: path.read_bytes() for path in composites(done)} == before
    assert set(processed(done).values()) == {True}
    assert not (done.root / ".trial").exists()

    infer(segments, replace(options, force=True), None, progress)
    assert set(processed(done).values()) == {True}
    assert {path: path.read_bytes() for path in composites(done)} != before


@pytest.mark.usefixtures("always_worth_it")
def test_what_follows_counts_where_it_follows_at_once(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 60)
    options = matting_options(
        random_checkpoint,
        OutputOptions(encoding=EncodingOptions(VideoCodec.H264, bitrate_bps=40 * 10**6)),
    )
    # 60 frames at 30 a second take 10 MB, and as much again for each of the two that follow.
    free(monkeypatch, 20_000_000)
    with pytest.raises(StorageError, match="about 30 MB"):
        run(video, SECOND, options, None, progress)
    folder = infer(tmp_path / "clip_segments", options, None, progress)
    assert all(processed(folder).values())


@pytest.mark.usefixtures("always_worth_it")
def test_pictures_are_reckoned_too(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = cut(tmp_path, progress, 25)
    first = infer(
        segments,
        matting_options(
            random_checkpoint, OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA_PNG))
        ),
        None,
        progress,
    )
    pictures = tmp_path / "pictures"
    shutil.copytree(first.output_folder(OutputKind.ALPHA_PNG) / "output_000", pictures)
    progress.said.clear()
    monkeypatch.setattr(preflight, "FIRST_FRAMES", 5)
    infer(pictures, matting_options(random_checkpoint), None, progress)
    text = told(progress)
    assert "All 25 take" in text
    assert "joining" not in text


@pytest.mark.usefixtures("always_worth_it")
def test_inputs_of_one_picture_each_are_matted_without_a_time_forecast(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first frame of a trial is not timed, and here there is no other."""
    folder = tmp_path / "stills"
    for number in range(5):
        (folder / f"{number}").mkdir(parents=True)
        Image.fromarray(picture(number)).save(folder / f"{number}" / "still.png")
    matted = infer(folder, matting_options(opaque_checkpoint), None, progress)
    assert list(processed(matted).values()) == [True] * 5
    assert not any("frames a second" in line for line in progress.said)
    # The room is known all the same.
    assert needed_bytes("\n".join(progress.said)) > 0
    free(monkeypatch, 100)
    with pytest.raises(StorageError, match="too small"):
        infer(folder, matting_options(opaque_checkpoint), tmp_path / "full", progress)


@pytest.mark.usefixtures("always_worth_it")
def test_what_cannot_be_matted_does_not_spoil_the_forecast(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path
) -> None:
    folder = tmp_path / "FIX_ME"
    folder.mkdir()
    make_clip(folder / "a.mp4", 20)
    (folder / "b.mp4").write_bytes(b"no video")
    make_clip(folder / "c.mp4", 20)
    with pytest.raises(Exception, match=r"b\.mp4"):
        infer(folder, matting_options(random_checkpoint), None, progress)
    assert "All 40 take" in told(progress)
    (folder / "a.mp4").unlink()
    (folder / "c.mp4").unlink()
    progress.said.clear()
    with pytest.raises(Exception, match=r"b\.mp4"):
        infer(folder, matting_options(random_checkpoint), None, progress)
    assert not progress.heard("A trial")


@pytest.mark.usefixtures("always_worth_it")
def test_a_worker_that_breaks_in_a_trial_costs_that_trial_alone(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    undisturbed = infer(segments, matting_options(random_checkpoint), None, Recorder())
    options = with_compute(matting_options(random_checkpoint), isolated=True)
    folder = infer(segments, options, tmp_path / "isolated", progress, serving(crash_once))
    assert breaks(folder.root) == 1
    assert not progress.heard("Trying again")
    assert "All 70 take" in told(progress)
    assert_same(folder, undisturbed)
