"""Stage one: every frame in exactly one segment, at its own time, or a refusal."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.errors import MediaError
from matting.options import CuttingOptions, OnDamage
from matting.segment import segment
from tests.support.clips import decode, make_clip, times
from tests.support.recorder import Recorder
from tests.support.segments import cut_frames, plan_of, segment_files

SECOND = CuttingOptions(seconds=Fraction(1))


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
    assert progress.mentions("--reencode")
    options = CuttingOptions(seconds=Fraction(1), reencode=True, overwrite=True)
    folder = segment(video, options, None, progress)
    assert len(segment_files(folder)) == 3
    assert cut_frames(folder) == list(range(75))
    plan = plan_of(folder)
    assert [s.first_pts * plan.time_base for s in plan.segments] == [0, 1, 2]


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_avi_with_reordered_frames_is_re_encoded(
    codec: str, tmp_path: Path, progress: Recorder
) -> None:
    options = {"bf": "2", "b_strategy": "0"} if codec == "mpeg4" else {"bf": "2"}
    video = make_clip(tmp_path / "clip.avi", 60, codec=codec, options=options)
    folder = segment(video, SECOND, None, progress)
    assert progress.mentions("re-encoded, without loss: the video's frames carry no times")
    assert len(segment_files(folder)) == 2
    assert cut_frames(folder) == list(range(60))


def test_re_encoding_says_what_was_lost(tmp_path: Path, progress: Recorder) -> None:
    whole = remux_faststart(make_clip(tmp_path / "whole.mp4", 150))
    short = tmp_path / "short.mp4"
    short.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(MediaError, match="cut off"):
        segment(short, CuttingOptions(reencode=True, damaged=OnDamage.STOP), None, progress)
    options = CuttingOptions(reencode=True)
    folder = segment(short, options, None, progress)
    assert 20 < len(cut_frames(folder)) < 150
    assert progress.mentions("is cut off: it ends at 0:00:0")


def test_a_video_that_starts_late_is_whole(tmp_path: Path, progress: Recorder) -> None:
    pts = [100_000 + index * 33 for index in range(60)]
    video = make_clip(tmp_path / "late.mkv", 60, pts=pts, time_base=Fraction(1, 1000))
    assert cut_frames(segment(video, SECOND, None, progress)) == list(range(60))


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_cut_off_video_is_told(suffix: str, tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / f"whole.{suffix}", 150)
    if suffix == "mp4":
        video = remux_faststart(video)
    short = tmp_path / f"short.{suffix}"
    short.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    with pytest.raises(MediaError, match="cut off"):
        segment(short, replace(SECOND, damaged=OnDamage.STOP), None, progress)
    assert not list(tmp_path.glob("short_segments/*.mp4"))
    frames = cut_frames(segment(short, SECOND, None, progress))
    assert frames == list(range(len(frames)))
    assert 20 < len(frames) < 150
    assert progress.mentions("is cut off: it ends at 0:00:0")


def remux_faststart(video: Path) -> Path:
    """Copy a video with its index moved to the front, as in downloads; return the copy."""
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
