"""Before hours are spent: how long, how large, and whether there is room for it."""

from __future__ import annotations

import re
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from matting.errors import StorageError
from matting.infer import infer
from matting.options import EncodingOptions, OutputKind, OutputOptions, VideoCodec
from matting.project.paths import MattedFolder
from matting.run import run
from matting.workers import preflight
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
    """Make a trial worth its time for the tests' tiny clips, too."""
    monkeypatch.setattr(preflight, "WORTH_PIXELS", 1)


def free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    """Pretend that so much is free on every disk."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, free_bytes))


def forecast_text(progress: Recorder) -> str:
    """Return the forecast that was said."""
    [first] = [n for n, line in enumerate(progress.said) if line.startswith("A trial with")]
    return "\n".join(progress.said[first:])


def needed_bytes(text: str) -> float:
    match = re.search(r"they need about ([0-9.]+) (KB|MB|GB)", text)
    assert match
    return float(match[1]) * {"KB": 1e3, "MB": 1e6, "GB": 1e9}[match[2]]


def test_the_results_are_the_same_with_a_trial_before_them(
    tmp_path: Path,
    progress: Recorder,
    light_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segments = cut(tmp_path, progress)
    without = infer(segments, matting_options(light_checkpoint), tmp_path / "without", progress)
    assert not progress.mentions("A trial")  # too short for one
    monkeypatch.setattr(preflight, "WORTH_PIXELS", 1)
    tried = infer(segments, matting_options(light_checkpoint), tmp_path / "tried", progress)
    assert_same(without, tried)
    assert "All 70 take" in forecast_text(progress)
    assert sorted(path.name for path in tried.root.iterdir()) == sorted(
        path.name for path in without.root.iterdir()
    )
    assert progress.totals[-1] == progress.done == 70


@pytest.mark.usefixtures("always_worth_it")
def test_the_room_is_forecast_for_every_output_kind(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 120, size=(128, 96))
    output = OutputOptions(
        kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.ALPHA_PNG), encoding=FAST
    )
    run(video, SECOND, matting_options(light_checkpoint, output), None, progress)
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    made = [
        path.stat().st_size
        for kind in (*output.written, "STATE")
        for path in (folder.root / kind).rglob("*.*")
        if path.is_file()
    ]
    assert needed_bytes(forecast_text(progress)) == pytest.approx(sum(made), rel=0.25)


@pytest.mark.usefixtures("always_worth_it")
def test_with_a_bit_rate_the_room_is_known(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    output = OutputOptions(encoding=EncodingOptions(VideoCodec.H264, bitrate_bps=40_000_000))
    infer(cut(tmp_path, progress, 75), matting_options(opaque_checkpoint, output), None, progress)
    # 75 frames at 30 a second
    assert needed_bytes(forecast_text(progress)) == pytest.approx(40e6 / 8 * 2.5, rel=0.1)


@pytest.mark.usefixtures("always_worth_it")
def test_a_disk_that_is_too_small_stops_it_before_anything_changes(
    tmp_path: Path,
    progress: Recorder,
    light_checkpoint: Path,
    opaque_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segments = cut(tmp_path, progress)
    done = infer(segments, matting_options(opaque_checkpoint), None, progress)
    before = {path: path.read_bytes() for path in composites(done)}
    options = matting_options(
        light_checkpoint, OutputOptions(encoding=EncodingOptions(VideoCodec.H264, quality=0))
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
def test_joining_counts_where_it_follows_at_once(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 60)
    options = matting_options(
        opaque_checkpoint,
        OutputOptions(encoding=EncodingOptions(VideoCodec.H264, bitrate_bps=40 * 10**6)),
    )
    # 60 frames at 30 a second take 10 MB, and as much again for each of the two that follow.
    free(monkeypatch, 20_000_000)
    with pytest.raises(StorageError, match="about 30 MB"):
        run(video, SECOND, options, None, progress)
    folder = infer(tmp_path / "clip_segments", options, None, progress)
    assert all(processed(folder).values())


@pytest.mark.usefixtures("always_worth_it")
def test_pictures_are_forecast_too(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = cut(tmp_path, progress, 25)
    first = infer(
        segments,
        matting_options(
            light_checkpoint, OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA_PNG))
        ),
        None,
        progress,
    )
    pictures = tmp_path / "pictures"
    shutil.copytree(first.output_folder(OutputKind.ALPHA_PNG) / "output_000", pictures)
    progress.said.clear()
    monkeypatch.setattr(preflight, "FIRST_FRAMES", 5)
    infer(pictures, matting_options(light_checkpoint), None, progress)
    text = forecast_text(progress)
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
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = tmp_path / "FIX_ME"
    folder.mkdir()
    make_clip(folder / "a.mp4", 20)
    (folder / "b.mp4").write_bytes(b"no video")
    make_clip(folder / "c.mp4", 20)
    with pytest.raises(Exception, match=r"b\.mp4"):
        infer(folder, matting_options(opaque_checkpoint), None, progress)
    assert "All 40 take" in forecast_text(progress)
    (folder / "a.mp4").unlink()
    (folder / "c.mp4").unlink()
    progress.said.clear()
    with pytest.raises(Exception, match=r"b\.mp4"):
        infer(folder, matting_options(opaque_checkpoint), None, progress)
    assert not progress.mentions("A trial")


@pytest.mark.usefixtures("always_worth_it")
def test_a_worker_that_breaks_in_a_trial_costs_that_trial_alone(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    undisturbed = infer(segments, matting_options(light_checkpoint), None, Recorder())
    options = with_compute(matting_options(light_checkpoint), isolated=True)
    folder = infer(segments, options, tmp_path / "isolated", progress, serving(crash_once))
    assert breaks(folder.root) == 1
    assert not progress.mentions("Trying again")
    assert "All 70 take" in forecast_text(progress)
    assert_same(folder, undisturbed)
