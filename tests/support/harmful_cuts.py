"""What cutting a file may come to, in place of `cutter.cut`; it imports next to nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import matting.segment
from matting.cutting.cut_job import CutJob, CutSegment
from matting.options import CuttingOptions
from matting.progress import Progress

PID_NAME = "pid.txt"  # beside the source, once it is at work


def crash(job: CutJob, _options: CuttingOptions, progress: Progress) -> list[CutSegment]:
    _begin(job, progress)
    os.abort()


def end_as_linux_does(
    job: CutJob, _options: CuttingOptions, progress: Progress
) -> list[CutSegment]:
    _begin(job, progress)
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def hang(job: CutJob, _options: CuttingOptions, progress: Progress) -> list[CutSegment]:
    _begin(job, progress)
    time.sleep(60)
    return []


def take_all_memory(job: CutJob, _options: CuttingOptions, progress: Progress) -> list[CutSegment]:
    _begin(job, progress)
    bytearray(1 << 46)
    return []


def fail(job: CutJob, _options: CuttingOptions, progress: Progress) -> list[CutSegment]:
    _begin(job, progress)
    raise ZeroDivisionError


def hang_in_this_program() -> None:
    """Let `segment` hang when it cuts, in this process and those that are forked from it."""
    vars(matting.segment)["cut"] = hang


def _begin(job: CutJob, progress: Progress) -> None:
    """Do what cutting begins with: an unfinished file, and a bar that moves."""
    progress.start("Cutting", 10, "frame")
    progress.advance(3)
    progress.say("It goes on.")
    (job.work / "output_000.mp4").write_bytes(b"1")
    path = job.info.path.with_name(PID_NAME)
    path.with_suffix(".new").write_text(str(os.getpid()), encoding="ascii")
    path.with_suffix(".new").replace(path)


def wait_for_pid(folder: Path, seconds: float) -> int:
    """Return the process that cuts a file in `folder`, once it is at work."""
    deadline = time.monotonic() + seconds
    while not (folder / PID_NAME).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return int((folder / PID_NAME).read_text(encoding="ascii"))
