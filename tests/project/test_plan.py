"""A plan notices segments that were changed, and is refused where it makes no sense."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from matting.errors import InputError
from matting.options import CuttingOptions
from matting.project.plan import read_plan
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.segments import plan_of

SECOND = CuttingOptions(seconds=Fraction(1))
PLANNED = {
    "name": "a.mp4",
    "first_pts": 0,
    "frames": 1,
    "gaps": "",
    "size_bytes": 1,
    "sha256": "0" * 64,
    "repeated": [],
}


def test_a_plan_cannot_lead_out_of_its_folder(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 20)
    folder = segment(video, SECOND, None, progress)
    path = folder / "segments.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["segments"][0]["name"] = "../../secret.mp4"
    path.write_text(json.dumps(plan), encoding="utf-8")
    with pytest.raises(InputError, match="segments.json"):
        read_plan(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("segments", []),
        ("segments", [PLANNED] * 2),
        ("segments", [{**PLANNED, "gaps": "0x3"}]),
        ("segments", [{**PLANNED, "gaps": "512x-1"}]),
        ("segments", [{**PLANNED, "gaps": "512"}]),
        ("time_base", "1/0"),
        ("time_base", "0"),
        ("rate", "-1"),
        ("source", None),
        ("start_pts", 1e999),
        ("shots", [0]),
        ("shots", [5, 5]),
        ("shots", [7, 3]),
        ("shots", "7"),
        ("view", {"stereo": "diagonal"}),
        ("view", {"projection": "flat", "lens_tag": "MKX200"}),
        ("size_px", [0, 48]),
        ("size_px", [64]),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    key: str, value: object, tmp_path: Path, progress: Recorder
) -> None:
    folder = segment(make_clip(tmp_path / "clip.mp4", 20), SECOND, None, progress)
    path = folder / "segments.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**plan, key: value}), encoding="utf-8")
    with pytest.raises(InputError, match="segments.json"):
        read_plan(folder)


def test_an_older_plan_asks_for_another_cut(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 20)
    folder = segment(video, SECOND, None, progress)
    path = folder / "segments.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**plan, "version": 1}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        segment(video, SECOND, None, progress)
    assert "--overwrite" in caught.value.hint


def test_the_plan_notices_a_segment_that_was_changed(tmp_path: Path, progress: Recorder) -> None:
    folder = segment(make_clip(tmp_path / "clip.mp4", 60), SECOND, None, progress)
    plan = plan_of(folder)
    make_clip(folder / "output_001.mp4", 30, options={"crf": "30"})
    assert [s.fingerprint.matches(folder / s.name) for s in plan.segments] == [True, False]
