"""What broke a worker is tried again, alone and with care; a machine at fault is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from matting.errors import MachineError, MachineUnusableError
from matting.infer import infer
from matting.progress import Notice, Progress
from matting.project.paths import MattedFolder
from matting.workers.executor import Failure, Outcome, SavedState, SegmentTask, WorkerSetup
from matting.workers.supervisor import Supervisor
from matting.workers.worker import Worker
from tests.support.recorder import Recorder
from tests.support.scripted_workers import (
    FRAMES,
    Script,
    failed_segments,
    supervisor,
    task,
)
from tests.support.stages import assert_same, cut, matte, matting_options, processed

ALWAYS = 99


@pytest.mark.parametrize("times", [1, 2])
def test_what_may_have_broken_a_worker_goes_alone(
    times: int, tmp_path: Path, progress: Recorder
) -> None:
    script = Script({"b": times}, names_the_segment=False)
    assert failed_segments(supervisor(script, progress, tmp_path), "abc", tmp_path) == []
    # One careful worker has first the one, then the other; never both.
    careful = [(["a", "b"], True), (["b"], True)][:times]
    assert script.workers == [(["a", "b"], False), *careful, (["c"], False)]
    assert progress.notices[0] == (Notice.TRIED_AGAIN, "a or b")
    assert progress.mentions("a or b: It broke. Trying again, 2 of 3.")
    assert progress.done == 3 * FRAMES


def test_only_the_segment_that_is_named_is_blamed(tmp_path: Path, progress: Recorder) -> None:
    script = Script({"b": 1})
    assert failed_segments(supervisor(script, progress, tmp_path), "abc", tmp_path) == []
    assert script.workers == [
        (["a", "b"], False),
        (["a"], False),
        (["b"], True),
        (["c"], False),
    ]
    assert progress.mentions("b: It broke. Trying again, 2 of 3.")
    assert not progress.mentions("a or b")
    assert progress.done == 3 * FRAMES


@pytest.mark.parametrize("names_the_segment", [True, False])
@pytest.mark.parametrize("after_frames", [True, False])
def test_the_third_break_fails_that_segment_alone(
    names_the_segment: bool, after_frames: bool, tmp_path: Path, progress: Recorder
) -> None:
    script = Script({"b": ALWAYS}, names_the_segment, after_frames)
    assert failed_segments(supervisor(script, progress, tmp_path), "abc", tmp_path) == ["b"]
    assert script.breaks["b"] == ALWAYS - 3
    assert progress.done == 2 * FRAMES


def test_a_start_that_fails_is_tried_again_and_blamed_on_nothing(
    tmp_path: Path, progress: Recorder
) -> None:
    script = Script(failing_starts=2)
    assert failed_segments(supervisor(script, progress, tmp_path), "abc", tmp_path) == []
    assert script.workers == [(["a", "b", "c"], False)]
    assert progress.mentions("It does not start. Trying again, 3 of 3.")


@pytest.mark.parametrize(
    "act",
    [
        lambda executor: executor.prepare(network=True),
        lambda executor: executor.trial(task("a", Path(), 3)),
        lambda executor: failed_segments(executor, "abcdefghijklmnopqrst", Path()),
    ],
    ids=["prepare", "trial", "twenty segments"],
)
def test_where_no_worker_starts_the_run_stops(
    act: Callable[[Supervisor], object], tmp_path: Path, progress: Recorder
) -> None:
    script = Script(failing_starts=ALWAYS)
    with pytest.raises(MachineUnusableError, match="It does not start"):
        act(supervisor(script, progress, tmp_path))
    assert script.starts == 3


def test_where_no_worker_gets_as_far_as_a_frame_the_run_stops(
    tmp_path: Path, progress: Recorder
) -> None:
    script = Script(dict.fromkeys("abcdefgh", ALWAYS), after_frames=False)
    with pytest.raises(MachineUnusableError, match="It broke") as stopped:
        failed_segments(supervisor(script, progress, tmp_path), "abcdefgh", tmp_path)
    assert script.starts == 7
    assert stopped.value.retry
    assert "what is done stays done" in stopped.value.hint


def test_trials_that_break_their_worker_count_too(tmp_path: Path, progress: Recorder) -> None:
    script = Script(dict.fromkeys("abcdefgh", ALWAYS), after_frames=False)
    executor = supervisor(script, progress, tmp_path)
    for name in "abc":
        assert isinstance(executor.trial(task(name, tmp_path, 3)), Failure)
    with pytest.raises(MachineUnusableError):
        failed_segments(executor, "abcdefgh", tmp_path)
    assert script.starts == 7


def test_a_frame_in_between_shows_that_the_machine_works(
    tmp_path: Path, progress: Recorder
) -> None:
    script = Script(dict.fromkeys("abdegh", ALWAYS), after_frames=False)
    executor = supervisor(script, progress, tmp_path)
    assert failed_segments(executor, "abcdefghi", tmp_path) == list("abdegh")


class Mortal(Worker):
    """A worker whose machine gives up after the first segment."""

    def outcome(self, progress: Progress) -> Outcome:
        if self.died:
            raise MachineError("The graphics card is gone.")
        self.died = True
        return super().outcome(progress)

    died = False


def test_nothing_is_marked_failed_that_was_not_tried_and_a_rerun_resumes(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 150)
    starts: list[int] = []

    def start(setup: WorkerSetup, _folder: Path, _progress: Progress) -> Worker:
        starts.append(1)
        if len(starts) > 1:
            raise MachineError("The graphics card is gone.")
        return Mortal(setup)

    def executor(setup: WorkerSetup, folder: Path, progress: Progress) -> Supervisor:
        return Supervisor(setup, folder, progress, start)

    with pytest.raises(MachineUnusableError, match="The graphics card is gone") as stopped:
        infer(segments, matting_options(light_checkpoint), None, progress, executor)
    assert stopped.value.exit_code == 70
    assert len(starts) == 4
    folder = MattedFolder.of(segments)
    assert list(processed(folder).values()) == [True, False, False, False, False]
    manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    assert [entry["error"] for entry in manifest["segments"].values()] == [""] * 5
    assert not list(folder.root.rglob("*.partial"))

    again = Recorder()
    matte(segments, light_checkpoint, again)
    assert again.totals == [120]
    undisturbed = matte(segments, light_checkpoint, Recorder(), tmp_path / "undisturbed")
    assert_same(folder, undisturbed)


def test_a_task_is_handed_over_as_it_is(tmp_path: Path, progress: Recorder) -> None:
    """A segment whose predecessor is done meanwhile finds that one's state on the disk."""
    given: list[SegmentTask] = []
    script = Script({"b": 1})

    class Noting:
        def __init__(self, setup: WorkerSetup, folder: Path, progress: Progress) -> None:
            self._worker = script.start(setup, folder, progress)

        choice = None

        def submit(self, task: SegmentTask) -> None:
            given.append(task)
            self._worker.submit(task)

        def outcome(self, progress: Progress) -> Outcome:
            return self._worker.outcome(progress)

        def close(self) -> None:
            self._worker.close()

    setup = WorkerSetup(matting_options(None), tmp_path, "", "cpu")
    executor = Supervisor(setup, tmp_path, progress, Noting)
    first = task("a", tmp_path)
    first = SegmentTask(first.item, end_state=tmp_path / "a.pt")
    second = SegmentTask(task("b", tmp_path).item, before=first.item)
    executor.submit(first)
    executor.submit(second)
    assert not isinstance(executor.outcome().outcome, Failure)
    assert not isinstance(executor.outcome().outcome, Failure)
    assert [(t.item.name, t.start_state) for t in given] == [
        ("a", None),
        ("b", None),
        ("a", None),
        ("b", SavedState(tmp_path / "a.pt", exact=True)),
    ]
