"""Segments follow each other: one is finished while the next is matted; each fails for itself."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from matting.delivery.segment_writer import SegmentWriter
from matting.errors import EncodeError, SegmentsFailedError
from matting.imaging import large_frames
from matting.infer import infer
from matting.media.media_index import forget_index, known_index
from matting.progress import Progress
from matting.project.inputs import Input
from matting.project.paths import MattedFolder
from matting.workers.executor import ExecutorFactory, SegmentTask, WorkerSetup
from matting.workers.matting_stage import MattingStage
from matting.workers.segment_job import SegmentJob
from matting.workers.supervisor import Supervisor
from matting.workers.worker import Worker
from tests.support.clips import make_clip
from tests.support.opens import OpenCounter
from tests.support.recorder import Recorder
from tests.support.stages import assert_same, cut, matte, matting_options, processed

SECONDS = 10  # before a test gives up


class LateWriter(SegmentWriter):
    """A writer that finishes only after something else has happened."""

    def __init__(self, then: Callable[[], None], *args: Any) -> None:
        super().__init__(*args)
        self._then = then

    def finish(self, on_frames: Callable[[int], None]) -> None:
        self._then()
        super().finish(on_frames)


def before_the_first_is_finished(then: Callable[[], None]) -> ExecutorFactory:
    """Return what makes supervisors that call `then` before the first segment is finished."""

    def create_writer(*args: Any) -> SegmentWriter:
        created.append(LateWriter(then, *args) if not created else SegmentWriter(*args))
        return created[-1]

    def start(setup: WorkerSetup, _folder: Path, _progress: Progress) -> Worker:
        return Worker(setup, stage_of=partial(MattingStage, create_writer=create_writer))

    created: list[SegmentWriter] = []
    return partial(Supervisor, start=start)


def reached(progress: Recorder, frames: int) -> threading.Event:
    """Return what is set once that many frames are through the network."""
    event = threading.Event()

    def note(done: int) -> None:
        if done >= frames:
            event.set()

    progress.on_advance = note
    return event


def test_the_next_is_matted_meanwhile_but_not_the_one_after_it(
    tmp_path: Path,
    progress: Recorder,
    light_checkpoint: Path,
) -> None:
    segments = cut(tmp_path, progress)
    second_is_through, seen = reached(progress, 60), []

    def wait() -> None:
        assert second_is_through.wait(SECONDS)
        threading.Event().wait(0.3)  # time enough for a third segment, if it may begin
        seen.append(progress.done)

    executor = before_the_first_is_finished(wait)
    folder = infer(segments, matting_options(light_checkpoint), None, progress, executor)
    assert seen == [60]
    assert progress.done == 70
    assert all(processed(folder).values())


def test_segments_of_large_frames_are_encoded_one_after_another(
    tmp_path: Path,
    progress: Recorder,
    random_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NotingWriter(SegmentWriter):
        def open(self) -> None:
            seen.append("open")
            super().open()

        def close(self) -> None:
            super().close()
            seen.append("closed")

    def start(setup: WorkerSetup, _folder: Path, _progress: Progress) -> Worker:
        return Worker(setup, stage_of=partial(MattingStage, create_writer=NotingWriter))

    seen: list[str] = []
    monkeypatch.setattr(large_frames, "LARGE_PX", 0)
    segments = cut(tmp_path, progress)
    executor = partial(Supervisor, start=start)
    folder = infer(segments, matting_options(random_checkpoint), None, progress, executor)
    assert all(processed(folder).values())
    assert seen == ["open", "closed"] * 3


def test_a_result_that_fails_late_costs_the_next_nothing(
    tmp_path: Path,
    progress: Recorder,
    light_checkpoint: Path,
) -> None:
    segments = cut(tmp_path, progress)
    undisturbed = matte(segments, light_checkpoint, Recorder(), tmp_path / "undisturbed")
    second_has_begun = reached(progress, 31)

    def fail() -> None:
        assert second_has_begun.wait(SECONDS)
        raise EncodeError("The encoder broke off.")

    executor = before_the_first_is_finished(fail)
    with pytest.raises(SegmentsFailedError, match=r"1 of 3(.|\n)*output_000.mp4: The encoder"):
        infer(segments, matting_options(light_checkpoint), None, progress, executor)
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    assert list(processed(folder).values()) == [False, True, True]
    assert not list(folder.root.rglob("*.partial"))
    manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    assert manifest["segments"]["output_001.mp4"]["start_state"] == "carried"
    again = Recorder()
    matte(segments, light_checkpoint, again)
    assert again.totals == [30]
    assert_same(folder, undisturbed)


def test_threads_end_with_the_run(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path
) -> None:
    threads = threading.active_count()
    segments = cut(tmp_path, progress)

    def interrupt(_done: int) -> None:
        raise KeyboardInterrupt

    progress.on_advance = interrupt
    with pytest.raises(KeyboardInterrupt):
        matte(segments, light_checkpoint, progress)
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
