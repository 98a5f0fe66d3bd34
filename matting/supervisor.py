"""Runs a worker, watches it, and replaces it when it breaks.

In a process of its own a worker can crash or hang and be replaced: a decoder, an encoder or a
graphics card's driver that goes wrong costs a segment at most, not the night.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType

from matting.durable import discard, partial
from matting.errors import MachineError
from matting.media.encoders import SOFTWARE
from matting.progress import Progress
from matting.worker import Outcome, Setup, Task, Worker
from matting.worker_process import PATIENCE_SECONDS, WorkerProcess, serve_tasks

TRIES = 3


class Supervisor:
    """A worker for one run. Use it in a `with` block: no process outlives it."""

    def __init__(
        self,
        setup: Setup,
        folder: Path,
        *,
        isolated: bool,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """
        Args:
            folder: the matted folder; no two workers are ever at work in one.
            isolated: whether the worker has a process of its own.
            patience_seconds: how long it may go without any progress.
        """
        self._setup = setup
        self._folder = folder
        self._isolated = isolated
        self._patience_seconds = patience_seconds
        self._worker: Worker | WorkerProcess | None = None

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._dismiss()

    def run(self, task: Task, progress: Progress) -> Outcome:
        """Has a segment matted, by up to three workers when the machine fails them.

        Each new one decodes in software and computes single frames, and goes on from the state
        before this segment.

        Raises:
            MattingError: it could not be matted; nothing of it is left behind.
        """
        for attempt in range(1, TRIES + 1):
            counted = _Counted(progress)
            try:
                outcome = self._employ(attempt).run(task, counted)
            except MachineError as error:
                self._dismiss()
                progress.advance(-counted.frames)
                if attempt == TRIES:
                    raise
                progress.say(
                    f"{task.item.name}: {error.what} Trying again, {attempt + 1} of {TRIES}."
                )
            except BaseException:
                self._dismiss_if_busy()
                raise
            else:
                if attempt > 1:
                    self._dismiss()  # the next computes as many frames at once as the first did
                return outcome
            finally:
                _clear(task)
        raise AssertionError("the last try returns or raises")

    def _employ(self, attempt: int) -> Worker | WorkerProcess:
        if self._worker is None:
            setup = self._setup
            if attempt > 1:
                setup = replace(setup, decoder=SOFTWARE, largest_chunk=1)
            if self._isolated:
                self._worker = WorkerProcess(
                    setup, self._folder, self._patience_seconds, serve_tasks
                )
            else:
                self._worker = Worker(setup)
        return self._worker

    def _dismiss(self) -> None:
        worker, self._worker = self._worker, None
        if isinstance(worker, WorkerProcess):
            worker.stop()

    def _dismiss_if_busy(self) -> None:
        """Interrupted, its process may still be writing; after a failed start it is gone."""
        if isinstance(self._worker, WorkerProcess) and self._worker.busy:
            self._dismiss()


class _Counted(Progress):
    """Passes on what a worker tells, and counts the frames."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.frames = 0

    def say(self, text: str) -> None:
        self._progress.say(text)

    def detail(self, text: str) -> None:
        self._progress.detail(text)

    def advance(self, units: int) -> None:
        self.frames += units
        self._progress.advance(units)


def _clear(task: Task) -> None:
    """Removes what a worker that was stopped left half written."""
    for target in task.targets.values():
        discard(partial(target.path))
