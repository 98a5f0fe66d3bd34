"""python -m benchmarks.cluster.scale_part FOLDER WORKERS SECONDS: share one job; print JSON.

It is a process of its own, in which the run, the scheduler and all workers are threads: its memory
and its processor time are those of all of them.
"""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from msgspec import structs

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.cluster.in_process import InProcessCluster, cluster_in_process
from benchmarks.cluster.joining import Joining
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
DECIDING = ("assignments.py", "runs.py", "units.py", "cluster_executor.py")


@dataclass(frozen=True)
class Shared:
    """What a job took.

    Attributes:
        seconds: from when the first worker took part to the end.
        worker_seconds: for how long workers took part, all together.
        busy_seconds: for how long they worked on segments.
        early_bytes, late_bytes: resident memory after a tenth of the segments, and at the end.
        cpu_seconds: of this process, meanwhile.
        deciding_seconds: of the run's own thread, in what decides who does what.
    """

    seconds: float
    worker_seconds: float
    busy_seconds: float
    early_bytes: int
    late_bytes: int
    cpu_seconds: float
    deciding_seconds: float


class Sleeping(StandIn):
    """A stand-in that takes its time over each segment."""

    seconds = 0.0
    busy: ClassVar[list[float]] = []  # for how long, each time

    def outcome(self) -> Completion:
        began = time.monotonic()
        time.sleep(self.seconds)
        completion = super().outcome()
        self.busy.append(time.monotonic() - began)
        return completion


class SleepingSession(Session):
    """A run at a worker that has the stand-in."""

    def _make_executor(self, _progress: Progress) -> Executor:
        return Sleeping(self._setup, self._request.folder, _progress)


def measure(folder: Path, segments: int, workers: int, seconds: float) -> Shared:
    """Have so many workers share a job with the stand-in."""
    Sleeping.seconds = seconds
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
    progress = Joining()
    with cluster_in_process() as cluster, cProfile.Profile(time.thread_time) as profile:
        for number in range(workers):
            cluster.add(Node(f"worker {number + 1}", "cpu", checkpoint=weights))
        infer(
            job,
            options,
            None,
            progress,
            lambda setup, where, listener: _executor(cluster, setup, where, listener),
            on_recorded=lambda: resident.append(_resident_bytes()),
        )
        ended, cpu_seconds = time.monotonic(), time.process_time()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    deciding = sum(own[2] for (file, _, _), own in stats.items() if file.endswith(DECIDING))
    return Shared(
        seconds=ended - progress.joined[0],
        worker_seconds=sum(ended - moment for moment in progress.joined),
        busy_seconds=sum(Sleeping.busy),
        early_bytes=resident[len(resident) // 10],
        late_bytes=resident[-1],
        cpu_seconds=cpu_seconds - progress.cpu_before,
        deciding_seconds=deciding,
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
