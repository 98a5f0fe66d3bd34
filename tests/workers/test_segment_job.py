"""Segments follow each other: one is finished while the next is matted; each fails for itself."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from matting.errors import EncodeError, SegmentsFailedError
from matting.media.media_index import forget_index, known_index
from matting.media.video_writer import VideoWriter
from matting.project.inputs import Input
from matting.project.paths import MattedFolder
from matting.workers.executor import SegmentTask
from matting.workers.segment_job import SegmentJob
from tests.support.clips import make_clip
from tests.support.opens import OpenCounter
from tests.support.recorder import Recorder
from tests.support.stages import assert_same, cut, matte, processed

SECONDS = 10  # before a test gives up


def at_the_end_of_the_first(monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
    """Has the finisher call `then` when it comes to the first segment's file."""
    finish = VideoWriter.finish

    def first_then(writer: VideoWriter, on_frames: Callable[[int], None]) -> None:
        if threading.current_thread().name == "finisher" and not called:
            called.append(True)
            then()
        finish(writer, on_frames)

    called: list[bool] = []
    monkeypatch.setattr(VideoWriter, "finish", first_then)


def reached(progress: Recorder, frames: int) -> threading.Event:
    """Set once that many frames are through the network."""
    event = threading.Event()

    def note(done: int) -> None:
        if done >= frames:
            event.set()

    progress.on_advance = note
    return event


def test_the_next_is_matted_meanwhile_but_not_the_one_after_it(
    tmp_path: Path,
    progress: Recorder,
    random_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segments = cut(tmp_path, progress)
    second_is_through, seen = reached(progress, 60), []

    def wait() -> None:
        assert second_is_through.wait(SECONDS)
        threading.Event().wait(0.3)  # time enough for a third segment, if it may begin
        seen.append(progress.done)

    at_the_end_of_the_first(monkeypatch, wait)
    folder = matte(segments, random_checkpoint, progress)
    assert seen == [60]
    assert progress.done == 70
    assert all(processed(folder).values())


def test_a_result_that_fails_late_costs_the_next_nothing(
    tmp_path: Path,
    progress: Recorder,
    random_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segments = cut(tmp_path, progress)
    undisturbed = matte(segments, random_checkpoint, Recorder(), tmp_path / "undisturbed")
    second_has_begun = reached(progress, 31)

    def fail() -> None:
        assert second_has_begun.wait(SECONDS)
        raise EncodeError("The encoder broke off.")

    with monkeypatch.context() as patch:
        at_the_end_of_the_first(patch, fail)
        with pytest.raises(SegmentsFailedError, match=r"1 of 3(.|\n)*output_000.mp4: The encoder"):
            matte(segments, random_checkpoint, progress)
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    assert list(processed(folder).values()) == [False, True, True]
    assert not list(folder.root.rglob("*.partial"))
    manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    assert manifest["segments"]["output_001.mp4"]["start_state"] == "carried"
    again = Recorder()
    matte(segments, random_checkpoint, again)
    assert again.totals == [30]
    assert_same(folder, undisturbed)


def test_threads_end_with_the_run(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path
) -> None:
    threads = threading.active_count()
    segments = cut(tmp_path, progress)

    def interrupt(_done: int) -> None:
        raise KeyboardInterrupt

    progress.on_advance = interrupt
    with pytest.raises(KeyboardInterrupt):
        matte(segments, random_checkpoint, progress)
    assert threading.active_count() == threads
    assert not list((tmp_path / "clip_segments_matted").rglob("*.partial"))


def test_what_the_run_knows_of_a_video_is_not_read_again(
    tmp_path: Path, open_counter: OpenCounter
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 9)
    item = Input("clip.mp4", video, "clip")
    assert item.open(None).frames == 9
    index = pickle.loads(pickle.dumps(known_index(video)))  # as it comes to another process
    forget_index(video)
    job = SegmentJob(SegmentTask(item, index=index))
    job.open(None)
    assert job.source.frames == 9
    assert open_counter.demuxed(video) == 1
