"""Runs a worker, watches it, and replaces it when it breaks.

In a process of its own a worker can crash or hang and be replaced: a decoder, an encoder or a
graphics card's driver that goes wrong costs a segment at most, not the night.
"""

from __future__ import annotations

from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from matting.errors import MachineError, MattingError
from matting.options import CodecBackend
from matting.progress import Progress
from matting.system.atomic_files import discard, partial
from matting.workers.segment_job import Outcome, Task, TrialOutcome
from matting.workers.worker import Worker, WorkerSetup
from matting.workers.worker_process import WorkerProcess, serve_tasks

TRIES = 3
# One is finished while the next is computed. More would only be more to do again after a kill.
AT_ONCE = 2


@dataclass
class _Pending:
    """A task without an outcome, and how many workers broke that may have broken over it."""

    task: Task
    broken: int = 0

    @property
    def name(self) -> str:
        return self.task.item.name


class Supervisor:
    """A worker for one run. Use it in a `with` block: no process outlives it."""

    def __init__(self, setup: WorkerSetup, folder: Path, progress: Progress) -> None:
        """
        Args:
            folder: the matted folder; no two workers are ever at work in one.
        """
        self._setup = setup
        self._folder = folder
        self._worker: Worker | WorkerProcess | None = None
        self._careful = False
        self._pending: deque[_Pending] = deque()
        self._submitted = 0  # how many of them, from the first on, the worker has
        self._progress = _Counted(progress)

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_worker()

    def prepare(self) -> None:
        """Has a worker load the network, before anything is submitted.

        A worker that breaks over it is charged to the first segment, which meets the same.

        Raises:
            MattingError: no segment could be matted.
        """
        with suppress(MachineError):
            self._start_worker(careful=False)

    def sample(self, task: Task) -> TrialOutcome:
        """What came of a sample, while nothing else is submitted.

        Raises:
            MattingError: it could not be matted, or a worker broke over it, which ended.
        """
        worker = self._start_worker(careful=False)
        try:
            worker.submit(task)
            outcome = worker.outcome(self._progress)
        except (MachineError, KeyboardInterrupt):
            self._stop_worker()  # and with it goes what is still open
            raise
        finally:
            self._progress.frames.clear()
        if not isinstance(outcome, TrialOutcome):
            raise TypeError(f"no sample was asked for: {task}")
        return outcome

    @property
    def has_room(self) -> bool:
        """Whether a further task can be worked on by now."""
        return len(self._pending) < AT_ONCE

    def submit(self, task: Task) -> None:
        """Puts a segment in line; the state at its start may be what the one before will leave."""
        self._pending.append(_Pending(task))

    def outcome(self) -> Outcome:
        """What came of the earliest segment submitted, by up to three workers when they break.

        Raises:
            MattingError: it could not be matted; nothing of it is left behind.
        """
        while True:
            try:
                outcome = self._attempt()
            except MachineError as error:
                self._blame(error)
            except MattingError:
                self._take_first()
                raise
            else:
                self._pass_on(self._take_first())
                return outcome

    def _attempt(self) -> Outcome:
        first = self._pending[0]
        worker = self._start_worker(careful=first.broken > 0)
        # What may have broken a worker goes alone, so that it is seen what breaks the next.
        while self._submitted < len(self._pending):
            following = self._pending[self._submitted]
            if self._submitted and (first.broken or following.broken):
                break
            worker.submit(following.task)
            self._submitted += 1
        return worker.outcome(self._progress)

    def _start_worker(self, *, careful: bool) -> Worker | WorkerProcess:
        """A worker; a careful one decodes in software, and computes single frames."""
        if self._worker is not None and self._careful != careful:
            self._stop_worker()
        if self._worker is None:
            setup = self._setup
            if careful:
                compute = replace(
                    setup.options.compute, decoder=CodecBackend.SOFTWARE, largest_chunk=1
                )
                setup = replace(setup, options=replace(setup.options, compute=compute))
            if setup.options.compute.isolated:
                self._worker = WorkerProcess(setup, self._folder, serve_tasks, self._progress)
            else:
                self._worker = Worker(setup)
            self._careful = careful
        return self._worker

    def _take_first(self) -> Task:
        """The first is no longer pending."""
        first = self._pending.popleft()
        self._submitted = max(0, self._submitted - 1)
        del self._progress.frames[first.name]
        return first.task

    def _pass_on(self, done: Task) -> None:
        """Should the next need another worker, that one finds the state where `done` left it."""
        for pending in self._pending:
            if pending.task.before == done.item:
                pending.task = replace(pending.task, start_state=done.end_state)

    def _blame(self, error: MachineError) -> None:
        """Notes over which segments the worker may have broken, and dismisses it.

        Raises:
            MachineError: `error`, when it was the last try of the first.
        """
        had = list(self._pending)[: max(1, self._submitted)]
        suspects = [p for p in had if error.segment in {"", p.name}]
        self._stop_worker()
        self._progress.take_back()
        for pending in suspects:
            pending.broken += 1
        first = self._pending[0]
        if first.broken == TRIES:
            self._take_first()
            raise error
        names, number = " or ".join(p.name for p in suspects), suspects[0].broken + 1
        self._progress.say(f"{names}: {error.what} Trying again, {number} of {TRIES}.")

    def _stop_worker(self) -> None:
        """Ends the worker; what it had is to be done again."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        for pending in list(self._pending)[: self._submitted]:
            for target in pending.task.targets.values():
                discard(partial(target.path))
        self._submitted = 0


class _Counted(Progress):
    """Passes on what a worker tells, and counts the frames of each pending segment."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._name = ""
        self.frames: Counter[str] = Counter()

    def say(self, text: str) -> None:
        self._progress.say(text)

    def detail(self, text: str) -> None:
        self._progress.detail(text)

    def part(self, name: str) -> None:
        self._name = name
        self._progress.part(name)

    def advance(self, units: int) -> None:
        self.frames[self._name] += units
        self._progress.advance(units)

    def take_back(self) -> None:
        """The frames of all that is pending are to be done again."""
        self._progress.advance(-self.frames.total())
        self.frames.clear()
