"""Stage two, where segments are damaged, mended or changed, before it or while it runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from matting.errors import BusyError, SegmentsFailedError
from matting.infer import infer
from matting.options import (
    CuttingOptions,
)
from matting.project.paths import MattedFolder
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder, once_done
from tests.support.snapshots import snapshot
from tests.support.stages import (
    composites,
    cut,
    matte,
    matting_options,
    processed,
    with_compute,
)


def test_one_bad_segment_does_not_stop_the_others(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    good = (segments / "output_001.mp4").read_bytes()
    (segments / "output_001.mp4").write_text("no video", encoding="utf-8")
    with pytest.raises(SegmentsFailedError, match=r"1 of 3(.|\n)*output_001.mp4") as caught:
        matte(segments, opaque_checkpoint, progress)
    assert caught.value.exit_code == 1
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    assert list(processed(folder).values()) == [True, False, True]
    first = snapshot(composites(folder)[:1])
    (segments / "output_001.mp4").write_bytes(good)
    progress.totals.clear()
    matte(segments, opaque_checkpoint, progress)
    assert all(processed(folder).values())
    assert snapshot(composites(folder)[:1]) == first
    # The third had to begin without the second; now it need not, which the forecast knows.
    assert progress.mentions("output_002.mp4 is done again")
    manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    assert manifest["segments"]["output_002.mp4"]["start_state"] == "carried"
    matte(segments, opaque_checkpoint, progress)
    assert progress.totals == [40]


def test_a_segment_that_lost_frames_fails(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    make_clip(segments / "output_001.mp4", 29)
    with pytest.raises(SegmentsFailedError, match="29 frames, but was cut with 30"):
        matte(segments, opaque_checkpoint, progress)


@pytest.mark.parametrize("where", [0.3, 0.6, 0.9])
def test_a_damaged_segment_is_never_called_done(
    where: float, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 30)
    path = segments / "output_000.mp4"
    content = bytearray(path.read_bytes())
    frames = content.index(b"mdat") + 4  # before them is room that holds nothing
    start = frames + int((len(content) - frames) * where)
    content[start : start + 400] = bytes(400)
    path.write_bytes(content)
    with pytest.raises(SegmentsFailedError):
        matte(segments, opaque_checkpoint, progress)
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    assert processed(folder) == {"output_000.mp4": False}
    assert composites(folder) == []


def test_a_mended_segment_of_another_size_starts_anew(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 40)
    make_clip(segments / "output_001.mp4", 10, size=(80, 64))
    folder = matte(segments, light_checkpoint, progress)
    manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    assert manifest["segments"]["output_001.mp4"]["start_state"] == "reset"
    progress.totals.clear()
    matte(segments, light_checkpoint, progress)
    assert progress.totals == []


def test_a_segment_that_changes_while_it_is_matted_is_not_done(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 60)
    other = make_clip(tmp_path / "other.mp4", 30, gop=5).read_bytes()

    def swap() -> None:
        (segments / "output_001.mp4").write_bytes(other)

    progress.on_advance = once_done(45, swap)
    options = with_compute(matting_options(opaque_checkpoint), largest_chunk=1)
    with pytest.raises(SegmentsFailedError, match="changed while"):
        infer(segments, options, None, progress)  # frame by frame, else all is read by then
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    assert processed(folder) == {"output_000.mp4": True, "output_001.mp4": False}


def test_a_video_that_changes_while_it_is_matted_is_not_done(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    """Without a plan nothing is known of its content before."""
    (tmp_path / "videos").mkdir()
    video = make_clip(tmp_path / "videos" / "clip.mp4", 40)

    def append(done: int) -> None:
        if done == 20:
            with video.open("ab") as file:
                file.write(b"more")

    progress.on_advance = append
    options = with_compute(matting_options(opaque_checkpoint), largest_chunk=1)
    with pytest.raises(SegmentsFailedError, match="changed while"):
        infer(video.parent, options, None, progress)  # frame by frame, as above
    assert processed(MattedFolder(tmp_path / "videos_matted")) == {"clip.mp4": False}


def test_a_segment_that_is_only_touched_is_the_same(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 30)

    def touch(_done: int) -> None:
        os.utime(segments / "output_000.mp4")

    progress.on_advance = touch
    folder = matte(segments, opaque_checkpoint, progress)
    assert processed(folder) == {"output_000.mp4": True}


def test_a_segment_that_was_mended_elsewhere_is_accepted_and_mentioned(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 60)
    mended = segments / "output_001.mp4"
    # In milliseconds, as many converters write: no time is exact, none is off by more than one.
    make_clip(tmp_path / "mended.mkv", 30)
    mended.write_bytes((tmp_path / "mended.mkv").read_bytes())
    folder = matte(segments, opaque_checkpoint, progress)
    assert all(processed(folder).values())
    assert progress.mentions("output_001.mp4 is not what was cut any more")
    assert not progress.mentions("output_000.mp4 is not what")


def test_a_segment_with_other_times_is_refused(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 60)
    times = [*range(20), *range(21, 31)]
    make_clip(segments / "output_001.mp4", 30, pts=times)
    with pytest.raises(SegmentsFailedError, match="frame 20 is shown at another time"):
        matte(segments, opaque_checkpoint, progress)


def test_segments_cannot_be_cut_anew_while_they_are_matted(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    refused: list[int] = []

    def cut_anew() -> None:
        with pytest.raises(BusyError) as caught:
            segment(tmp_path / "clip.mp4", CuttingOptions(overwrite=True), None, Recorder())
        refused.append(caught.value.exit_code)

    progress.on_advance = once_done(40, cut_anew)
    matte(segments, opaque_checkpoint, progress)
    assert refused == [5]


def test_a_segment_that_disappears_while_it_is_matted_fails_alone(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)

    progress.on_advance = once_done(45, (segments / "output_001.mp4").unlink)
    options = with_compute(matting_options(opaque_checkpoint), largest_chunk=1)
    with pytest.raises(SegmentsFailedError, match=r"1 of 3(.|\n)*output_001.mp4.*cannot be read"):
        infer(segments, options, None, progress)  # frame by frame, else all is read by then
