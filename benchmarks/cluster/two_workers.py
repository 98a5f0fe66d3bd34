"""Row: two workers of one processor each, against one, in turns on the same job.

For what the machine itself can give at most, two plain jobs run side by side, against one alone.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.cluster.in_process import free_address
from benchmarks.cluster.job import SharedJob, infer_command, write_film_job
from benchmarks.cluster.row import Row
from benchmarks.cluster.services import program, service, timed_lines
from benchmarks.processes import ROOT
from matting.imaging.sample_format import Size

SIZE, SHOTS, FRAMES = Size(854, 480), 8, 30
ROUNDS = 1
LEAST = 1.7


def measure(folder: Path) -> Row:
    """Have one worker, and two, matte the same job, in turns."""
    job = write_film_job(folder / "job", SIZE, SHOTS, FRAMES)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    wrong = []
    for number in range(ROUNDS):
        for workers in (1, 2) if number % 2 else (2, 1):
            own = folder / f"{number}_{workers}"
            own.mkdir()
            segments = job.copy(own)
            seconds[workers].append(_shared_seconds(segments, own, workers))
            wrong += job.wrong(segments) + job.missing(segments)
            print(f"{workers} workers: {seconds[workers][-1]:.1f} s", flush=True)
    gains = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    one, two, gain = (statistics.median(own) for own in (seconds[1], seconds[2], gains))
    most = _most_gain(job, folder)
    return Row(
        f"two workers of one thread and one processor each, against one: {SHOTS} shots of {FRAMES} "
        f"frames, {SIZE.width}x{SIZE.height}, the demo's network; from the first that takes part "
        "to the end",
        f"at least {LEAST} times as fast; results those of plain `infer`",
        f"{gain:.2f} times ({', '.join(f'{own:.2f}' for own in gains)}): {one:.1f} s, {two:.1f} s; "
        f"two plain jobs side by side do {most:.2f} times the work of one; "
        f"{len(wrong)} results other or missing",
        gain >= LEAST and not wrong,
    )


def _shared_seconds(segments: Path, folder: Path, workers: int) -> float:
    """Return how long so many workers took, from when the first took part."""
    address = free_address()
    started = 0.0
    with ExitStack() as services:
        scheduler = program((), "scheduler", address)
        services.enter_context(service(scheduler, folder / "scheduler.log", "listens at"))
        for number in range(workers):
            worker = program(_processor(number), "worker", address, "--threads", 1)
            log = folder / f"worker_{number}.log"
            services.enter_context(service(worker, log, "is ready for the jobs"))
        for moment, line in timed_lines(_job(segments, "--workers", address), folder / "job.log"):
            if "takes part" in line and not started:
                started = moment
        return time.monotonic() - started


def _most_gain(job: SharedJob, folder: Path) -> float:
    """Return how much more two plain jobs do than one, each with a processor of its own."""
    seconds = {}
    for count in (1, 2):
        commands = [
            _plain(job, folder / f"plain_{count}_{number}", number) for number in range(count)
        ]
        started = time.monotonic()
        jobs = [subprocess.Popen(own, cwd=ROOT, stdout=subprocess.DEVNULL) for own in commands]
        if any(own.wait() for own in jobs):
            raise RuntimeError("a plain job failed")
        seconds[count] = time.monotonic() - started
    return 2 * seconds[1] / seconds[2]


def _plain(job: SharedJob, folder: Path, processor: int) -> list[str]:
    folder.mkdir()
    command = _job(job.copy(folder), "--device", "cpu", "--threads", "1")
    return [*_processor(processor), *command]


def _job(segments: Path, *options: object) -> list[str]:
    command = infer_command(segments, "--precision", "fp32", *options)
    return [word for word in command if word != "--quiet"]


def _processor(number: int) -> Sequence[str]:
    return ("taskset", "-c", str(number))
