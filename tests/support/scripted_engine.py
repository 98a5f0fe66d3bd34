"""A cluster whose workers matte in no time, one task at a time, in an order that a seed decides.

They are lost now and then: before a task is done, or when it is and nobody has been told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from matting.errors import MachineUnusableError, StorageError
from matting.progress import Progress
from matting.workers.cluster.cluster_executor import ClusterExecutor
from matting.workers.cluster.messages import (
    Event,
    FramesDone,
    Joined,
    Left,
    SchedulerLost,
    TaskDone,
    UnitEnded,
)
from matting.workers.executor import SegmentTask, WorkerSetup
from tests.support.scripted_executor import ExecutorScript, ScriptedExecutor


@dataclass
class ClusterScript(ExecutorScript):
    """What the workers of a test do, and what they have done.

    Attributes:
        workers: how many there are.
        loss: how likely a worker is lost with each task.
        refusal: how likely it takes no further part instead.
        scheduler_loss: how likely the scheduler is lost with each task.
        lost: how many workers were.
        begun: of each unit that was begun, its worker and the names of its segments.
    """

    random: Random = field(default_factory=Random)
    workers: int = 3
    loss: float = 0.0
    refusal: float = 0.0
    scheduler_loss: float = 0.0
    lost: int = 0
    begun: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def executor(  # type: ignore[override]
        self, setup: WorkerSetup, folder: Path, progress: Progress
    ) -> ClusterExecutor:
        return ClusterExecutor(setup, folder, progress, lambda: ScriptedEngine(self))


class ScriptedEngine:
    """The workers of one run."""

    most_workers: int | None = None

    def __init__(self, script: ClusterScript) -> None:
        self._script = script
        self._setup: WorkerSetup | None = None
        self._events: deque[Event] = deque()
        self._executors: dict[str, ScriptedExecutor] = {}
        self._units: dict[str, list[tuple[str, deque[tuple[int, SegmentTask]]]]] = {}
        self._joined = 0

    def open(self, setup: WorkerSetup, _folder: Path) -> None:
        self._setup = setup
        self._script.loaded_network = setup.needs_network
        self._join()

    def admit(self, _setup: WorkerSetup) -> None:
        for _ in range(self._script.workers - 1):
            self._join()

    def start(self, worker: str, key: str, _name: str, tasks: Sequence[SegmentTask]) -> None:
        if worker in self._units:
            self._units[worker].append((key, deque(enumerate(tasks))))
            self._script.begun.append((worker, tuple(task.item.name for task in tasks)))

    def drop(self, key: str) -> None:
        for units in self._units.values():
            units[:] = [unit for unit in units if unit[0] != key]

    def next_event(self, _seconds: float) -> Event | None:
        if not self._events:
            self._work()
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self._units.clear()

    def _join(self) -> None:
        assert self._setup is not None
        self._joined += 1
        worker = f"worker {self._joined}"
        self._executors[worker] = ScriptedExecutor(self._script, self._setup.options, Progress())
        self._units[worker] = []
        self._events.append(Event(worker, Joined(worker)))

    def _work(self) -> None:
        """Have one of the workers do its next task."""
        random, script = self._script.random, self._script
        busy = sorted(worker for worker, units in self._units.items() if units)
        if not busy:
            return
        worker = random.choice(busy)
        if random.random() < script.scheduler_loss:
            self._events.append(Event("", SchedulerLost(MachineUnusableError("It is gone."))))
            return
        key, tasks = self._units[worker][0]
        index, task = tasks.popleft()
        executor = self._executors[worker]
        fate = random.random()
        if fate < script.loss / 2:
            self._lose(worker)
            return
        executor.submit(task)
        outcome = executor.outcome().outcome
        if fate < script.loss:  # its file is written, and nobody knows
            self._lose(worker)
            return
        if fate < script.loss + script.refusal and len(self._units) > 1:
            self._events.append(Event(worker, UnitEnded(key, StorageError("Its disk is full."))))
            del self._units[worker]
            self._join()
            return
        self._events.append(Event(worker, FramesDone(key, index, task.item.frames or 0)))
        self._events.append(Event(worker, TaskDone(key, index, outcome)))
        if not tasks:
            self._units[worker].pop(0)
            self._events.append(Event(worker, UnitEnded(key)))

    def _lose(self, worker: str) -> None:
        self._script.lost += 1
        del self._units[worker]
        self._events.append(Event(worker, Left()))
        self._join()
