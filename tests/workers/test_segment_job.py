"""Segments follow each other: one is finished while the next is matted; each fails for itself."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from matting.errors import EncodeError, MachineError, SegmentsFailedError
from matting.media.video_writer import VideoWriter
from matting.progress import Progress
from matting.project.inputs import Input
from matting.project.ledger import InitialState
from matting.project.paths import MattedFolder
from matting.system.fingerprint import Fingerprint
from matting.workers.segment_job import Outcome, Task
from matting.workers.supervisor import Supervisor
from matting.workers.worker import WorkerSetup
from tests.support.recorder import Recorder
from tests.support.stages import assert_same, cut, matte, matting_options, processed

FRAMES, SECONDS = 5, 10  # of a scripted segment; before a test gives up


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


class Script:
    """Workers that only count frames, and break over a segment as often as the script says.

    Attributes:
        breaks: how many more times each segment breaks its worker.
        tells: whether the worker can tell over which.
        had: what each worker was given, and whether it was to compute single frames.
    """

    def __init__(self, breaks: dict[str, int], *, tells: bool) -> None:
        self.breaks, self.tells = breaks, tells
        self.had: list[tuple[list[str], bool]] = []

    def worker(self, setup: WorkerSetup) -> ScriptedWorker:
        made = ScriptedWorker(self)
        self.had.append((made.given, setup.options.compute.largest_chunk == 1))
        return made


class ScriptedWorker:
    """One of them; it counts the frames of all that it is given before its first outcome."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._tasks: deque[Task] = deque()
        self._new: list[str] = []
        self.given: list[str] = []

    def submit(self, task: Task) -> None:
        self._tasks.append(task)
        self._new.append(task.item.name)
        self.given.append(task.item.name)

    def outcome(self, progress: Progress) -> Outcome:
        while self._new:
            name = self._new.pop(0)
            progress.part(name)
            progress.advance(FRAMES)
            if self._script.breaks.get(name):
                self._script.breaks[name] -= 1
                error = MachineError("It broke.")
                error.segment = name if self._script.tells else ""
                raise error
        self._tasks.popleft()
        return Outcome(Fingerprint(0, ""), InitialState.FRESH, FRAMES, {})

    def close(self) -> None:
        """Has nothing to let go of."""


def supervised(
    script: Script, progress: Recorder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The segments a, b and c as a run hands them over; returns which of them failed."""
    monkeypatch.setattr("matting.workers.supervisor.Worker", script.worker)
    setup = WorkerSetup(matting_options(None), folder, "", "cpu")
    waiting, failed = deque("abc"), []
    with Supervisor(setup, folder, progress) as supervisor:
        in_hand: deque[str] = deque()
        while waiting or in_hand:
            while waiting and supervisor.has_room:
                in_hand.append(waiting.popleft())
                supervisor.submit(Task(Input(in_hand[-1], folder / in_hand[-1], in_hand[-1])))
            name = in_hand.popleft()
            try:
                supervisor.outcome()
            except MachineError:
                failed.append(name)
    return failed


@pytest.mark.parametrize("times", [1, 2])
def test_what_may_have_broken_a_worker_goes_alone(
    times: int, tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script({"b": times}, tells=False)
    assert supervised(script, progress, tmp_path, monkeypatch) == []
    # One careful worker has first the one, then the other; never both.
    careful = [(["a", "b"], True), (["b"], True)][:times]
    assert script.had == [(["a", "b"], False), *careful, (["c"], False)]
    assert progress.heard("a or b: It broke. Trying again, 2 of 3.")
    assert progress.done == 3 * FRAMES


def test_only_the_one_that_is_told_of_is_charged(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script({"b": 1}, tells=True)
    assert supervised(script, progress, tmp_path, monkeypatch) == []
    assert script.had == [
        (["a", "b"], False),
        (["a"], False),
        (["b"], True),
        (["c"], False),
    ]
    assert progress.heard("b: It broke. Trying again, 2 of 3.")
    assert not progress.heard("a or b")
    assert progress.done == 3 * FRAMES


@pytest.mark.parametrize("tells", [True, False])
def test_the_third_break_fails_that_segment_alone(
    tells: bool, tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script({"b": 99}, tells=tells)
    assert supervised(script, progress, tmp_path, monkeypatch) == ["b"]
    assert script.breaks["b"] == 99 - 3
    assert progress.done == 2 * FRAMES
