"""Worker processes that break in the second segment, for the tests of those that watch them.

Each leaves a file for every time that it broke, so that the tests can count.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from matting.infer import infer
from matting.inference.base import FrameFeatures, RecurrentOutput, RecurrentState
from matting.inference.rvm import RvmInference
from matting.progress import Progress
from matting.workers.matting_stage import MattingStage
from matting.workers.segment_job import SegmentJob
from matting.workers.worker import WorkerSetup
from matting.workers.worker_process import serve_tasks
from tests.support.stages import matting_options, with_compute

VICTIM = "output_001.mp4"


def breaks(folder: Path) -> int:
    """How many times a worker broke."""
    return len(list(folder.glob("broke_*")))


def crash_always(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Dies as by a fault of a driver."""
    _break(folder, lambda: os.kill(os.getpid(), signal.SIGTERM), times=99)
    serve_tasks(pipe, setup, folder)


def crash_once(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Dies the first time."""
    _break(folder, lambda: os.kill(os.getpid(), signal.SIGTERM), times=1)
    serve_tasks(pipe, setup, folder)


def hang_once(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Stands still the first time."""
    _break(folder, lambda: threading.Event().wait(), times=1)
    serve_tasks(pipe, setup, folder)


def fault(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Meets an error that no one foresaw."""
    _break(folder, lambda: int("no number"), times=1)
    serve_tasks(pipe, setup, folder)


def card_breaks_once(pipe: Connection, setup: WorkerSetup, folder: Path) -> None:
    """Its graphics card stops answering, in the middle of a segment."""

    def broken() -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    _break_in_the_middle(folder, broken)
    serve_tasks(pipe, setup, folder)


def run_aloud(pipe: Connection, segments: Path, checkpoint: Path, output: Path) -> None:
    """A run of `infer` with a worker of its own, which tells each detail."""

    class Aloud(Progress):
        def detail(self, text: str) -> None:
            pipe.send(text)

    options = with_compute(matting_options(checkpoint), isolated=True)
    infer(segments, options, output, Aloud())


def _break(folder: Path, how: Callable[[], object], times: int) -> None:
    begin = MattingStage.begin

    def breaking(stage: MattingStage, job: SegmentJob, progress: Progress) -> None:
        if job.name == VICTIM and breaks(folder) < times:
            (folder / f"broke_{breaks(folder)}").touch()
            how()
        begin(stage, job, progress)

    setattr(MattingStage, "begin", breaking)  # noqa: B010 - mypy refuses an assignment to a method


def _break_in_the_middle(folder: Path, how: Callable[[], object]) -> None:
    run_recurrent = RvmInference.run_recurrent
    through: list[int] = []

    def breaking(
        network: RvmInference, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        through.append(len(features))
        if sum(through) > 45 and not breaks(folder):
            (folder / "broke_0").touch()
            how()
        return run_recurrent(network, features, state)

    setattr(RvmInference, "run_recurrent", breaking)  # noqa: B010 - as above
