"""The worker's end: units follow each other, and what nobody wants is broken off."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from matting.errors import MattingError, MediaError, StorageError
from matting.progress import Progress
from matting.project.entry import InitialState
from matting.project.inputs import Input
from matting.system.fingerprint import Fingerprint
from matting.workers.cluster import unit_host
from matting.workers.cluster.messages import FramesDone, Message, TaskDone, UnitEnded
from matting.workers.cluster.unit_host import UnitHost
from matting.workers.executor import (
    Completion,
    Failure,
    Outcome,
    SavedState,
    SegmentTask,
    TrialOutcome,
)

DONE = Outcome(Fingerprint(0, ""), InitialState.FRESH, True, True, 1, {})
SECONDS = 20.0


def item(name: str) -> Input:
    return Input(name, Path(name), name)


class Steps:
    """An executor that writes down what it is asked for; `before` is called first of an outcome."""

    at_once = 1

    def __init__(self, log: list[str], progress: Progress, before: Callable[[str], object]) -> None:
        self._log, self._progress, self._before = log, progress, before
        self._tasks: deque[tuple[int, SegmentTask]] = deque()
        self._submitted = 0

    def prepare(self, *, network: bool) -> None:
        self._log.append("prepare")

    def trial(self, task: SegmentTask) -> TrialOutcome | Failure:
        assert not self._tasks
        self._log.append(f"trial {task.item.name}")
        return Failure(MediaError("It cannot be tried."))

    @property
    def has_room(self) -> bool:
        return len(self._tasks) < 2

    def submit(self, task: SegmentTask) -> int:
        self._log.append(f"begin {task.item.name}")
        self._submitted += 1
        self._tasks.append((self._submitted, task))
        return self._submitted

    def outcome(self) -> Completion:
        number, task = self._tasks[0]
        self._before(task.item.name)
        self._progress.begin_segment(task.item.name)
        self._progress.advance(1)
        self._tasks.popleft()
        self._log.append(f"end {task.item.name}")
        return Completion(number, DONE)

    def close(self) -> None:
        self._log.append("close")


class Hosted:
    """A host, what its executors were asked for, and what it sent; units come from threads."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.sent: list[Message] = []
        self.before: Callable[[str], object] = str
        self.host = UnitHost(self._make, self.sent.append, network=True)
        self._threads: list[threading.Thread] = []

    def _make(self, progress: Progress) -> Steps:
        return Steps(self.log, progress, self._call_before)

    def _call_before(self, name: str) -> None:
        self.before(name)

    def hand_in(
        self,
        key: str,
        count: int,
        is_wanted: Callable[[], bool] = lambda: True,
        only_frames: int | None = None,
    ) -> None:
        """Have a unit of so many segments gone through; return when it waits for that."""
        items = [item(f"{key}{index}") for index in range(count)]
        tasks = [SegmentTask(own, only_frames=only_frames) for own in items]
        given = (key, tasks, is_wanted)
        waiting = len(self.host._waiting)
        self._threads.append(threading.Thread(target=self.host.run, args=given, daemon=True))
        self._threads[-1].start()
        until = time.monotonic() + SECONDS
        while len(self.host._waiting) == waiting:
            assert time.monotonic() < until
            time.sleep(0.001)

    def serve(self) -> None:
        """Serve until all units are at their end."""
        self.host.serve(lambda: any(t.is_alive() for t in self._threads), lambda _: None)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(SECONDS)
            assert not thread.is_alive()

    def done(self) -> list[tuple[str, int]]:
        return [(m.key, m.index) for m in self.sent if isinstance(m, TaskDone)]

    def ended(self) -> list[tuple[str, MattingError | None]]:
        return [(m.key, m.error) for m in self.sent if isinstance(m, UnitEnded)]


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    monkeypatch.setattr(unit_host, "PULSE_SECONDS", 0.0)
    own = Hosted()
    yield own
    own.join()


def test_the_next_unit_begins_while_the_last_segment_of_one_is_finished(hosted: Hosted) -> None:
    hosted.hand_in("a", 2)
    hosted.hand_in("b", 1)
    hosted.serve()
    steps = ["begin a0", "begin a1", "end a0", "begin b0", "end a1", "end b0"]
    assert hosted.log == ["prepare", *steps, "close"]
    assert hosted.done() == [("a", 0), ("a", 1), ("b", 0)]
    assert hosted.ended() == [("a", None), ("b", None)]
    told = [(m.key, m.index, m.frames) for m in hosted.sent if isinstance(m, FramesDone)]
    assert told == [("a", 0, 1), ("a", 1, 1), ("b", 0, 1)]


