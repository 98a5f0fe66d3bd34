"""The worker: one network, matting the segments that it is given, one after another."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import torch

from matting import durable
from matting.device import choose_device, share_cores
from matting.durable import FileProof
from matting.errors import InputError, MattingError, MediaError
from matting.full_size import AUTO, FullSize
from matting.inputs import Input
from matting.matte import matte_segment, warm_up
from matting.media.images import proof_of
from matting.media.source import FrameSource
from matting.progress import Progress
from matting.results import Look, Target, samples_of
from matting.session import MattingSession, automatic_ratio
from matting.weights import UNREADABLE, load_checkpoint
from matting.workspace import COMPOSITE
from model import State

# By python -m benchmarks.warm_up: what the network saw fades so slowly that no length up to this
# gives the lost state back, but each doubling lessens the error; this one costs 4 s of video.
WARM_UP_FRAMES = 120
# Where a segment's first state came from. RESET: the state before did not fit its pictures.
FRESH, CARRIED, WARMED_UP, RESET = "fresh", "carried", "warmed up", "reset"


@dataclass(frozen=True)
class Setup:
    """What all segments of one run have in common.

    Attributes:
        device: a name that `choose_device` takes.
        ratio: the downsample ratio in (0, 1]; None: by the picture's size and the subject.
        frame_rate: frames a second of image sequences; None: they become pictures.
        full_size: auto, fused or plain: how the full-size pictures are made.
        largest_chunk: how many frames may be computed at once; None: as suits the device.
    """

    checkpoint: Path
    checkpoint_sha256: str
    device: str
    precision: str
    ratio: float | None
    subject: str
    look: Look
    frame_rate: Fraction | None
    full_size: str = AUTO
    largest_chunk: int | None = None


@dataclass(frozen=True)
class Task:
    """One segment to be matted.

    Attributes:
        before: the segment that it continues; None: it starts afresh.
        start_state: where the state after `before` is kept; None: it is lost.
        end_state: where to keep the state after this one; None: nowhere.
        targets: where each kind of result goes.
    """

    item: Input
    before: Input | None = None
    start_state: Path | None = None
    end_state: Path | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """A segment that is done.

    Attributes:
        source: what its content was.
        start_state: FRESH, CARRIED, WARMED_UP or RESET.
        outputs: per kind of result the name of its file or folder, and the proof.
        end_state: proof of the state that was kept; None: none was.
    """

    source: FileProof
    start_state: str
    frames: int
    outputs: Mapping[str, tuple[str, FileProof]]
    end_state: FileProof | None = None


class Worker:
    """Mattes segments, and carries the network's state from each to the next."""

    def __init__(self, setup: Setup) -> None:
        """Loads the network.

        Raises:
            InputError, MissingError, MachineError: the checkpoint or the device cannot be used.
        """
        self._setup = setup
        device = choose_device(setup.device)
        share_cores(device)
        checkpoint = load_checkpoint(setup.checkpoint)
        if checkpoint.sha256 != setup.checkpoint_sha256:
            raise InputError(
                f"{setup.checkpoint} was replaced while its network was at work.",
                "Run the same command again.",
            )
        self._session = MattingSession(
            checkpoint.network, device, setup.precision, setup.largest_chunk
        )
        self._said: set[str] = set()
        self._notes: list[str] = []
        self._make = FullSize(setup.full_size, device, self._notes.append)
        # The segment after which the session's state stands; None after a failure or a reset.
        self._state_after: str | None = None

    def run(self, task: Task, progress: Progress) -> Outcome:
        """Mattes one segment; its results are whole and checked when this returns.

        Raises:
            MattingError: it could not be matted; nothing of it is left behind.
        """
        name, self._state_after, state_after = task.item.name, None, self._state_after
        source = task.item.open(self._setup.frame_rate)
        proof = task.item.proof()
        if task.item.planned is not None and task.item.planned.proof != proof:
            progress.say(f"{name} is not what was cut any more; it is matted as it is now.")
        ratio = self._ratio(source)
        in_hand = task.before is not None and task.before.name == state_after
        start_state = self._prepare(task, in_hand, source, ratio, progress)
        self._tell_samples(task, source, progress)
        progress.detail(f"{name}: ratio {ratio:.4f}, state {start_state}")
        matte_segment(
            source,
            self._session,
            ratio=ratio,
            look=self._setup.look,
            targets=task.targets,
            progress=progress,
            make=self._make,
        )
        while self._notes:
            progress.say(self._notes.pop(0))
        if task.item.proof() != proof:
            raise MediaError(f"{task.item.path} was changed while it was being matted.")
        if task.end_state is not None:
            save_state(task.end_state, self._session.state)
        self._state_after = name
        return Outcome(
            source=proof,
            start_state=start_state,
            frames=source.frames,
            outputs={
                kind: (target.path.name, proof_of(target.path, progress.alive))
                for kind, target in task.targets.items()
            },
            end_state=FileProof.of(task.end_state) if task.end_state is not None else None,
        )

    def _tell_samples(self, task: Task, source: FrameSource, progress: Progress) -> None:
        """Says what happens to the samples, where that is not what everybody expects; once."""
        notes = list(source.notes)
        samples = samples_of(source, self._setup.look.encoding, task.targets)
        if COMPOSITE in samples:
            notes.append(samples[COMPOSITE].note)
        for note in notes:
            if note and note not in self._said:
                self._said.add(note)
                progress.say(note)

    def _ratio(self, source: FrameSource) -> float:
        if self._setup.ratio is not None:
            return self._setup.ratio
        return automatic_ratio(source.width_px, source.height_px, self._setup.subject)

    def _prepare(
        self, task: Task, in_hand: bool, source: FrameSource, ratio: float, progress: Progress
    ) -> str:
        """Brings the session to the state at the start of `task`; says where it came from."""
        session, size = self._session, (source.width_px, source.height_px)
        if task.before is None:
            session.reset()
            return FRESH
        if not in_hand:
            session.state = load_state(task.start_state) if task.start_state else None
        if session.fits(*size, ratio):
            return CARRIED
        if session.state is None:
            try:
                before = task.before.open(self._setup.frame_rate)
                warm_up(before, session, ratio, WARM_UP_FRAMES, progress)
            except MattingError as error:
                progress.say(f"{task.before.name} cannot prepare {task.item.name}: {error.what}")
                session.reset()
                return FRESH
            if session.fits(*size, ratio):
                return WARMED_UP
        session.reset()
        return RESET


def load_state(path: Path) -> State | None:
    """The state that `save_state` wrote to `path`; None where there is none that can be read."""
    try:
        state = torch.load(path, weights_only=True)
        r1, r2, r3, r4 = (r.to(torch.float32) for r in state)
    except UNREADABLE:
        return None
    return r1, r2, r3, r4


def save_state(path: Path, state: State | None) -> None:
    """Writes a state.

    Raises:
        StorageError: it cannot be written.
    """
    content = io.BytesIO()
    torch.save(state, content)
    durable.write_bytes(path, content.getvalue())
