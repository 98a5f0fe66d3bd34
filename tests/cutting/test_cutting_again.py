"""Stage one, run again: what is cut stays, the rest is cut as before, other work is left alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from matting.errors import InputError
from matting.options import CuttingOptions
from matting.project.inputs import read_inputs
from matting.segment import segment
from matting.system import atomic_files
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.segments import cut_frames, segment_files

SECOND = CuttingOptions(seconds=Fraction(1))


def test_cutting_again_changes_nothing(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 60)
    folder = segment(video, SECOND, None, progress)
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    segment(video, CuttingOptions(), None, progress)
    assert progress.mentions("Already cut")
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


def test_a_missing_segment_is_cut_again(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 60)
    folder = segment(video, SECOND, None, progress)
    (folder / "output_001.mp4").unlink()
    segment(video, SECOND, None, progress)
    assert cut_frames(folder) == list(range(60))


def test_other_work_is_not_overwritten(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 60)
    folder = segment(video, SECOND, None, progress)
    refused = Recorder()
    with pytest.raises(InputError, match=r"segments of 1 second\."):
        segment(video, CuttingOptions(seconds=Fraction(2)), None, refused)
    assert progress.mentions("taken for BT.601")
    assert not refused.said
    segment(video, CuttingOptions(seconds=Fraction(5, 4), overwrite=True), None, progress)
    with pytest.raises(InputError, match=r"segments of 1\.25 seconds"):
        segment(video, SECOND, None, refused)
    other = make_clip(tmp_path / "clip.mov", 40)
    with pytest.raises(InputError, match=r"another video \(clip.mp4\)"):
        segment(other, SECOND, None, progress)
    assert cut_frames(folder) == list(range(60))
    segment(other, CuttingOptions(overwrite=True), None, progress)
    assert cut_frames(folder) == list(range(40))
    assert len(list(folder.glob("*.mp4"))) == 1


def test_a_folder_of_other_videos_is_left_alone(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 10)
    mine = tmp_path / "clip_segments" / "holiday.mp4"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(InputError, match="not cut by this program"):
        segment(video, SECOND, None, progress)
    assert mine.read_bytes() == b"mine"


def test_an_interrupted_cut_is_finished_later(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 60)
    folder = segment(video, SECOND, None, progress)
    # As a kill between the last segment and the plan leaves it.
    (folder / "segments.json").unlink()
    (folder / ".cutting").mkdir()
    segment(video, SECOND, None, progress)
    assert cut_frames(folder) == list(range(60))
    assert not (folder / ".cutting").exists()


def test_an_interrupted_installation_is_not_taken_for_whole(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 100)
    publish = atomic_files.publish
    calls: list[Path] = []

    def interrupted(temporary: Path, path: Path) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        publish(temporary, path)

    monkeypatch.setattr(atomic_files, "publish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        segment(video, SECOND, None, progress)
    monkeypatch.setattr(atomic_files, "publish", publish)
    with pytest.raises(InputError, match="not completely cut"):
        read_inputs(tmp_path / "clip_segments")
    assert cut_frames(segment(video, SECOND, None, progress)) == list(range(100))


def test_a_missing_segment_is_cut_as_before(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 70)
    folder = segment(video, SECOND, None, progress)
    content = (folder / "output_001.mp4").read_bytes()
    (folder / "output_001.mp4").unlink()
    segment(video, CuttingOptions(), None, progress)
    assert len(segment_files(folder)) == 3
    assert (folder / "output_001.mp4").read_bytes() == content


def test_a_broken_plan_can_be_overwritten(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 40)
    folder = segment(video, SECOND, None, progress)
    (folder / "segments.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="segments.json"):
        segment(video, SECOND, None, progress)
    segment(video, CuttingOptions(seconds=Fraction(1), overwrite=True), None, progress)
    assert cut_frames(folder) == list(range(40))
