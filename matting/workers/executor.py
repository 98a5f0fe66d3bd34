"""What a run asks of whoever runs the network over its segments, and what it gets for each.

The supervisor in this process is one executor; scripted ones in tests, and later several graphics
cards or computers, are others. All that crosses this seam can be pickled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from matting.delivery.output_target import OutputTarget
from matting.errors import MattingError
from matting.options import MattingOptions, OutputKind, Precision
from matting.progress import Progress
from matting.project.entry import InitialState, OutputFile, ProvenFile
from matting.project.inputs import Input
from matting.system.fingerprint import Fingerprint

if TYPE_CHECKING:  # who finds nothing to do needs no PyAV
    from matting.inference.precision_record import PrecisionChoice
    from matting.media.media_index import MediaIndex


@dataclass(frozen=True)
class WorkerSetup:
    """What all segments of one run have in common.

    Attributes:
        options: as asked for, with the encoder decided.
        checkpoint, checkpoint_sha256: the file of the weights, and its hash when the run began;
            None and "" where nothing is to be matted.
        needs_network: whether anything is to be matted; else all is rendered from stored mattes.
        device: the device to use, by a name that `choose_device` takes.
        is_alone: whether no other worker works in the matted folder.
    """

    options: MattingOptions
    checkpoint: Path | None
    checkpoint_sha256: str
    device: str
    needs_network: bool = True
    is_alone: bool = True

    def computing_in(self, precision: Precision) -> WorkerSetup:
        """Return the same with a precision that is decided."""
        matte = replace(self.options.matte, precision=precision)
        return replace(self, options=replace(self.options, matte=matte))


@dataclass(frozen=True)
class SavedState:
    """The file of the network's state at the end of a segment.

    Attributes:
        exact: whether it is the state of one uncut pass from the start of the shot.
    """

    path: Path
    exact: bool


@dataclass(frozen=True)
class FrameSpan:
    """Consecutive frames of a segment, the only ones of it that go through the network.

    Attributes:
        first: the first of them, from 0.
        frames: how many they are.
        lead: how many of these, at the start, are there only for the state that they leave.
        ahead: how many more of the segment's frames the run-up of the last shot takes.
    """

    first: int
    frames: int
    lead: int = 0
    ahead: int = 0


@dataclass(frozen=True)
class SignsTarget:
    """The file of what is seen of a segment's mattes.

    Attributes:
        moments: how many of its most doubtful frames to picture in it at the most.
        video_seconds: how long the video is that the segment is of; None: it is all of it.
    """

    path: Path
    moments: int
    video_seconds: Fraction | None = None


@dataclass(frozen=True)
class SegmentTask:
    """One segment to matte.

    Attributes:
        before: the segment that it continues; None: a shot starts here.
        start_state: the state after `before`; None: it is lost, or the worker that mattes `before`
            still holds it.
        end_state: where to save the state after this segment; None: nowhere.
        targets: where the result of each output kind goes; empty: only the state is wanted.
        only_frames: for a trial, how many of its frames to matte; None: all.
        index: what is known of its file already, which the worker need not read again.
        refusal: why its file cannot be read, where that took too long to be tried again.
        matte: its stored matte, from which the results are rendered; None: the network finds it.
        shot_starts: the numbers of its frames at which a shot starts, rising; each is run up.
        ahead: the segments after it that hold frames of the last one's run-up; mostly none do.
        before_ahead: the same of the segment before, for the case that its end is run again.
        span: which of its frames are matted, where that is not all.
        signs: where to save what is seen of its mattes; None: nowhere.
    """

    item: Input
    before: Input | None = None
    start_state: SavedState | None = None
    end_state: Path | None = None
    targets: Mapping[OutputKind, OutputTarget] = field(default_factory=dict)
    only_frames: int | None = None
    index: MediaIndex | None = None
    refusal: MattingError | None = None
    matte: Path | None = None
    shot_starts: tuple[int, ...] = ()
    ahead: tuple[Input, ...] = ()
    before_ahead: tuple[Input, ...] = ()
    span: FrameSpan | None = None
    signs: SignsTarget | None = None


@dataclass
class TrialClock:
    """When things happened in a trial, in seconds of a monotonic clock.

    Attributes:
        read: when each frame had been decoded and its features extracted.
        written: when each frame had been given to the encoder.
        flushed: when the encoder had returned all that it held.
    """

    read: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    flushed: float = 0.0

    def note_read(self, frames: int) -> None:
        self.read += [time.monotonic()] * frames

    def note_written(self, frames: int) -> None:
        self.written += [time.monotonic()] * frames

    def note_flushed(self) -> None:
        self.flushed = self.flushed or time.monotonic()


@dataclass(frozen=True)
class Outcome:
    """A segment that is matted.

    Attributes:
        source: the fingerprint of its content.
        start_state: where the state at its first frame came from.
        exact: whether that was the state of one uncut pass from the start of the shot.
        ends_exact: whether the state at its last frame is that of such a pass.
        outputs: its results.
        end_state: the fingerprint of the state that was saved; None: none was.
        frames_with_small_people: in so many of its frames somebody was seen a second time.
        files: what is proven, and has yet to get its name; those of a trial have it.
        run_up_is_whole: whether all frames ahead that the last shot's run-up takes could be read.
        signs: what was seen of its mattes; None: nothing was to be saved.
    """

    source: Fingerprint
    start_state: InitialState
    exact: bool
    ends_exact: bool
    frames: int
    outputs: dict[OutputKind, OutputFile]
    end_state: Fingerprint | None = None
    files: tuple[ProvenFile, ...] = ()
    frames_with_small_people: int = 0
    run_up_is_whole: bool = True
    signs: OutputFile | None = None


@dataclass(frozen=True)
class TrialOutcome(Outcome):
    """A trial that went through.

    Attributes:
        gpu_bytes: of the GPU's memory, how much is in use and how much there is; None: no GPU.
    """

    clock: TrialClock = field(default_factory=TrialClock)
    gpu_bytes: tuple[int, int] | None = None


@dataclass(frozen=True)
class Failure:
    """A segment, or a trial, that could not be matted; the others can be. Nothing of it is left."""

    error: MattingError


class Completion(NamedTuple):
    """What came of the segment that was submitted under that number."""

    number: int
    outcome: Outcome | Failure


class Executor(Protocol):
    """Mattes segments: each after the one that it continues, and others in any order.

    Each method may raise what every further segment would meet as well: StorageError, BusyError,
    MachineUnusableError, and what is wrong with the weights or the device.
    """

    def prepare(self, *, network: bool) -> PrecisionChoice | None:
        """Get ready, before anything is submitted.

        Args:
            network: whether to load it; without it, segments are rendered from stored mattes only.
        Returns:
            what the network computes in; None where that is not known.
        """

    def trial(self, task: SegmentTask) -> TrialOutcome | Failure:
        """Matte a few frames, while nothing else is submitted."""

    @property
    def has_room(self) -> bool:
        """Whether work on one more segment could begin now, or be planned."""

    @property
    def at_once(self) -> int:
        """How many segments are worked on at the same time, once it is prepared."""

    def submit(self, task: SegmentTask) -> int:
        """Queue a segment, and return its number.

        The state at its start may be what a segment in flight will leave.
        """

    def outcome(self) -> Completion:
        """Wait for any segment that was submitted, and return what came of it.

        Its files get their names from the caller, before it asks for the next outcome.
        """

    def close(self) -> None:
        """End all work, and remove what is unfinished."""


# Makes the executor of one run: its setup, the matted folder, and who listens.
ExecutorFactory = Callable[[WorkerSetup, Path, Progress], Executor]
