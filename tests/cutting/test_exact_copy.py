"""Copied segments have to show the source's pixels: pre-rolls are lengthened until they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from matting.cutting.cut_job import CutJob, CutSegment
from matting.cutting.cutter import cut
from matting.cutting.exact_copy import ExactCopier
from matting.cutting.packet_cutter import PacketSpan
from matting.cutting.packet_index import SourceIndex, read_index
from matting.cutting.preparation import choose_filters
from matting.media.probe import probe
from matting.media.video_info import VideoInfo
from matting.options import CuttingOptions
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.segments import X265_OPEN, decoded, open_hevc, x265

HALF = CuttingOptions(seconds=Fraction(1, 2))
X264_OPEN = {"preset": "veryfast", "bf": "3", "x264-params": "open-gop=1:b-pyramid=normal"}


def job_of(video: Path, work: Path) -> CutJob:
    """Return the job of cutting `video` into `work`, in segments of half a second."""
    info = probe(video)
    work.mkdir()
    return CutJob(info, read_index(video), Fraction(1, 2), work, choose_filters(info))


def assert_exact(job: CutJob, segments: Sequence[CutSegment]) -> None:
    """Assert that the segments together hold the source's frames at the source's times."""
    first = segments[0].times[0]
    frames = []
    for part in segments:
        place = (part.times[0] - first) * job.info.time_base
        frames += [(place + time, pixels) for time, pixels in decoded(part.path)]
    assert frames == decoded(job.info.path)


def test_a_pre_roll_that_is_too_short_shows_in_the_pixels_and_is_lengthened(
    tmp_path: Path, progress: Recorder
) -> None:
    video = make_clip(
        tmp_path / "clip.ts", 75, codec="libx264", options={"x264-params": "intra-refresh=1"}
    )
    job = job_of(video, tmp_path / "work")
    copier = ExactCopier(
        job, progress, needs_pre_roll=lambda _packets, _start, _stop, back: back > 2
    )
    assert_exact(job, cut(job, HALF, progress, copier))
    assert not progress.mentions("re-encoded")


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_where_no_pre_roll_helps_the_segment_is_re_encoded_without_loss(
    codec: str, tmp_path: Path, progress: Recorder
) -> None:
    options = X264_OPEN if codec == "libx264" else x265(f"{X265_OPEN}:keyint=10")
    video = make_clip(tmp_path / "clip.mp4", 75, codec=codec, options=options)
    job = job_of(video, tmp_path / "work")
    copier = ExactCopier(job, progress, needs_pre_roll=lambda *_: False)
    assert_exact(job, cut(job, HALF, progress, copier))
    assert progress.mentions("4 of 5 segments had to be re-encoded, without loss")


def test_segments_that_cannot_be_read_are_re_encoded(tmp_path: Path, progress: Recorder) -> None:
    def write_garbage(
        _info: VideoInfo,
        _index: SourceIndex,
        spans: Mapping[Path, PacketSpan],
        _on_packets: Callable[[int], None],
        on_written: Callable[[Path], None],
    ) -> None:
        for path in spans:
            path.write_bytes(b"no video")
            on_written(path)

    job = job_of(open_hevc(tmp_path), tmp_path / "work")
    copier = ExactCopier(job, progress, write=write_garbage)
    assert_exact(job, cut(job, HALF, progress, copier))
    assert progress.mentions("re-encoded, without loss: copied as they are, they could not be read")
