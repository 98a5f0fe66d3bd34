"""What cutting a file may come to, in place of `cut_source`."""

from __future__ import annotations

import os
import signal
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import matting.segment
from matting.media.video_info import VideoInfo
from matting.options import CuttingOptions
from matting.progress import Progress

PID_NAME = "pid.txt"  # beside the source, once it is at work


def crash(*job: Any, **_known: object) -> None:
    _begin(*job)
    os.abort()


def end_as_linux_does(*job: Any, **_known: object) -> None:
    _begin(*job)
    os.kill(os.getpid(), signal.SIGKILL)


def hang(*job: Any, **_known: object) -> None:
    _begin(*job)
    time.sleep(60)


def take_all_memory(*job: Any, **_known: object) -> None:
    _begin(*job)
    bytearray(1 << 46)


def fail(*job: Any, **_known: object) -> None:
    _begin(*job)
    raise ZeroDivisionError


def hang_in_this_program() -> None:
    """Let `segment` hang when it cuts, in this process and those that are forked from it."""
    vars(matting.segment)["cut_source"] = hang


def _begin(
    info: VideoInfo, _seconds: Fraction, work: Path, _options: CuttingOptions, progress: Progress
) -> None:
    """Do what cutting begins with: an unfinished file, and a bar that moves."""
    progress.start("Cutting", 10, "frame")
    progress.advance(3)
    progress.say("It goes on.")
    (work / "output_000.mp4").write_bytes(b"1")
    path = info.path.with_name(PID_NAME)
    path.with_suffix(".new").write_text(str(os.getpid()), encoding="ascii")
    path.with_suffix(".new").replace(path)


def wait_for_pid(folder: Path, seconds: float) -> int:
    """Return the process that cuts a file in `folder`, once it is at work."""
    deadline = time.monotonic() + seconds
    while not (folder / PID_NAME).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return int((folder / PID_NAME).read_text(encoding="ascii"))
