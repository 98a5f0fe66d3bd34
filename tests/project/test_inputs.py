"""Every input knows which of its frames start a shot, wherever its video was cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from matting.options import CuttingOptions
from matting.project.inputs import read_inputs
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder

QUARTER = CuttingOptions(seconds=Fraction(1, 4))


def cut_with_shots(folder: Path, progress: Recorder, shots: Sequence[int] | None) -> Path:
    """Cut a clip into segments, put `shots` into their plan, and return their folder.

    Args:
        shots: None: the plan is as an earlier version wrote it.
    """
    clip = make_clip(folder / "clip.mp4", 20, gop=5)
    segments = segment(clip, QUARTER, None, progress)
    path = segments / "segments.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan.pop("shots", None)
    if shots is not None:
        plan["shots"] = shots
    path.write_text(json.dumps(plan), encoding="utf-8")
    return segments


@pytest.mark.parametrize("shots", [(), (3, 9, 10, 19), (1,), (10, 25)])
def test_the_shots_of_all_segments_are_those_of_the_plan(
    shots: tuple[int, ...], tmp_path: Path, progress: Recorder
) -> None:
    inputs = read_inputs(cut_with_shots(tmp_path, progress, shots)).inputs
    assert len(inputs) > 1
    found = []
    for item in inputs:
        assert item.shot_starts is not None
        assert all(0 <= start < (item.frames or 0) for start in item.shot_starts)
        found += [item.first_frame + start for start in item.shot_starts]
    assert found == [0, *(shot for shot in shots if shot < 20)]


def test_an_earlier_plan_says_of_no_frame_whether_it_starts_a_shot(
    tmp_path: Path, progress: Recorder
) -> None:
    inputs = read_inputs(cut_with_shots(tmp_path, progress, None)).inputs
    assert inputs
    assert all(item.shot_starts is None for item in inputs)


def test_without_a_plan_every_video_starts_with_a_shot(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", 3)
    make_clip(tmp_path / "b.mp4", 3)
    assert [item.shot_starts for item in read_inputs(tmp_path).inputs] == [(0,), (0,)]


def test_what_this_program_made_of_a_folders_videos_is_left_out(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", 3)
    for result in ("clip_MATTED.mp4", "clip_MATTED_webm-alpha.webm"):
        (tmp_path / result).write_bytes((tmp_path / "clip.mp4").read_bytes())
    folder = read_inputs(tmp_path)
    assert [item.name for item in folder.inputs] == ["clip.mp4"]
    (note,) = folder.notes()
    assert "clip_MATTED.mp4, clip_MATTED_webm-alpha.webm" in note


def test_results_alone_are_what_somebody_wants_matted(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip_MATTED.mp4", 3)
    folder = read_inputs(tmp_path)
    assert [item.name for item in folder.inputs] == ["clip_MATTED.mp4"]
    assert list(folder.notes()) == []
