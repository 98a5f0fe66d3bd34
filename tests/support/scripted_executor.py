"""An executor that mattes in no time: its states say by themselves what they descend from.

A state is a text: for each segment that it has seen, a hash of that segment's content. So a result
is right if the text at its start names all segments of the video before it, as they are now.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from matting.errors import MediaError
from matting.options import OutputKind
from matting.progress import Progress
from matting.project.entry import InitialState, OutputFile
from matting.project.inputs import Input
from matting.system.fingerprint import Fingerprint
from matting.workers.executor import Failure, Outcome, SegmentTask, TrialOutcome, WorkerSetup

WARM_UP = "warmed up by "


@dataclass
class ExecutorScript:
    """What the executors of a test do, and what they have done.

    Attributes:
        failing: segments that cannot be matted.
        unreadable: segments the states after which cannot be read, though the files are intact.
        matted: the segments that were matted, and "state after" those whose state alone was.
    """

    failing: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    matted: list[str] = field(default_factory=list)

    def executor(self, _setup: WorkerSetup, _folder: Path, progress: Progress) -> ScriptedExecutor:
        return ScriptedExecutor(self, progress)


class ScriptedExecutor:
    """Mattes one segment after another, each when its outcome is asked for."""

    def __init__(self, script: ExecutorScript, progress: Progress) -> None:
        self._script = script
        self._progress = progress
        self._tasks: deque[SegmentTask] = deque()
        self._held: tuple[Input, str, bool] | None = None  # the state after the last segment

    def prepare(self) -> None:
        """Do nothing: there is no network."""

    def trial(self, task: SegmentTask) -> TrialOutcome | Failure:
        raise NotImplementedError(task)

    @property
    def has_room(self) -> bool:
        return len(self._tasks) < 2

    def submit(self, task: SegmentTask) -> None:
        self._tasks.append(task)

    def outcome(self) -> Outcome | Failure:
        task = self._tasks.popleft()
        held, self._held = self._held, None
        name = task.item.name
        self._script.matted.append(name if task.targets else f"state after {name}")
        if name in self._script.failing or not task.item.path.exists():
            return Failure(MediaError(f"{name} cannot be matted."))
        start, state, exact = self._start(task, held)
        frames = task.item.frames or 0
        self._progress.begin_segment(name)
        self._progress.advance(frames)
        end = f"{state}{content_of(task.item.path)} "
        self._held = task.item, end, exact
        for kind, target in task.targets.items():
            target.path.write_text(expected_output(kind, state, task.item.path), encoding="utf-8")
        if task.end_state is not None:
            task.end_state.write_text(end, encoding="utf-8")
        return Outcome(
            source=task.item.fingerprint(),
            start_state=start,
            exact=exact,
            frames=frames,
            outputs={
                kind: OutputFile.of(target.path, Fingerprint.of(target.path))
                for kind, target in task.targets.items()
            },
            end_state=Fingerprint.of(task.end_state) if task.end_state is not None else None,
        )

    def close(self) -> None:
        """Do nothing: it holds nothing."""

    def _start(
        self, task: SegmentTask, held: tuple[Input, str, bool] | None
    ) -> tuple[InitialState, str, bool]:
        """Return where the state comes from, the state, and whether it is exact."""
        before, saved = task.before, task.start_state
        if before is None:
            return InitialState.FRESH, "", True
        if held is not None and held[0] == before:
            return InitialState.CARRIED, held[1], held[2]
        if saved is not None and before.name not in self._script.unreadable:
            return InitialState.CARRIED, saved.path.read_text(encoding="utf-8"), saved.exact
        if before.path.exists() and before.name not in self._script.failing:
            return InitialState.WARMED_UP, WARM_UP + content_of(before.path), False
        return InitialState.FRESH, "", False


def content_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:8]


def expected_output(kind: OutputKind, state: str, segment: Path) -> str:
    """Return the result of one kind, of a segment that began with `state`."""
    return f"{kind} of {content_of(segment)} after {state}"
