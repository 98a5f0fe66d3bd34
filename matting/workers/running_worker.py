"""What the supervisor watches: a worker in this process, or in one of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from matting.inference.precision_record import PrecisionChoice
from matting.progress import Progress
from matting.workers.executor import Outcome, SegmentTask, WorkerSetup
from matting.workers.worker import Worker
from matting.workers.worker_process import WorkerProcess


class RunningWorker(Protocol):
    """A worker that has loaded the network, in this process or in one of its own."""

    @property
    def choice(self) -> PrecisionChoice | None:
        """What the network computes in; None without it."""

    def submit(self, task: SegmentTask) -> None: ...

    def outcome(self, progress: Progress) -> Outcome: ...

    def close(self) -> None: ...


StartWorker = Callable[[WorkerSetup, Path, Progress], RunningWorker]


def start_worker(setup: WorkerSetup, folder: Path, progress: Progress) -> RunningWorker:
    """Start a worker, in a process of its own if the options say so; returns when it is ready."""
    if setup.options.compute.isolated:
        return WorkerProcess(setup, folder, progress)
    return Worker(setup)
