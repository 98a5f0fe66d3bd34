"""The executor of one run on several cards or computers.

The ledger stays with the run: workers compute, and write whole files under temporary names; what
comes of them is told, recorded and named here. Whatever a worker was working on when it was lost
goes on at another, from the last segment that was recorded.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from pathlib import Path

from matting.errors import MachineError, MachineUnusableError, MattingError
from matting.inference.precision_record import PrecisionChoice
from matting.progress import Notice, Progress
from matting.system.humanize import duration
from matting.system.temporary_files import sweep_folder
from matting.workers.cluster.assignments import Assignments
from matting.workers.cluster.engine import Engine, EngineFactory
from matting.workers.cluster.messages import (
    Event,
    FramesDone,
    Joined,
    Left,
    Refused,
    Said,
    SchedulerLost,
    TaskDone,
    UnitEnded,
)
from matting.workers.cluster.runs import Run, is_whole
from matting.workers.cluster.units import NumberedTask, units_of
from matting.workers.executor import (
    Completion,
    Failure,
    Outcome,
    SegmentTask,
    TrialOutcome,
    WorkerSetup,
)
from matting.workers.result_recorder import discard_files

EVENT_SECONDS = 1.0
# How long there may be no worker at all, times the patience with each.
WAITS_LONGER = 5


class ClusterExecutor:
    """Hands units to workers, the longest first, and takes what comes of their segments."""

    has_room = True  # all is planned before anything is begun

    def __init__(
        self, setup: WorkerSetup, folder: Path, progress: Progress, engine_of: EngineFactory
    ) -> None:
        """
        Args:
            folder: the matted folder, which all workers see.
            engine_of: makes what reaches the workers.
        """
        self._setup = setup
        self._folder = folder
        self._progress = progress
        self._engine_of = engine_of
        self._engine: Engine | None = None
        self._assignments = Assignments()
        self._choice: PrecisionChoice | None = None
        self._submitted = 0
        self._planned: list[NumberedTask] = []  # submitted, and in no unit yet
        self._completions: deque[Completion] = deque()
        self._alone_since = time.monotonic()  # without a worker
        self._last_error: MattingError | None = None
        self._refused: set[str] = set()

    def prepare(self, *, network: bool) -> PrecisionChoice | None:
        """Return when the first worker is ready.

        Returns:
            what its network computes in, as that of all others does, too.
        Raises:
            MattingError: none can be.
        """
        self._setup = replace(self._setup, needs_network=network)
        self._engine = self._engine_of()
        self._engine.open(self._setup, self._folder)
        self._alone_since = time.monotonic()
        while not self._assignments.workers:
            self._take_event()
        if self._choice is not None and self._choice.reason:
            self._setup = self._setup.computing_in(self._choice.precision)
        self._engine.admit(self._setup)
        return self._choice

    @property
    def at_once(self) -> int:
        """How many workers there are."""
        return max(1, len(self._assignments.workers))

    def trial(self, task: SegmentTask) -> TrialOutcome | Failure:
        """Matte a few frames on one of the workers, while nothing else is submitted.

        Raises:
            MattingError: segments would meet the same.
        """
        self.submit(task)
        outcome = self.outcome().outcome
        if isinstance(outcome, TrialOutcome | Failure):
            return outcome
        raise TypeError(f"no trial was asked for: {task}")

    def submit(self, task: SegmentTask) -> int:
        """Plan a segment. The state at its start may be what one planned before will leave."""
        number, self._submitted = self._submitted, self._submitted + 1
        # What is known of a file here is of no use where it has another path.
        rate = self._setup.options.output.frame_rate
        frames = task.item.expected_frames(rate)
        self._planned.append(NumberedTask(number, replace(task, index=None), frames))
        return number

    def outcome(self) -> Completion:
        """Return what came of a segment; up to three workers may break over it.

        Raises:
            MattingError: no worker is left that could go on.
        """
        if self._planned:
            self._assignments.add(units_of(self._planned, self._longest_frames()))
            self._planned = []
        while not self._completions:
            self._hand_out()
            self._take_event()
        return self._completions.popleft()

    def close(self) -> None:
        """End all work, and remove what is unfinished."""
        engine, self._engine = self._engine, None
        if engine is not None:
            try:
                engine.close()
            finally:
                sweep_folder(self._folder)

    def _longest_frames(self) -> float:
        """Return how many frames a shot may have before it is split."""
        seconds = self._setup.options.compute.cluster.longest_run_seconds
        rate = self._planned[0].task.item.rate or self._setup.options.output.frame_rate
        return float("inf") if seconds is None or rate is None else float(seconds * rate)

    def _hand_out(self) -> None:
        for run in self._assignments.reclaim():
            self._drop(run.key, run)
        for run in self._assignments.hand_out():
            self._ready_engine().start(run.worker, run.key, run.unit.name, run.unit.tasks)

    def _ready_engine(self) -> Engine:
        if self._engine is None:
            raise ValueError("the executor was not prepared, or is closed")
        return self._engine

    def _take_event(self) -> None:
        """Wait for what comes next, at most a while, and act on it."""
        event = self._ready_engine().next_event(EVENT_SECONDS)
        self._progress.alive()
        if event is not None:
            self._act_on(event)
        if self._assignments.workers:
            self._alone_since = time.monotonic()
        else:
            self._require_somebody()

    def _act_on(self, event: Event) -> None:
        worker, message = event.worker, event.message
        if isinstance(message, FramesDone):
            run = self._assignments.run_of(message.key)
            if run is not None:
                self._progress.advance(run.count(message.index, message.frames))
        elif isinstance(message, TaskDone):
            self._take_outcome(message)
        elif isinstance(message, UnitEnded):
            if message.error is not None:
                self._leave_out(worker, message.error)
            self._drop(message.key, self._assignments.end(message.key))
        elif isinstance(message, Joined):
            self._refused.discard(worker)
            self._assignments.join(worker, message.name)
            self._choice = self._choice or message.choice
            self._progress.say(f"{message.name} takes part.")
        elif isinstance(message, Refused):
            self._refused.add(worker)
            self._last_error = message.error
            if len(self._refused) == self._ready_engine().most_workers:
                raise message.error
            self._progress.say(f"{message.name} takes no part: {message.error}".replace("\n", " "))
        elif isinstance(message, Left):
            self._lose(worker)
        elif isinstance(message, Said):
            self._repeat(worker, message)
        elif isinstance(message, SchedulerLost):
            raise message.error

    def _take_outcome(self, done: TaskDone) -> None:
        """Take what came of a task; the first that is proven counts."""
        run, outcome = self._assignments.run_of(done.key), done.outcome
        segment = None if run is None else run.segment(done.index)
        if run is None or segment is None:  # of a unit that was dropped, or a lead
            _discard(outcome)
            return
        if isinstance(outcome, Failure):
            broke = isinstance(outcome.error, MachineError)
            if broke and self._assignments.may_try_elsewhere(run, segment.number):
                self._try_elsewhere(run, outcome.error)
                return
        counts = self._assignments.settle(run, done.index, outcome)
        frames = outcome.frames if is_whole(outcome) else 0
        self._progress.advance(run.count_all(done.index, frames) if counts else 0)
        if not counts:
            _discard(outcome)
            return
        self._completions.append(Completion(segment.number, outcome))
        for other in self._assignments.leave_to(run):
            self._drop(other.key, other)

    def _try_elsewhere(self, run: Run, error: MattingError) -> None:
        name = self._assignments.workers[run.worker].name
        self._progress.say(f"{run.unit.name}: {name}: {error.what} Trying again elsewhere.")
        self._progress.notice(Notice.TRIED_AGAIN, run.unit.name)
        self._drop(run.key, self._assignments.end(run.key, avoid=run.worker))

    def _lose(self, worker: str) -> None:
        """Have others go on with what a worker was working on that is gone."""
        known = self._assignments.workers.get(worker)
        if known is None:
            return
        self._progress.say(f"{known.name} is gone. What it was working on goes to another.")
        self._give_up(worker)

    def _leave_out(self, worker: str, error: MattingError) -> None:
        """Give a worker nothing any more, for it would meet the same again."""
        known = self._assignments.workers.get(worker)
        if known is None:
            return
        self._last_error = error
        self._progress.say(f"{known.name} takes no further part: {error}".replace("\n", " "))
        self._give_up(worker)
        if not self._assignments.workers:
            raise error

    def _give_up(self, worker: str) -> None:
        for run in self._assignments.leave(worker):
            self._progress.notice(Notice.TRIED_AGAIN, run.unit.name)
            self._drop(run.key, run)
        for segment in self._assignments.given_up():
            what = "Three workers were lost while they were working on it."
            self._completions.append(Completion(segment.number, Failure(MachineError(what))))

    def _drop(self, key: str, run: Run | None) -> None:
        """Have the engine forget a unit, and count the frames of what is unfinished as not done."""
        self._ready_engine().drop(key)
        if run is not None:
            self._progress.advance(-run.uncounted())

    def _repeat(self, worker: str, said: Said) -> None:
        known = self._assignments.workers.get(worker)
        text = said.text if known is None or said.notice else f"{known.name}: {said.text}"
        if said.notice is not None:
            self._progress.notice(said.notice, text)
        elif said.is_detail:
            self._progress.detail(text)
        else:
            self._progress.say(text)

    def _require_somebody(self) -> None:
        """Give up where there has been no worker for long.

        Raises:
            MachineUnusableError.
        """
        patience = WAITS_LONGER * self._setup.options.compute.patience_seconds
        if time.monotonic() - self._alone_since < patience:
            return
        raise MachineUnusableError(
            f"There has been no worker for {duration(patience)}.",
            "Start workers, and look at what they say." if self._last_error is None else "",
        ) from self._last_error


def _discard(outcome: Outcome | Failure) -> None:
    if isinstance(outcome, Outcome):
        discard_files(outcome)
