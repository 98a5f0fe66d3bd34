"""A graphics card without memory, one that breaks, a crash and a standstill, as injected faults."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
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
from matting.inference.base import FrameFeatures, RecurrentOutput, RecurrentState
from matting.inference.rvm import RvmInference
from matting.progress import Progress
from matting.workers import worker_process
from matting.workers.executor import WorkerSetup
from matting.workers.matting_stage import MattingStage
from matting.workers.segment_job import SegmentJob
from matting.workers.supervisor import TRIES

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
    what = "GPU out of memory, sticky error, crash, hang (injected)"
    must_hold = "three tries a segment at most, others finish"
    tries, short_tries = 60, 4
    prepared = ("segment",)

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        job = self.new_job(folder)
        kind = tuple(KINDS)[number % len(KINDS)]
        times = rng.choice((1, 1, 2, TRIES, TRIES + 1))
        victim = rng.choice(self.names)
        fault = Injected(kind, victim, rng.randrange(KEY_FRAMES), times)
        arguments = job.arguments("infer", "--patience", str(PATIENCE_SECONDS))
        with running(arguments, job.log(), prepare=partial(inject, fault)) as command:
            ended = command.end()
        tried = broken(job.matted.root)
        wanted = min(times, TRIES)
        require(tried == wanted, f"{fault}: {tried} workers broke; {ended.last_words()}")
        fails = times >= TRIES
        require(ended.code == (FAILED if fails else 0), f"{fault}: {ended.last_words()}")
        done = {name: not (fails and name == victim) for name in self.names}
        require(job.done() == done, f"{fault}: {job.done()}")
        self._finish(job, fault, fails)

    def _finish(self, job: Job, fault: Injected, fails: bool) -> None:
        """The rest goes on as if nothing had been."""
        for command in ("infer", "combine", "add-audio"):
            job.must(command)
        if not fails:
            self.require_whole(job)
        # After a failure the next segment had to begin without the state before it.
        same = presentation_times(job.final) == presentation_times(self.undisturbed.final)
        require(same, f"{fault}: the final frames are not the source's")


def broken(folder: Path) -> int:
    """How many workers broke."""
    return len(list(folder.glob("broke_*")))


def inject(fault: Injected) -> None:
    """Has the workers of this process break."""
    worker_process.serve_tasks = partial(serve, fault)


def serve(fault: Injected, pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """What such a worker's process runs."""
    begin, run_recurrent = MattingStage.begin, RvmInference.run_recurrent
    at: list[str] = []  # the segment, then an item for each of its frames

    def begin_noting(stage: MattingStage, job: SegmentJob, progress: Progress) -> None:
        at[:] = [job.name]
        begin(stage, job, progress)

    def run_breaking(
        network: RvmInference, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        here = at[:1] == [fault.segment] and len(at) - 1 == fault.frame
        at.append("frame")
        if here and broken(folder) < fault.times:
            (folder / f"broke_{broken(folder)}").touch()
            KINDS[fault.kind]()
        return run_recurrent(network, features, state)

    setattr(MattingStage, "begin", begin_noting)  # noqa: B010 - mypy refuses an assignment to a method
    setattr(RvmInference, "run_recurrent", run_breaking)  # noqa: B010 - as above
    SERVE_TASKS(pipe, setup, folder)


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
