"""python -m benchmarks.cluster.scale_part FOLDER WORKERS SECONDS: share one job; print JSON.

It is a process of its own, in which the run, the scheduler and all workers are threads: its memory
and its processor time are those of all of them.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from msgspec import structs

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.cluster.in_process import InProcessCluster, cluster_in_process
from benchmarks.scale.job import StandIn, write_job
from matting.infer import infer
from matting.options import ComputeOptions, MatteOptions, MattingOptions
from matting.progress import Progress
from matting.project.plan import read_plan, write_plan
from matting.workers.cluster import worker_node
from matting.workers.cluster.cluster_executor import ClusterExecutor
from matting.workers.cluster.dask_engine import DaskEngine
from matting.workers.cluster.session import Node, Session
from matting.workers.executor import Completion, Executor, WorkerSetup

STATUS = Path("/proc/self/status")
SHOT_SEGMENTS = 10
FRAMES = 3
BEGUN_SECONDS = 600.0  # after which all workers have a segment, also on a slow computer


@dataclass(frozen=True)
class Shared:
    """What a job took, from when all workers had their first segment.

    Attributes:
        worker_seconds: to the end, of all workers together.
        busy_seconds: for how long they worked on segments.
        tail_seconds: for how long they had none any more.
        early_bytes, late_bytes: resident memory after a tenth of the segments, and at the end.
        cpu_seconds: of this process.
        run_seconds: of the thread in which the run decides and records.
    """

    worker_seconds: float
    busy_seconds: float
    tail_seconds: float
    early_bytes: int
    late_bytes: int
    cpu_seconds: float
    run_seconds: float


class Start:
    """The moment at which all workers have their first segment.

    Attributes:
        at: in seconds of a monotonic clock.
        cpu_seconds: of this process until then.
    """

    def __init__(self, workers: int) -> None:
        self.at = self.cpu_seconds = 0.0
        self._barrier = threading.Barrier(workers, self._note, BEGUN_SECONDS)

    def wait(self) -> None:
        """Return when all workers wait here."""
        self._barrier.wait()

    def _note(self) -> None:
        self.at, self.cpu_seconds = time.monotonic(), time.process_time()


class Sleeping(StandIn):
    """A stand-in that takes its time over each segment.

    Attributes:
        busy: for how long it worked, all together, in seconds.
        ended: when it had done its last segment, in seconds of a monotonic clock.
    """

    seconds = 0.0
    start: Start
    all: ClassVar[list[Sleeping]] = []

    def __init__(self, setup: WorkerSetup, folder: Path, progress: Progress) -> None:
        super().__init__(setup, folder, progress)
        self.busy = self.ended = 0.0
        self.all.append(self)

    def outcome(self) -> Completion:
        if not self.ended:
            self.start.wait()
        began = time.monotonic()
        time.sleep(self.seconds)
        completion = super().outcome()
        self.ended = time.monotonic()
        self.busy += self.ended - began
        return completion


class SleepingSession(Session):
    """A run at a worker that has the stand-in."""

    def _make_executor(self, _progress: Progress) -> Executor:
        return Sleeping(self._setup, self._request.folder, _progress)


def measure(folder: Path, segments: int, workers: int, seconds: float) -> Shared:
    """Have so many workers share a job with the stand-in."""
    Sleeping.seconds, Sleeping.start = seconds, Start(workers)
    vars(worker_node).update(Session=SleepingSession)
    job = write_job(folder, segments)
    plan = read_plan(job)
    if plan is None:
        raise AssertionError("the job has just been written")
    step = SHOT_SEGMENTS * FRAMES
    write_plan(job, structs.replace(plan, shots=tuple(range(step, plan.frames, step))))
    weights = write_random_checkpoint(folder / "weights.pth", seed=1)
    options = MattingOptions(
        matte=MatteOptions(weights), compute=ComputeOptions("cpu", isolated=False)
    )
    resident: list[int] = []
    run_before = time.thread_time()
    with cluster_in_process() as cluster:
        for number in range(workers):
            cluster.add(Node(f"worker {number + 1}", "cpu", checkpoint=weights))
        infer(
            job,
            options,
            None,
            Progress(),
            lambda setup, where, listener: _executor(cluster, setup, where, listener),
            on_recorded=lambda: resident.append(_resident_bytes()),
        )
        ended, cpu_seconds, run_seconds = time.monotonic(), time.process_time(), time.thread_time()
    return Shared(
        worker_seconds=workers * (ended - Sleeping.start.at),
        busy_seconds=sum(own.busy for own in Sleeping.all),
        tail_seconds=sum(ended - own.ended for own in Sleeping.all),
        early_bytes=resident[len(resident) // 10],
        late_bytes=resident[-1],
        cpu_seconds=cpu_seconds - Sleeping.start.cpu_seconds,
        run_seconds=run_seconds - run_before,
    )


def _executor(
    cluster: InProcessCluster, setup: WorkerSetup, folder: Path, progress: Progress
) -> ClusterExecutor:
    return ClusterExecutor(setup, folder, progress, lambda: DaskEngine(cluster.client))


def _resident_bytes() -> int:
    line = next(li for li in STATUS.read_text(encoding="ascii").splitlines() if "VmRSS" in li)
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    numbers = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    print(json.dumps(asdict(measure(Path(sys.argv[1]), *numbers))))
