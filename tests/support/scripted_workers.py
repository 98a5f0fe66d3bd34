"""Workers that only count frames and break by a script, for the tests of those that watch them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matting.errors import MachineError
from matting.inference.precision_record import PrecisionChoice
from matting.options import Precision
from matting.progress import Progress
from matting.project.entry import InitialState
from matting.project.inputs import Input
from matting.system.fingerprint import Fingerprint
from matting.workers.executor import Failure, Outcome, SegmentTask, TrialOutcome, WorkerSetup
from matting.workers.supervisor import Supervisor
from tests.support.stages import matting_options

FRAMES = 5  # of each segment


@dataclass
class Script:
    """What the workers are to do, and what they were asked to do.

    Attributes:
        breaks: how many more times each segment breaks its worker.
        names_the_segment: whether the worker can tell over which segment it broke.
        after_frames: whether it breaks after the segment's frames, or before the first.
        failing_starts: how many more starts fail.
        starts: how many were tried.
        workers: of each worker the segments it was given, and whether it was a careful one.
        choice: the precision that each chooses.
        precisions: those that they were asked for.
    """

    breaks: dict[str, int] = field(default_factory=dict)
    names_the_segment: bool = True
    after_frames: bool = True
    failing_starts: int = 0
    starts: int = 0
    workers: list[tuple[list[str], bool]] = field(default_factory=list)
    choice: PrecisionChoice | None = None
    precisions: list[Precision] = field(default_factory=list)

    def start(self, setup: WorkerSetup, _folder: Path, _progress: Progress) -> ScriptedWorker:
        """Start a worker, as the supervisor asks for one."""
        self.starts += 1
        if self.failing_starts:
            self.failing_starts -= 1
            raise MachineError("It does not start.")
        worker = ScriptedWorker(self)
        self.precisions.append(setup.options.matte.precision)
        self.workers.append((worker.given, setup.options.compute.largest_chunk == 1))
        return worker


class ScriptedWorker:
    """A worker that counts the frames of all that it was given before its first outcome."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._tasks: deque[SegmentTask] = deque()
        self._new: list[SegmentTask] = []
        self.given: list[str] = []

    @property
    def choice(self) -> PrecisionChoice | None:
        return self._script.choice

    def submit(self, task: SegmentTask) -> None:
        self._tasks.append(task)
        self._new.append(task)
        self.given.append(task.item.name)

    def outcome(self, progress: Progress) -> Outcome:
        while self._new:
            self._work_on(self._new.pop(0).item.name, progress)
        task = self._tasks.popleft()
        kind = Outcome if task.only_frames is None else TrialOutcome
        return kind(Fingerprint(0, ""), InitialState.FRESH, True, True, FRAMES, {})

    def close(self) -> None:
        """Do nothing: it holds nothing."""

    def _work_on(self, name: str, progress: Progress) -> None:
        breaks = self._script.breaks.get(name, 0) > 0
        progress.begin_segment(name)
        if self._script.after_frames or not breaks:
            progress.advance(FRAMES)
        if breaks:
            self._script.breaks[name] -= 1
            error = MachineError("It broke.")
            error.segment = name if self._script.names_the_segment else ""
            raise error


def supervisor(script: Script, progress: Progress, folder: Path) -> Supervisor:
    """Return a supervisor of scripted workers."""
    setup = WorkerSetup(matting_options(None), folder, "", "cpu")
    return Supervisor(setup, folder, progress, script.start)


def task(name: str, folder: Path, only_frames: int | None = None) -> SegmentTask:
    return SegmentTask(Input(name, folder / name, name), only_frames=only_frames)


def failed_segments(executor: Supervisor, names: Sequence[str], folder: Path) -> list[str]:
    """Matte the segments as a run does; return which of them failed."""
    waiting, in_flight, failed = deque(names), dict[int, str](), []
    while waiting or in_flight:
        while waiting and executor.has_room:
            name = waiting.popleft()
            in_flight[executor.submit(task(name, folder))] = name
        number, outcome = executor.outcome()
        if isinstance(outcome, Failure):
            failed.append(in_flight[number])
        del in_flight[number]
    return failed
