"""Stage one: every frame in exactly one segment, at its own time, or a refusal."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.errors import InputError, MediaError
from matting.options import CuttingOptions, OnDamage
from matting.project.inputs import read_inputs
from matting.project.plan import read_plan
from matting.segment import segment
from matting.system import atomic_files
from tests.support.clips import decode, make_clip, numbers, times
from tests.support.recorder import Recorder
from tests.support.segments import plan_of, segment_files

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


def cut_frames(folder: Path) -> list[int]:
    return [number for file in segment_files(folder) for number in numbers(file)]


def test_every_frame_once(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 100)
    folder = segment(video, SECOND, None, progress)
    assert folder == tmp_path / "clip_segments"
    assert [p.name for p in segment_files(folder)] == [f"output_{i:03d}.mp4" for i in range(4)]
    assert cut_frames(folder) == list(range(100))
    assert (folder / "file_list.txt").read_text(encoding="utf-8") == "".join(
        f"file 'output_{i:03d}.mp4'\n" for i in range(4)
    )


@pytest.mark.parametrize(
    ("codec", "suffix", "options"),
    [
        ("libx264", "mkv", {"bf": "2"}),
        ("libx264", "mov", {"bf": "2"}),
        ("libx264", "ts", {"bf": "2"}),
        ("libx265", "mp4", {"x265-params": "log-level=none:open-gop=0:bframes=3:scenecut=0"}),
        ("libvpx-vp9", "webm", {"deadline": "realtime", "cpu-used": "8"}),
        ("mpeg4", "avi", {"bf": "0"}),
    ],
)
def test_formats(
    codec: str, suffix: str, options: dict[str, str], tmp_path: Path, progress: Recorder
) -> None:
    video = make_clip(tmp_path / f"clip.{suffix}", 70, codec=codec, options=options)
    folder = segment(video, SECOND, None, progress)
    assert len(segment_files(folder)) == 3
    assert cut_frames(folder) == list(range(70))


def test_the_plan_holds_the_sources_times(tmp_path: Path, progress: Recorder) -> None:
    pts = [index * 40 + (index % 3) * 7 for index in range(60)]
    video = make_clip(tmp_path / "vfr.mkv", 60, pts=pts, time_base=Fraction(1, 1000))
    folder = segment(video, SECOND, None, progress)
    plan = plan_of(folder)
    planned = [
        (s.first_pts * plan.time_base) + time
        for s in plan.segments
        for time in relative(times(folder / s.name))
    ]
    assert planned == [Fraction(p, 1000) for p in pts]
    assert plan.frames == 60


def relative(values: list[Fraction]) -> list[Fraction]:
    return [value - values[0] for value in values]


def test_an_open_gop_is_not_torn(tmp_path: Path, progress: Recorder) -> None:
    options = {"x265-params": "log-level=none:open-gop=1:bframes=4:scenecut=0:keyint=10"}
    video = make_clip(tmp_path / "open.mp4", 90, codec="libx265", options=options)
    folder = segment(video, SECOND, None, progress)
    assert cut_frames(folder) == list(range(90))


def test_re_encoding_cuts_any_video(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "one_key.mp4", 75, gop=1000)
    folder = segment(video, SECOND, None, progress)
    assert len(segment_files(folder)) == 1
    assert progress.heard("--reencode")
    options = CuttingOptions(seconds=Fraction(1), reencode=True, overwrite=True)
    folder = segment(video, options, None, progress)
    assert len(segment_files(folder)) == 3
    assert cut_frames(folder) == list(range(75))
    plan = plan_of(folder)
    assert [s.first_pts * plan.time_base for s in plan.segments] == [0, 1, 2]


def test_cutting_again_changes_nothing(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 60)
    folder = segment(video, SECOND, None, progress)
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    segment(video, CuttingOptions(), None, progress)
    assert progress.heard("Already cut")
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
    with pytest.raises(InputError, match="segments of 1 seconds"):
        segment(video, CuttingOptions(seconds=Fraction(2)), None, progress)
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


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_avi_with_reordered_frames_is_re_encoded(
    codec: str, tmp_path: Path, progress: Recorder
) -> None:
    options = {"bf": "2", "b_strategy": "0"} if codec == "mpeg4" else {"bf": "2"}
    video = make_clip(tmp_path / "clip.avi", 60, codec=codec, options=options)
    folder = segment(video, SECOND, None, progress)
    assert progress.heard("re-encoded, without loss: the video's frames carry no times")
    assert len(segment_files(folder)) == 2
    assert cut_frames(folder) == list(range(60))


def test_re_encoding_says_what_was_lost(tmp_path: Path, progress: Recorder) -> None:
    whole = remux_faststart(make_clip(tmp_path / "whole.mp4", 150))
    short = tmp_path / "short.mp4"
    short.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(MediaError, match="cut off"):
        segment(short, CuttingOptions(reencode=True), None, progress)
    options = CuttingOptions(reencode=True, damaged=OnDamage.REPEAT)
    folder = segment(short, options, None, progress)
    assert 20 < len(cut_frames(folder)) < 150
    assert progress.heard("is cut off: it ends at 0:00:0")


def test_a_video_that_starts_late_is_whole(tmp_path: Path, progress: Recorder) -> None:
    pts = [100_000 + index * 33 for index in range(60)]
    video = make_clip(tmp_path / "late.mkv", 60, pts=pts, time_base=Fraction(1, 1000))
    assert cut_frames(segment(video, SECOND, None, progress)) == list(range(60))


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_cut_off_video_is_refused(suffix: str, tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / f"whole.{suffix}", 150)
    if suffix == "mp4":
        video = remux_faststart(video)
    short = tmp_path / f"short.{suffix}"
    short.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    with pytest.raises(MediaError, match="cut off"):
        segment(short, SECOND, None, progress)
    assert not list(tmp_path.glob("short_segments/*.mp4"))


def remux_faststart(video: Path) -> Path:
    """The same video with its index at the front, as downloads have it."""
    moved = video.with_name("moved.mp4")
    with (
        av.open(str(video)) as source,
        av.open(str(moved), "w", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return moved


def test_names_with_special_characters(tmp_path: Path, progress: Recorder) -> None:
    folder = tmp_path / "50% off & it's [new]"
    folder.mkdir()
    video = make_clip(folder / "-Ünïcode 動画 %03d '1'.mp4", 40)
    cut = segment(video, SECOND, None, progress)
    assert cut_frames(cut) == list(range(40))


def test_output_elsewhere(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 20)
    folder = segment(video, SECOND, tmp_path / "a" / "b", progress)
    assert folder == tmp_path / "a" / "b" / "clip_segments"
    assert cut_frames(folder) == list(range(20))


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


def test_re_encoded_segments_start_with_a_key_frame_and_look_like_the_source(
    tmp_path: Path, progress: Recorder
) -> None:
    pts = [100 + index * 40 + (index % 3) * 7 for index in range(60)]
    video = make_clip(tmp_path / "vfr.mkv", 60, pts=pts, time_base=Fraction(1, 1000))
    folder = segment(video, CuttingOptions(Fraction(1), reencode=True), None, progress)
    plan = plan_of(folder)
    planned = [
        s.first_pts * plan.time_base + time
        for s in plan.segments
        for time in relative(times(folder / s.name))
    ]
    assert planned == [Fraction(p, 1000) for p in pts]
    for before, after in zip(decode(video), frames_of(folder), strict=True):
        assert np.abs(before[1].astype(int) - after).mean() < 4
    for file in segment_files(folder):
        with av.open(str(file)) as container:
            assert container.streams.video[0].codec_context.name == "hevc"
            packets = [packet for packet in container.demux(video=0) if packet.size]
        assert packets[0].is_keyframe
        assert min(packet.pts or 0 for packet in packets) == (packets[0].pts or 0)


def frames_of(folder: Path) -> list[NDArray[np.uint8]]:
    return [rgb for file in segment_files(folder) for _, rgb in decode(file)]
