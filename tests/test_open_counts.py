"""Large files lie on slow disks: no stage reads one more often than it has to."""

from __future__ import annotations

from pathlib import Path

from matting.add_audio import add_audio
from matting.combine import combine
from matting.infer import infer
from matting.options import OutputKind
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.opens import OpenCounter
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, cut, matting_options


def test_infer_reads_a_video_once_before_it_is_decoded(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, open_counter: OpenCounter
) -> None:
    (tmp_path / "videos").mkdir()
    video = make_clip(tmp_path / "videos" / "clip.mp4", 40)
    folder = infer(video.parent, matting_options(opaque_checkpoint), None, progress)
    # Its start, which says how it is seen; its packets, its frames.
    assert open_counter.demuxed(video) == 3
    assert open_counter.read(video) == 2  # MP4's boxes, its hash
    result = folder.output_folder(OutputKind.COMPOSITE) / "clip.mp4"
    assert open_counter.demuxed_before_published(result) == 1  # the check of its frames
    assert open_counter.read_before_published(result) == 1  # its hash


def test_infer_reads_a_segment_once_before_it_is_decoded(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, open_counter: OpenCounter
) -> None:
    segments = cut(tmp_path, progress, 70)
    before = {path: open_counter.of(path) for path in segments.glob("*.mp4")}
    assert len(before) == 3
    infer(segments, matting_options(opaque_checkpoint), None, progress)
    for path, opens in before.items():
        assert open_counter.of(path) - opens == 3  # its index, its hash, its frames


def test_infer_reads_its_records_once_to_know_the_options_and_once_under_the_lock(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, open_counter: OpenCounter
) -> None:
    segments = cut(tmp_path, progress, 5)
    folder = infer(segments, matting_options(opaque_checkpoint), None, progress)
    before = open_counter.read(folder.manifest), open_counter.read(folder.processed)
    infer(segments, matting_options(opaque_checkpoint), None, progress)
    after = open_counter.read(folder.manifest), open_counter.read(folder.processed)
    # processed.json once more, to find that there is nothing new to write.
    assert [now - then for then, now in zip(before, after, strict=True)] == [2, 3]


def test_segment(tmp_path: Path, progress: Recorder, open_counter: OpenCounter) -> None:
    video = make_clip(tmp_path / "clip.mp4", 70, audio=True)
    folder = segment(video, SECOND, None, progress)
    # Its start, its packets, its first frames; then its packets are copied.
    assert open_counter.demuxed(video) == 4
    # MP4's boxes; the hash of both ends; that of all of it, beside the reading of its packets.
    assert open_counter.read(video) == 3
    for number in range(3):
        name = f"output_{number:03d}.mp4"
        assert open_counter.demuxed(folder / ".cutting" / name) == 1  # the check of its frames
        assert open_counter.read(folder / ".cutting" / name) == 1  # its hash


def test_combine_and_add_audio(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, open_counter: OpenCounter
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 70, audio=True)
    segments = segment(video, SECOND, None, progress)
    matted = infer(segments, matting_options(opaque_checkpoint), None, progress)
    combined = combine(matted.root, None, progress)
    for number in range(3):
        result = matted.output_folder(OutputKind.COMPOSITE) / f"output_{number:03d}.mp4"
        assert open_counter.demuxed(result) == 1  # it is copied
    assert open_counter.demuxed_before_published(combined) == 1  # the check of its frames
    assert open_counter.demuxed(combined) == 0
    before = open_counter.demuxed(video)
    final = add_audio(video, None, progress)
    # Known from cutting; its audio's packets.
    assert open_counter.demuxed(video) - before == 1
    assert open_counter.demuxed(combined) == 1  # its index
    # What the muxer wrote into its header; then, as it is delivered, its index.
    assert open_counter.demuxed_before_published(final) == 2
    assert open_counter.demuxed(final) == 0
