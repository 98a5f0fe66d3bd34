"""Every input has the view that is asked for, else that of its plan, else the one that is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from matting.media.view_detection import view_of
from matting.options import CuttingOptions, MatteOptions
from matting.project.input_views import eyes_in_words, views_in_words, with_views
from matting.project.inputs import InputFolder, read_inputs
from matting.project.plan import read_plan
from matting.segment import segment
from matting.view import AutoView, Eyes, StereoLayout, View, parse_view
from tests.support.clips import make_clip
from tests.support.image_sequences import write_take
from tests.support.recorder import Recorder
from tests.support.stages import SECOND

STACKED = StereoLayout.TOP_BOTTOM


def cut(
    folder: Path, name: str, size: tuple[int, int] = (64, 64), options: CuttingOptions = SECOND
) -> Path:
    return segment(make_clip(folder / name, 40, size=size), options, None, Recorder())


def seen(inputs: InputFolder, asked: View | AutoView = AutoView.FOUND) -> set[View | None]:
    return {item.view for item in with_views(inputs, MatteOptions(view=asked)).inputs}


def without_view(segments: Path) -> Path:
    """Have the plan of a folder be one of an earlier version; return the folder."""
    path = segments / "segments.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    del plan["view"], plan["size_px"]
    path.write_text(json.dumps(plan), encoding="utf-8")
    return segments


def test_the_plan_says_how_what_was_cut_is_seen(tmp_path: Path) -> None:
    segments = cut(tmp_path, "clip_TB_360.mp4")
    plan = read_plan(segments)
    assert plan is not None
    assert plan.view == parse_view("top-bottom,360")
    assert plan.size_px == (64, 64)
    for path in (tmp_path / "clip_TB_360.mp4", *segments.glob("*.mp4")):
        path.unlink()  # as when what is done is tidied away
    inputs = with_views(read_inputs(segments), MatteOptions()).inputs
    assert {(item.view, item.eyes) for item in inputs} == {(plan.view, STACKED)}


@pytest.mark.parametrize("source_is_there", [True, False])
def test_a_plan_of_an_earlier_version_is_made_up_for(tmp_path: Path, source_is_there: bool) -> None:
    segments = without_view(cut(tmp_path, "clip_TB_360.mp4"))
    if not source_is_there:
        (tmp_path / "clip_TB_360.mp4").unlink()
    assert seen(read_inputs(segments)) == {parse_view("top-bottom,360")}
    inputs = with_views(read_inputs(segments), MatteOptions()).inputs
    assert {item.eyes for item in inputs} == {STACKED}


def test_what_is_asked_for_counts_before_all_else(tmp_path: Path) -> None:
    segments = cut(tmp_path, "clip_TB_360.mp4")
    asked = parse_view("left-right,mkx200")
    assert seen(read_inputs(segments), asked) == {asked}


def test_every_separate_video_has_its_own_view(tmp_path: Path) -> None:
    make_clip(tmp_path / "a_TB_360.mp4", 2, size=(64, 64))
    make_clip(tmp_path / "b_180_LR.mp4", 2, size=(96, 48))
    (tmp_path / "c.mp4").write_bytes(b"this is no video")
    write_take(tmp_path / "take_TB_flat")
    inputs = with_views(read_inputs(tmp_path), MatteOptions()).inputs
    assert {item.name: item.view for item in inputs} == {
        "a_TB_360.mp4": parse_view("top-bottom,360"),
        "b_180_LR.mp4": parse_view("left-right,180"),
        "c.mp4": None,
        "take_TB_flat": parse_view("top-bottom,flat"),
    }


@pytest.mark.parametrize(
    ("size", "view", "eyes"),
    [
        ((64, 64), "top-bottom,360", STACKED),
        ((64, 128), "top-bottom,180", None),  # the eye's short side is the picture's
        ((96, 48), "left-right,180", None),
        ((64, 48), "left-right,flat", StereoLayout.LEFT_RIGHT),
        ((64, 48), "mono,flat", None),
    ],
)
def test_eyes_count_where_they_are_smaller_than_the_picture(
    tmp_path: Path, size: tuple[int, int], view: str, eyes: StereoLayout | None
) -> None:
    make_clip(tmp_path / "clip.mp4", 1, size=size)
    inputs = read_inputs(tmp_path)
    asked = parse_view(view)
    assert [item.eyes for item in with_views(inputs, MatteOptions(view=asked)).inputs] == [eyes]


def test_a_picture_that_is_seen_as_a_whole_keeps_its_view(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip_TB_360.mp4", 1, size=(64, 64))
    [item] = with_views(read_inputs(tmp_path), MatteOptions(view=AutoView.WHOLE)).inputs
    assert (item.view, item.eyes) == (parse_view("top-bottom,360"), None)


@pytest.mark.parametrize(
    ("view", "eyes", "apart"),
    [
        ("mono,180", Eyes.APART, None),
        ("left-right,180", Eyes.AUTO, None),
        ("right-left,180", Eyes.APART, StereoLayout.LEFT_RIGHT),
        ("bottom-top,180", Eyes.AUTO, STACKED),
        ("top-bottom,180", Eyes.TOGETHER, None),
    ],
)
def test_which_eyes_are_matted_by_themselves_is_said(
    tmp_path: Path, view: str, eyes: Eyes, apart: StereoLayout | None
) -> None:
    make_clip(tmp_path / "clip.mp4", 1)
    options = MatteOptions(view=parse_view(view), eyes=eyes)
    items = with_views(read_inputs(tmp_path), options).inputs
    assert [item.apart for item in items] == [apart]
    [sentence] = eyes_in_words(items) if items[0].view != parse_view("mono,180") else [""]
    assert ("itself" in sentence) == (apart is not None)


def test_another_view_is_noted_in_the_plan_without_cutting_again(tmp_path: Path) -> None:
    segments = cut(tmp_path, "clip.mp4")
    video, before = tmp_path / "clip.mp4", {p: p.stat().st_mtime_ns for p in segments.iterdir()}
    asked = parse_view("top-bottom,360")
    progress = Recorder()
    segment(video, CuttingOptions(view=asked), None, progress)
    plan = read_plan(segments)
    assert plan is not None and plan.view == asked
    assert progress.mentions("Already cut")
    assert progress.mentions(asked.describe())
    changed = {p.name for p, when in before.items() if p.stat().st_mtime_ns != when}
    assert changed <= {"segments.json", ".lock", "job.log"}
    segment(video, CuttingOptions(), None, Recorder())  # nothing is asked for
    assert read_plan(segments) == plan
    segment(video, CuttingOptions(view=AutoView.FOUND), None, Recorder())
    plan = read_plan(segments)
    assert plan is not None and plan.view == view_of(video).view


def test_what_is_cut_again_keeps_the_view_that_was_asked_for(tmp_path: Path) -> None:
    asked = parse_view("top-bottom,360")
    options = CuttingOptions(seconds=SECOND.seconds, view=asked)
    segments = cut(tmp_path, "clip.mp4", options=options)
    next(segments.glob("*.mp4")).unlink()
    segment(tmp_path / "clip.mp4", CuttingOptions(), None, Recorder())
    plan = read_plan(segments)
    assert plan is not None and plan.view == asked


def test_views_are_told_but_for_flat_pictures(tmp_path: Path) -> None:
    make_clip(tmp_path / "flat.mp4", 1)
    assert not list(views_in_words(with_views(read_inputs(tmp_path), MatteOptions()).inputs))
    for name in ("a_TB_360", "b_TB_360", "c_180_LR"):
        make_clip(tmp_path / f"{name}.mp4", 1, size=(64, 64))
    stacked, beside = views_in_words(with_views(read_inputs(tmp_path), MatteOptions()).inputs)
    assert "a_TB_360.mp4" in stacked and parse_view("top-bottom,360").describe() in stacked
    assert "c_180_LR.mp4" in beside and "--view" in beside