def test_what_nobody_wants_is_broken_off_and_what_had_begun_of_others_begins_anew(
    hosted: Hosted,
) -> None:
    dropped: list[str] = []
    hosted.before = lambda name: dropped.append("a") if name == "a1" else None
    hosted.hand_in("a", 2, lambda: not dropped)
    hosted.hand_in("b", 2)
    hosted.serve()
    begun = [line for line in hosted.log if line.startswith("begin b")]
    assert begun == ["begin b0", "begin b0", "begin b1"]
    assert hosted.log.count("prepare") == hosted.log.count("close") == 2
    assert hosted.done() == [("a", 0), ("b", 0), ("b", 1)]
    assert hosted.ended() == [("b", None)]


def test_what_is_not_wanted_any_more_before_it_begins_is_passed_over(hosted: Hosted) -> None:
    hosted.hand_in("a", 1, lambda: False)
    hosted.hand_in("b", 1)
    hosted.serve()
    assert hosted.done() == [("b", 0)]
    assert hosted.log.count("prepare") == 1


def test_an_executor_that_breaks_tells_all_units_and_takes_no_more(hosted: Hosted) -> None:
    error = StorageError("The disk is full.")

    def break_at(name: str) -> None:
        if name == "a1":
            raise error

    hosted.before = break_at
    hosted.hand_in("a", 2)
    hosted.hand_in("b", 1)
    hosted.hand_in("c", 1)
    with pytest.raises(StorageError):
        hosted.serve()
    assert hosted.done() == [("a", 0)]
    assert sorted(hosted.ended(), key=str) == [("a", error), ("b", error), ("c", error)]
    hosted.host.run("d", [SegmentTask(item("d0"))], lambda: True)  # it returns
    assert hosted.log[-1] == "close"


def test_a_trial_goes_alone(hosted: Hosted) -> None:
    hosted.hand_in("a", 1)
    hosted.hand_in("t", 1, only_frames=8)
    hosted.hand_in("b", 1)
    hosted.serve()
    steps = ["begin a0", "end a0", "trial t0", "begin b0", "end b0"]
    assert hosted.log == ["prepare", *steps, "close"]
    assert hosted.done() == [("a", 0), ("t", 0), ("b", 0)]


def continued(name: str, state: Path) -> SegmentTask:
    return SegmentTask(item(name), start_state=SavedState(state, exact=True))


def test_a_state_that_another_computer_has_named_is_waited_for_but_not_for_ever(
    hosted: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_host, "LOOK_SECONDS", 0.01)
    state = tmp_path / "state"
    timer = threading.Timer(0.05, state.touch)

    def wait(_: str) -> None:
        timer.start()
        hosted.host.await_state(continued("a0", state))
        assert state.exists()
        monkeypatch.setattr(unit_host, "SEEN_AFTER_SECONDS", 0.0)
        hosted.host.await_state(continued("a0", tmp_path / "none"))

    hosted.before = wait
    hosted.hand_in("a", 1)
    hosted.serve()
    assert hosted.done() == [("a", 0)]
    timer.join()


@pytest.mark.parametrize("unwanted", ["a", "b"])
def test_a_state_is_not_waited_for_where_nobody_wants_its_unit_any_more(
    hosted: Hosted, unwanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_host, "LOOK_SECONDS", 0.01)
    dropped: list[str] = []
    timer = threading.Timer(0.05, dropped.append, [unwanted])

    def wait(name: str) -> None:
        if name == "a0":
            timer.start()
            hosted.host.await_state(continued(f"{unwanted}0", tmp_path / "none"))

    hosted.before = wait
    for key in "ab":
        hosted.hand_in(key, 1, lambda key=key: key not in dropped)  # type: ignore[misc]
    hosted.serve()
    (kept,) = {"a", "b"} - {unwanted}
    assert hosted.done() == [(kept, 0)]
    assert ("end a0" in hosted.log) is (kept == "a")
    timer.join()
