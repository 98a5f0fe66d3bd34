"""python -m benchmarks.scale.part FOLDER WEIGHTS: matte one job, and print what that took as JSON.

It is a process of its own, so that its memory is that of one job.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.scale.job import StandIn
from matting.add_audio import add_audio
from matting.combine import combine
from matting.infer import infer
from matting.options import ComputeOptions, MatteOptions, MattingOptions
from matting.progress import Progress
from matting.project.paths import MattedFolder
from matting.report.upkeep import kept_report
from matting.workers.executor import WorkerSetup

IO, HANDLES = Path("/proc/self/io"), Path("/proc/self/fd")


@dataclass(frozen=True)
class Part:
    """What one job took.

    Attributes:
        first, last: segments a second in the first tenth of them, and in the last.
        record_bytes: what was written beside the results themselves, the report included.
        handles: how many files were open at the end more than after the first segments.
        again_seconds, joined_seconds, audio_seconds: of `infer` with nothing to do, `combine` and
            `add-audio`, all in a process that is at work already.
        joined_cpu_seconds: the processor time of `combine`.
    """

    seconds: float
    first: float
    last: float
    record_bytes: int
    peak_bytes: int
    handles: int
    report_bytes: int
    again_seconds: float
    joined_seconds: float
    joined_cpu_seconds: float
    audio_seconds: float


def measure(segments: Path, weights: Path) -> Part:
    """Matte a job with the stand-in, and do what follows."""
    made: list[StandIn] = []
    handles: list[int] = []

    def executor(setup: WorkerSetup, folder: Path, progress: Progress) -> StandIn:
        made.append(StandIn(setup, folder, progress))
        return made[-1]

    def matte() -> float:
        started = time.monotonic()
        infer(segments, options, None, Progress(), executor, on_recorded=recorded)
        return time.monotonic() - started

    def recorded() -> None:
        refresh()
        handles.append(len(os.listdir(HANDLES)))  # noqa: PTH208 - all that is wanted is how many

    options = MattingOptions(
        matte=MatteOptions(weights), compute=ComputeOptions("cpu", isolated=False)
    )
    folder = MattedFolder.of(segments)
    before = _written_bytes()
    with kept_report(folder, Progress()) as refresh:
        seconds = matte()
    record_bytes = _written_bytes() - before - made[0].written_bytes
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    times = made[0].times
    tenth = max(1, len(times) // 10)
    again = matte()
    started, cpu_started = time.monotonic(), time.process_time()
    combine(folder.root, None, Progress())
    joined, cpu_joined = time.monotonic(), time.process_time()
    add_audio(segments.parent / "clip.mp4", None, Progress())
    return Part(
        seconds=seconds,
        first=tenth / (times[tenth] - times[0]),
        last=tenth / (times[-1] - times[-1 - tenth]),
        record_bytes=record_bytes,
        peak_bytes=peak,
        handles=handles[-1] - handles[min(20, len(handles) - 1)],
        report_bytes=folder.report.stat().st_size,
        again_seconds=again,
        joined_seconds=joined - started,
        joined_cpu_seconds=cpu_joined - cpu_started,
        audio_seconds=time.monotonic() - joined,
    )


def _written_bytes() -> int:
    """Return what this process has handed to the system to write."""
    fields = dict(line.split(": ") for line in IO.read_text(encoding="ascii").splitlines())
    return int(fields["wchar"])


if __name__ == "__main__":
    print(json.dumps(asdict(measure(Path(sys.argv[1]), Path(sys.argv[2])))))
