"""The benchmark of delivering: what is timed against each other writes the same files."""

from __future__ import annotations

import pytest

from benchmarks import delivery
from benchmarks.footage import write_clip
from matting.delivery.formats import FORMATS
from matting.demo import CHECKPOINT
from matting.imaging.sample_format import Size
from matting.media.video_source import VideoSource
from matting.options import FormatName, VideoCodec


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> delivery.Bench:
    folder = tmp_path_factory.mktemp("bench")
    write_clip(folder / "clip.mp4", Size(128, 96), 3)
    return delivery.Bench(VideoSource(folder / "clip.mp4"), 2, 1, folder)


def test_frames_are_encoded_alone_as_they_are_delivered(bench: delivery.Bench) -> None:
    stored = delivery.infer_rows(bench, CHECKPOINT)
    assert bench.matte.stat().st_size
    assert stored[-1][1].endswith("%")
    names = (FormatName.GREEN, FormatName.FFV1)
    row = delivery.deliver_row(bench, names, VideoCodec.H264)
    assert all(float(cell) > 0 for cell in row[1:])
    for kind in (FORMATS[name].kind for name in names):
        alone, delivered = (bench.result(kind, way) for way in ("alone", "delivered"))
        assert alone.read_bytes() == delivered.read_bytes()
