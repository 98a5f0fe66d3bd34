"""Injected faults: a GPU out of memory, a GPU that fails, a crash, a hang."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import torch

from benchmarks.faults.fault import require
from benchmarks.faults.job import Job, JobFault
from benchmarks.faults.program import running
from benchmarks.stand_in import KEY_FRAMES, presentation_times
from matting.errors import OutOfMemoryError
from matting.imaging.frame_parts import FrameParts
from matting.imaging.planes import TimedBatch
from matting.inference.base import RecurrentOutput
from matting.inference.run_up import FeatureBatch
from matting.inference.session import MattingSession
from matting.options import MattingOptions
from matting.progress import Progress
from matting.system.memory import enough_memory
from matting.workers import worker_process
from matting.workers.executor import WorkerSetup
from matting.workers.matting_stage import MattingStage
from matting.workers.segment_job import SegmentJob
from matting.workers.supervisor import TRIES
from matting.workers.worker import Worker

PATIENCE_SECONDS = 6
FAILED = 1
SERVE_TASKS = worker_process.serve_tasks


@dataclass(frozen=True)
class Injected:
    """A fault at a frame of a segment, in the first `times` workers that get there."""

    kind: str
    segment: str
    frame: int
    times: int


class Machine(JobFault):
    """The worker breaks at a random frame, once to four times."""

    name = "machine"
    description = "GPU out of memory, sticky error, crash, hang (injected)"
    must_hold = "three tries a segment at most, others finish"
    tries, short_tries = 60, 4
    steps_before = ("segment",)

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        job = self.new_job(folder)
        kind = tuple(KINDS)[number % len(KINDS)]
        times = rng.choice((1, 1, 2, TRIES, TRIES + 1))
        victim = rng.choice(self.names)
        fault = Injected(kind, victim, rng.randrange(KEY_FRAMES), times)
        arguments = job.arguments("infer", "--patience", str(PATIENCE_SECONDS))
        with running(arguments, job.log(), prepare=partial(inject, fault)) as command:
            result = command.wait_for_end()
        broke = broken_workers(job.matted.root)
        expected = min(times, TRIES)
        require(broke == expected, f"{fault}: {broke} workers broke; {result.last_lines()}")
        fails = times >= TRIES
        require(result.code == (FAILED if fails else 0), f"{fault}: {result.last_lines()}")
        done = {name: not (fails and name == victim) for name in self.names}
        require(job.processed() == done, f"{fault}: {job.processed()}")
        self._finish(job, fault, fails)

    def _finish(self, job: Job, fault: Injected, fails: bool) -> None:
        """Require that the rest of the job goes on as if nothing had happened."""
        for command in ("infer", "combine", "add-audio"):
            job.must_run(command)
        if not fails:
            self.require_undisturbed_result(job)
        # After a failure the next segment had to begin without the state before it.
        same = presentation_times(job.final) == presentation_times(self.undisturbed.final)
        require(same, f"{fault}: the final frames are not the source's")


def broken_workers(folder: Path) -> int:
    """Return how many workers broke."""
    return len(list(folder.glob("broke_*")))


def inject(fault: Injected) -> None:
    """Have the workers of this process break."""
    worker_process.serve_tasks = partial(serve, fault)


def serve(fault: Injected, pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Run such a worker, in its process."""
    stage_of = partial(BreakingStage, fault, folder)
    SERVE_TASKS(pipe, setup, folder, partial(Worker, stage_of=stage_of))


class BreakingStage(MattingStage):
    """A stage that breaks its worker at a frame of a segment."""

    def __init__(
        self, fault: Injected, folder: Path, session: MattingSession, options: MattingOptions
    ) -> None:
        super().__init__(session, options)
        self._fault, self._folder = fault, folder
        self._segment = ""
        self._frame = 0

    def begin(self, job: SegmentJob, progress: Progress) -> None:
        self._segment, self._frame = job.name, 0
        super().begin(job, progress)

    def run_recurrent(
        self, features: FeatureBatch, progress: Progress
    ) -> Iterator[TimedBatch[FrameParts[RecurrentOutput]]]:
        here = (self._segment, self._frame) == (self._fault.segment, self._fault.frame)
        self._frame += len(features.pts)
        if here and broken_workers(self._folder) < self._fault.times:
            (self._folder / f"broke_{broken_workers(self._folder)}").touch()
            with enough_memory():
                KINDS[self._fault.kind]()
        return super().run_recurrent(features, progress)


def _no_memory() -> None:
    raise OutOfMemoryError("There is too little memory for pictures of this size.")


def _card_breaks() -> None:
    raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")


KINDS: dict[str, Callable[[], object]] = {
    "memory": _no_memory,
    "card": _card_breaks,
    "crash": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: threading.Event().wait(),
}
