"""The shots in a plan are the video's: however it is cut, and whatever happened meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from matting.errors import MediaError
from matting.options import CuttingOptions, OnDamage
from matting.project.inputs import read_inputs
from matting.segment import segment
from tests.support.damage import damage_packets
from tests.support.recorder import Recorder, once_done
from tests.support.segments import plan_of
from tests.support.shot_films import dissolve, flash, shot, write_film

CUTS = (33, 60, 100)  # the last is a dissolve of ten frames from 95 on
FRAMES = 150
SECOND = CuttingOptions(seconds=Fraction(1))


def film(path: Path, codec: str = "libx264", gop: int = 15) -> Path:
    """Write a film of four shots, in one of which there is a flash."""
    end = dissolve(shot(3, 45), shot(4, 55), 10)
    return write_film(path, flash(shot(1, 33) + shot(2, 27) + end, 45), codec, gop)


def shots(video: Path, options: CuttingOptions, progress: Recorder) -> tuple[int, ...]:
    """Cut a video anew, and return where the shots in its plan start."""
    folder = segment(video, replace(options, overwrite=True), None, progress)
    found = plan_of(folder).shots
    assert found is not None
    return found


@pytest.mark.parametrize(("reencode", "lengths"), [(False, (1, 5, 60)), (True, (2, 60))])
def test_the_segments_length_makes_no_difference(
    reencode: bool, lengths: tuple[int, ...], tmp_path: Path, progress: Recorder
) -> None:
    video = film(tmp_path / "clip.mp4")
    found, segments = set(), []
    for seconds in lengths:
        options = CuttingOptions(seconds=Fraction(seconds), reencode=reencode)
        found.add(shots(video, options, progress))
        segments.append(len(plan_of(tmp_path / "clip_segments").segments))
    assert segments[0] > segments[-1] == 1
    (starts,) = found
    assert starts[:2] == CUTS[:2]
    assert len(starts) == 3 and abs(starts[2] - CUTS[2]) <= 3
    assert any("150 frames in 1 segment, 4 shots" in text for text in progress.said)


def test_each_segment_knows_its_own(tmp_path: Path, progress: Recorder) -> None:
    folder = segment(film(tmp_path / "clip.mp4"), SECOND, None, progress)
    starts = [item.shot_starts for item in read_inputs(folder).inputs]
    assert starts[:3] == [(0,), (3,), (0,)]
    assert starts[4] == ()


def test_where_packets_cannot_be_copied_the_shots_are_the_same(
    tmp_path: Path, progress: Recorder
) -> None:
    copied = shots(film(tmp_path / "clip.mp4"), SECOND, progress)
    lossless = shots(film(tmp_path / "other.avi", "ffvhuff"), SECOND, progress)
    assert any("re-encoded" in text for text in progress.said)
    assert lossless == copied


def test_a_cut_that_was_interrupted_finds_the_same(tmp_path: Path, progress: Recorder) -> None:
    video = film(tmp_path / "clip.mp4")
    expected = shots(video, SECOND, progress)

    def interrupt() -> None:
        raise KeyboardInterrupt

    progress.on_advance = once_done(70, interrupt)
    (tmp_path / "clip_segments" / "segments.json").unlink()
    with pytest.raises(KeyboardInterrupt):
        segment(video, replace(SECOND, overwrite=True), None, progress)
    folder = segment(video, replace(SECOND, overwrite=True), None, progress)
    assert plan_of(folder).shots == expected


@pytest.mark.parametrize("on_damage", [OnDamage.SHOW, OnDamage.REPEAT])
def test_damage_moves_no_shot(on_damage: OnDamage, tmp_path: Path, progress: Recorder) -> None:
    video = damage_packets(film(tmp_path / "clip.mp4"), (33, 48, 59, 80))
    options = replace(SECOND, damaged=on_damage)
    found = {
        shots(video, replace(options, seconds=Fraction(seconds)), progress) for seconds in (1, 60)
    }
    (starts,) = found
    assert len(starts) == 3
    frames = plan_of(tmp_path / "clip_segments").frames
    assert 60 - (FRAMES - frames) <= min(starts, key=lambda start: abs(start - 60)) <= 60

    with pytest.raises(MediaError):
        shots(video, replace(SECOND, damaged=OnDamage.STOP), progress)
    (tmp_path / "clip_segments" / "segments.json").unlink(missing_ok=True)
    steps = len(progress.titles)
    folder = segment(video, options, None, progress)
    assert "Cutting" not in progress.titles[steps:]  # what was cut then is used now
    assert plan_of(folder).shots == starts


def test_segments_kept_by_an_earlier_version_have_no_shots(
    tmp_path: Path, progress: Recorder
) -> None:
    video = damage_packets(film(tmp_path / "clip.mp4"), (80,))
    with pytest.raises(MediaError):
        segment(video, replace(SECOND, damaged=OnDamage.STOP), None, progress)
    checkpoint = next((tmp_path / "clip_segments" / ".cutting").glob("*.json"))
    record = json.loads(checkpoint.read_text(encoding="utf-8"))
    for piece in record["pieces"]:
        del piece["shots"]
    checkpoint.write_text(json.dumps(record), encoding="utf-8")
    folder = segment(video, SECOND, None, progress)
    assert plan_of(folder).shots is None
    assert all(item.shot_starts is None for item in read_inputs(folder).inputs)
