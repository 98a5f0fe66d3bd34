"""Worker processes that break in the second segment, for tests of what supervises them.

Each leaves a file every time it breaks, so that the tests can count.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from matting.imaging.frame_parts import FrameParts
from matting.imaging.planes import TimedBatch
from matting.infer import infer
from matting.inference.base import RecurrentOutput
from matting.inference.run_up import FeatureBatch
from matting.inference.session import MattingSession
from matting.options import MattingOptions
from matting.progress import Progress
from matting.system.memory import enough_memory
from matting.workers.executor import ExecutorFactory, WorkerSetup
from matting.workers.matting_stage import MattingStage
from matting.workers.running_worker import RunningWorker
from matting.workers.segment_job import SegmentJob
from matting.workers.supervisor import Supervisor
from matting.workers.worker import Worker
from matting.workers.worker_process import Serve, WorkerProcess, serve_tasks
from tests.support.stages import matting_options, with_compute

VICTIM = "output_001.mp4"


def breaks(folder: Path) -> int:
    """Return how often a worker broke."""
    return len(list(folder.glob("broke_*")))


def serving(serve: Serve) -> ExecutorFactory:
    """Return a factory of supervisors whose worker processes run `serve`."""

    def start(setup: WorkerSetup, folder: Path, progress: Progress) -> RunningWorker:
        return WorkerProcess(setup, folder, progress, serve)

    return partial(Supervisor, start=start)


def crash_always(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Die, as if by a fault of a driver, each time."""
    _serve(pipe, setup, folder, partial(BreaksAtVictim, folder, _crash, 99))


def crash_once(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Die the first time."""
    _serve(pipe, setup, folder, partial(BreaksAtVictim, folder, _crash, 1))


def hang_once(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Hang the first time."""
    _serve(pipe, setup, folder, partial(BreaksAtVictim, folder, threading.Event().wait, 1))


def fault(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Raise an unexpected error."""
    _serve(pipe, setup, folder, partial(BreaksAtVictim, folder, lambda: int("no number"), 1))


def gpu_breaks_once(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Make the GPU fail once, in the middle of a segment."""
    _serve(pipe, setup, folder, partial(BreaksInTheMiddle, folder))


def run_aloud(pipe: Connection, segments: Path, checkpoint: Path, output: Path) -> None:
    """Run `infer` with a worker process, and send each detail through the pipe."""

    class Aloud(Progress):
        def detail(self, text: str) -> None:
            pipe.send(text)

    options = with_compute(matting_options(checkpoint), isolated=True)
    infer(segments, options, output, Aloud())


class BreaksAtVictim(MattingStage):
    """A stage that breaks its worker where the second segment begins."""

    def __init__(
        self,
        folder: Path,
        how: Callable[[], object],
        times: int,
        session: MattingSession,
        options: MattingOptions,
    ) -> None:
        super().__init__(session, options)
        self._folder, self._how, self._times = folder, how, times

    def begin(self, job: SegmentJob, progress: Progress) -> None:
        if job.name == VICTIM and breaks(self._folder) < self._times:
            (self._folder / f"broke_{breaks(self._folder)}").touch()
            self._how()
        super().begin(job, progress)


class BreaksInTheMiddle(MattingStage):
    """A stage on a GPU that fails once, after 45 frames."""

    def __init__(self, folder: Path, session: MattingSession, options: MattingOptions) -> None:
        super().__init__(session, options)
        self._folder = folder
        self._frames = 0

    def run_recurrent(
        self, features: FeatureBatch, progress: Progress
    ) -> Iterator[TimedBatch[FrameParts[RecurrentOutput]]]:
        self._frames += len(features.pts)
        if self._frames > 45 and not breaks(self._folder):
            (self._folder / "broke_0").touch()
            with enough_memory():
                raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
        return super().run_recurrent(features, progress)


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(
    pipe: Connection,
    setup: WorkerSetup,
    folder: Path,
    stage_of: Callable[[MattingSession, MattingOptions], MattingStage],
) -> None:
    serve_tasks(pipe, setup, folder, partial(Worker, stage_of=stage_of))
