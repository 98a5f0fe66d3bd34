"""An executor that mattes in no time: its states say by themselves what they descend from.

A state is a text: for each segment that it has seen since the start of the shot, a hash of that
segment's content, and the ratio. So a result is right if the text at its start names all segments
of the shot before it, as they are now, and the ratio that is wanted. Of a segment whose last shot
is run up over frames after it, the text names those, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from matting.errors import MediaError
from matting.options import MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.entry import InitialState, OutputFile, ProvenFile, SideFile
from matting.project.inputs import Input
from matting.system.fingerprint import Fingerprint
from matting.system.temporary_files import create_temporary, create_temporary_folder
from matting.workers.executor import (
    Completion,
    Failure,
    Outcome,
    SegmentTask,
    TrialOutcome,
    WorkerSetup,
)
from matting.workers.shot import frames_ahead

WARM_UP = "warmed up by "


@dataclass
class ExecutorScript:
    """What the executors of a test do, and what they have done.

    Attributes:
        failing: segments that cannot be matted.
        unreadable: segments the states after which cannot be read, though the files are intact.
        matted: the segments that were matted, "state after" those whose state alone was, and
            "outputs of" those that were rendered from their stored mattes.
        delivered: the formats that were made of each segment that was delivered.
        loaded_network: whether the last run had the network loaded.
    """

    failing: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    matted: list[str] = field(default_factory=list)
    delivered: dict[str, tuple[str, ...]] = field(default_factory=dict)
    loaded_network: bool = False

    def executor(self, setup: WorkerSetup, _folder: Path, progress: Progress) -> ScriptedExecutor:
        return ScriptedExecutor(self, setup.options, progress)


class ScriptedExecutor:
    """Mattes one segment after another, each when its outcome is asked for."""

    at_once = 1

    def __init__(self, script: ExecutorScript, options: MattingOptions, progress: Progress) -> None:
        self._script = script
        self._ratio = options.matte.ratio
        self._settings = settings_in_words(options)
        self._progress = progress
        self._tasks: deque[SegmentTask] = deque()
        self._submitted = 0
        self._held: tuple[Input, str, bool] | None = None  # the state after the last segment

    def prepare(self, *, network: bool) -> None:
        """Note whether the network is wanted; there is none."""
        self._script.loaded_network = network

    def trial(self, task: SegmentTask) -> TrialOutcome | Failure:
        raise NotImplementedError(task)

    @property
    def has_room(self) -> bool:
        return len(self._tasks) < 2

    def submit(self, task: SegmentTask) -> int:
        self._tasks.append(task)
        self._submitted += 1
        return self._submitted

    def outcome(self) -> Completion:
        task = self._tasks.popleft()
        return Completion(self._submitted - len(self._tasks), self._outcome_of(task))

    def _outcome_of(self, task: SegmentTask) -> Outcome | Failure:
        if task.matte is not None:
            return self._rendered(task, task.matte)
        held, self._held = self._held, None
        name = task.item.name
        self._script.matted.append(name if task.targets else f"state after {name}")
        if name in self._script.failing or not task.item.path.exists():
            return Failure(MediaError(f"{name} cannot be matted."))
        start, state, exact = self._start(task, held)
        readable = all(a.path.exists() and a.name not in self._script.failing for a in task.ahead)
        ahead = run_up(task.item, task.ahead) if readable else ""
        frames = task.item.frames or 0
        self._progress.begin_segment(name)
        self._progress.advance(frames)
        end = end_of(task.item, task.shot_starts, state, self._ratio, ahead)
        ends_exact = (exact or bool(task.shot_starts)) and readable
        self._held = task.item, end, ends_exact
        outputs, files = {}, []
        for kind, target in task.targets.items():
            text = expected_output(kind, state + ahead, task.item.path, self._settings)
            files.append(_written(kind, target.path, text))
            outputs[kind] = OutputFile.of(target.path, Fingerprint.of(files[-1].temporary))
        end_state = None
        if task.end_state is not None:
            files.append(_written(SideFile.STATE, task.end_state, end))
            end_state = Fingerprint.of(files[-1].temporary)
        return Outcome(
            source=task.item.fingerprint(),
            start_state=start,
            exact=exact,
            ends_exact=ends_exact,
            frames=frames,
            outputs=outputs,
            end_state=end_state,
            files=tuple(files),
            run_up_is_whole=readable,
        )

    def _rendered(self, task: SegmentTask, matte: Path) -> Outcome | Failure:
        """Make outputs of a stored matte, which says what it was made of."""
        name = task.item.name
        self._script.matted.append(f"outputs of {name}")
        self._script.delivered[name] = tuple(sorted(kind.value for kind in task.targets))
        if name in self._script.failing:
            return Failure(MediaError(f"{name} cannot be rendered."))
        state = matte.read_text(encoding="utf-8").partition(" after ")[2]
        frames = task.item.frames or 0
        self._progress.begin_segment(name)
        self._progress.advance(frames)
        texts = {
            kind: expected_output(kind, state, task.item.path, self._settings)
            for kind in task.targets
        }
        files = [
            _written(k, target.path, texts[k], pictures=target.pictures)
            for k, target in task.targets.items()
        ]
        return Outcome(
            source=task.item.fingerprint(),
            start_state=InitialState.FRESH,
            exact=False,
            ends_exact=False,
            frames=frames,
            outputs={
                file.kind: OutputFile.of(file.path, Fingerprint.of(file.temporary))
                for file in files
                if isinstance(file.kind, OutputKind)
            },
            files=tuple(files),
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


def _written(
    kind: OutputKind | SideFile, path: Path, text: str, *, pictures: bool = False
) -> ProvenFile:
    """Write a finished file, or a folder of one picture, which has yet to get its name."""
    create = create_temporary_folder if pictures else create_temporary
    file = ProvenFile(kind, create(path), path)
    written = file.temporary / "0000000.png" if pictures else file.temporary
    written.write_text(text, encoding="utf-8")
    return file


def run_up(item: Input, following: Sequence[Input]) -> str:
    """Return the frames after a segment that its last shot's run-up takes."""
    ahead = frames_ahead(item, following)
    return "".join(f"with {n} of {content_of(other.path)} " for other, n in ahead)


def end_of(item: Input, starts: Sequence[int], state: str, ratio: float | None, ahead: str) -> str:
    """Return the state at the end of a segment.

    Args:
        state: that at its first frame.
        ahead: as `run_up` returns it.
    """
    start = f"from {starts[-1]} of " if starts else state
    return f"{start}{content_of(item.path)}/{ratio} {ahead}"


def content_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:8]


def settings_in_words(options: MattingOptions) -> str:
    """Return what shapes the results of a script: of the matte, and of what is made of it."""
    output = options.output
    edges = output.key_cutoff, output.key_contrast, output.despill
    return f"ratio {options.matte.ratio}, background {output.background}, edges {edges}"


def expected_output(kind: OutputKind, state: str, segment: Path, settings: str) -> str:
    """Return the result of one kind, of a segment that began with `state`."""
    if kind is OutputKind.MATTE:
        settings = settings.partition(",")[0]
    return f"{kind} of {content_of(segment)} by {settings} after {state}"
