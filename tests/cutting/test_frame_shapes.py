"""Frames that change their size or pixel format in the course of a video are brought to one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from matting.imaging.sample_format import Size
from matting.media.frame_decoding import Shape
from matting.media.frame_shape import common_shape
from matting.media.video_source import VideoSource
from matting.options import CuttingOptions
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.ffmpeg_frames import frames_by_ffmpeg
from tests.support.recorder import Recorder
from tests.support.segments import cut_frames, plan_of

SMALL, LARGE = Size(64, 48), Size(128, 96)


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize(
    ("size", "pixel_format", "result"),
    [(LARGE, "yuv420p", "128x96 (yuv420p)"), (SMALL, "yuv422p", "64x48 (yuv422p)")],
)
def test_another_size_or_format_from_the_middle_on(
    codec: str, size: Size, pixel_format: str, result: str, tmp_path: Path
) -> None:
    first = make_clip(tmp_path / "first.ts", 20, size=SMALL, codec=codec)
    pts = [20 + number for number in range(20)]
    second = make_clip(
        tmp_path / "second.ts", 20, size=size, codec=codec, pixel_format=pixel_format, pts=pts
    )
    video = tmp_path / "clip.ts"
    video.write_bytes(first.read_bytes() + second.read_bytes())
    progress = Recorder()
    folder = segment(video, CuttingOptions(), None, progress)
    assert progress.mentions(f"all are brought to {result}")
    plan = plan_of(folder)
    assert plan.frames == len(frames_by_ffmpeg(video))
    source = VideoSource(folder / plan.segments[0].name)
    assert source.size_px == size
    assert sum(len(chunk.pts) for chunk in source.chunks(8)) == plan.frames
    if size == SMALL:  # which still shows which frame it is
        assert cut_frames(folder)[:19] == list(range(19))


def test_the_shape_of_a_few_damaged_frames_is_none() -> None:
    usual, larger, odd = Shape(SMALL, "yuv420p"), Shape(LARGE, "yuv420p"), Shape(LARGE, "gray")
    assert common_shape(Counter({usual: 100})) is None
    assert common_shape(Counter({usual: 100, odd: 2})) == usual
    assert common_shape(Counter({usual: 100, larger: 8, odd: 2})) == larger
    assert common_shape(Counter({usual: 3, odd: 2})) == usual
