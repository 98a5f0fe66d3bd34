"""Runs a worker, watches it, and replaces it when it breaks.

In a process of its own a worker can crash or hang and be replaced: a decoder, an encoder or a
graphics driver that fails costs one segment at most, not the night. When the machine is at fault,
such as a graphics card that is gone, no worker gets anywhere; then the run stops and says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from matting.errors import (
    BusyError,
    MachineError,
    MattingError,
    StorageError,
)
from matting.inference.precision_record import PrecisionChoice
from matting.options import CodecBackend
from matting.progress import Notice, Progress, ignore
from matting.system.temporary_files import sweep
from matting.workers.executor import (
    Completion,
    Failure,
    SavedState,
    SegmentTask,
    TrialOutcome,
    WorkerSetup,
)
from matting.workers.failures import unusable
from matting.workers.frame_counter import FrameCounter
from matting.workers.running_worker import RunningWorker, StartWorker, start_worker

TRIES = 3  # workers that may break over one segment, and starts in a row that may fail
# Workers in a row that broke before their first frame. A segment can break all its three, and two
# such segments can follow each other; when the next one breaks too, it is the machine.
TOO_MANY_WITHOUT_A_FRAME = 2 * TRIES + 1
# One segment is finished while the next is computed. More would only be more to redo after a kill.
IN_FLIGHT = 2


@dataclass
class _Pending:
    """A task without an outcome.

    Attributes:
        number: as `submit` returns it.
        broken_workers: how many workers have broken that may have broken because of it.
    """

    task: SegmentTask
    number: int
    broken_workers: int = 0

    @property
    def name(self) -> str:
        return self.task.item.name


class Supervisor:
    """The executor of one run on this computer: one worker at a time."""

    at_once = 1  # while the next is computed, one is only finished

    def __init__(
        self,
        setup: WorkerSetup,
        folder: Path,
        progress: Progress,
        start: StartWorker = start_worker,
        await_state: Callable[[SegmentTask], object] = ignore,
    ) -> None:
        """
        Args:
            folder: the matted folder.
            start: starts a worker.
            await_state: returns when the state at a task's start is there, whose file has its name
                by now.
        """
        self._setup = setup
        self._folder = folder
        self._start = start
        self._await_state = await_state
        self._worker: RunningWorker | None = None
        self._careful = False
        self._pending: deque[_Pending] = deque()
        self._numbers = count()
        self._submitted = 0  # how many of the pending, from the first on, the worker has
        self._frames = FrameCounter(progress)
        self._workers_without_a_frame = 0  # in a row

    def prepare(self, *, network: bool) -> PrecisionChoice | None:
        """Have a worker get ready, before anything is submitted.

        Args:
            network: whether it loads the network.
        Returns:
            what that computes in, as all workers from now on do.
        Raises:
            MattingError: no segment could be matted.
        """
        self._setup = replace(self._setup, needs_network=network)
        choice = self._ready_worker(careful=False).choice
        if choice is not None and choice.reason:
            self._setup = self._setup.computing_in(choice.precision)
        return choice

    def trial(self, task: SegmentTask) -> TrialOutcome | Failure:
        """Matte a few frames, while nothing else is submitted.

        Raises:
            StorageError, BusyError, MachineUnusableError: segments would meet the same.
        """
        worker = self._ready_worker(careful=False)
        try:
            worker.submit(task)
            outcome = worker.outcome(self._frames)
        except MachineError as error:
            self._drop_broken_worker(error)
            return Failure(error)
        except (StorageError, BusyError):
            raise
        except MattingError as error:
            return Failure(error)
        except KeyboardInterrupt:
            self._stop_worker()  # it holds files that the caller removes
            raise
        finally:
            self._frames.forget()
        if not isinstance(outcome, TrialOutcome):
            raise TypeError(f"no trial was asked for: {task}")
        return outcome

    @property
    def has_room(self) -> bool:
        """Whether work on one more segment could begin now."""
        return len(self._pending) < IN_FLIGHT

    def submit(self, task: SegmentTask) -> int:
        """Queue a segment. The state at its start may be what a segment in flight will leave."""
        self._pending.append(_Pending(task, next(self._numbers)))
        return self._pending[-1].number

    def outcome(self) -> Completion:
        """Return what came of the segment submitted first; up to three workers may break over it.

        Raises:
            StorageError, BusyError: the next segment would meet the same.
            MachineUnusableError: no worker gets as far as a frame any more.
            MattingError: no worker can start.
        """
        while True:
            first = self._pending[0]
            worker = self._ready_worker(careful=first.broken_workers > 0)
            try:
                self._hand_over_pending(worker)
                outcome = worker.outcome(self._frames)
            except MachineError as error:
                self._blame(error)
                if first.broken_workers == TRIES:
                    self._take_first()
                    return Completion(first.number, Failure(error))
            except (StorageError, BusyError):
                raise
            except MattingError as error:
                self._take_first()
                return Completion(first.number, Failure(error))
            else:
                self._pass_on_state(self._take_first(), exact=outcome.ends_exact)
                return Completion(first.number, outcome)

    def close(self) -> None:
        """End the worker, and remove what it has not finished."""
        self._stop_worker()

    def _hand_over_pending(self, worker: RunningWorker) -> None:
        """Submit what is pending. A suspect goes alone, so that it shows what breaks the next."""
        while self._submitted < len(self._pending):
            following = self._pending[self._submitted]
            if self._submitted and (self._pending[0].broken_workers or following.broken_workers):
                break
            if following.task.start_state is not None:
                self._await_state(following.task)
            worker.submit(following.task)
            self._submitted += 1

    def _ready_worker(self, *, careful: bool) -> RunningWorker:
        """Return a worker; a careful one decodes in software and computes single frames.

        Raises:
            MattingError: none can start.
        """
        if self._worker is not None and self._careful != careful:
            self._stop_worker()
        self._careful = careful
        failed_starts = 0
        while self._worker is None:
            try:
                self._worker = self._start(self._setup_for(careful), self._folder, self._frames)
            except MachineError as error:
                failed_starts += 1
                if failed_starts == TRIES:
                    why = f"{TRIES} starts in a row failed"
                    raise unusable(why, error, self._setup.device) from error
                self._frames.say(f"{error.what} Trying again, {failed_starts + 1} of {TRIES}.")
                self._frames.notice(Notice.TRIED_AGAIN, "the start of what mattes")
        return self._worker

    def _setup_for(self, careful: bool) -> WorkerSetup:
        if not careful:
            return self._setup
        options = self._setup.options
        compute = replace(options.compute, decoder=CodecBackend.SOFTWARE, largest_chunk=1)
        return replace(self._setup, options=replace(options, compute=compute))

    def _take_first(self) -> SegmentTask:
        """Remove the first from what is pending."""
        first = self._pending.popleft()
        self._submitted = max(0, self._submitted - 1)
        self._frames.forget(first.name)
        return first.task

    def _pass_on_state(self, done: SegmentTask, *, exact: bool) -> None:
        """Give the task after `done` its saved state, for the case that another worker takes it."""
        if done.end_state is None:
            return
        state = SavedState(done.end_state, exact)
        for pending in self._pending:
            if pending.task.before == done.item:
                pending.task = replace(pending.task, start_state=state)

    def _blame(self, error: MachineError) -> None:
        """Note over which segments the worker may have broken, and stop it.

        Raises:
            MachineUnusableError: it is not the segments.
        """
        submitted = list(self._pending)[: self._submitted]
        suspects = [pending for pending in submitted if error.segment in {"", pending.name}]
        self._drop_broken_worker(error)
        self._frames.take_back()
        for pending in suspects:
            pending.broken_workers += 1
        if self._pending[0].broken_workers < TRIES:
            names = " or ".join(pending.name for pending in suspects)
            number = suspects[0].broken_workers + 1
            self._frames.say(f"{names}: {error.what} Trying again, {number} of {TRIES}.")
            self._frames.notice(Notice.TRIED_AGAIN, names)

    def _drop_broken_worker(self, error: MachineError) -> None:
        """Stop a worker that broke.

        Raises:
            MachineUnusableError: it is one of many in a row that got nowhere.
        """
        self._workers_without_a_frame += 1
        self._stop_worker()
        if self._workers_without_a_frame == TOO_MANY_WITHOUT_A_FRAME:
            why = f"{TOO_MANY_WITHOUT_A_FRAME} tries in a row failed before the first frame"
            raise unusable(why, error, self._setup.device) from error

    def _stop_worker(self) -> None:
        """End the worker; what it was working on is to be done again."""
        worker, self._worker = self._worker, None
        if self._frames.counted_any:
            self._workers_without_a_frame = 0
            self._frames.counted_any = False
        if worker is not None:
            worker.close()
        for pending in list(self._pending)[: self._submitted if self._setup.is_alone else 0]:
            task = pending.task
            targets = (target.path for target in task.targets.values())
            signs = None if task.signs is None else task.signs.path
            for path in filter(None, (*targets, task.end_state, signs)):
                sweep(path)
        self._submitted = 0
