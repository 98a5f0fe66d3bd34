"""One segment on its way through the worker: what is asked for, what it holds, what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import ParamSpec

from matting.delivery.outputs import OutputTarget
from matting.delivery.segment_writer import SegmentWriter
from matting.errors import InputError, MachineError, MattingError, MediaError
from matting.inference.base import RecurrentState
from matting.media.cuda import Nvdec
from matting.media.source import FrameChunk, FrameSource, first_frames
from matting.media.video_source import VideoSource
from matting.options import CodecBackend, OutputKind
from matting.project.inputs import Input
from matting.project.ledger import InitialState
from matting.project.paths import MattedFolder
from matting.system.fingerprint import Fingerprint
from matting.workers.pipeline import StoppedError

P = ParamSpec("P")


@dataclass
class Clock:
    """When things happened to a sample; seconds of a clock that only ever goes forward.

    Attributes:
        read: when each frame had been decoded and looked at.
        written: when each frame had been given to the encoder.
        flushed: when the encoder had given back all that it held.
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
class Task:
    """One segment to be matted.

    Attributes:
        before: the segment that it continues; None: it starts afresh.
        start_state: where the state after `before` is kept; None: it is lost, or still in hand.
        end_state: where to keep the state after this one; None: nowhere.
        targets: where each kind of result goes.
        only_frames: how many of its frames are matted, for a sample; None: all.
    """

    item: Input
    before: Input | None = None
    start_state: Path | None = None
    end_state: Path | None = None
    targets: Mapping[OutputKind, OutputTarget] = field(default_factory=dict)
    only_frames: int | None = None


def target_of(
    item: Input,
    folder: MattedFolder,
    kind: OutputKind,
    rate: Fraction | None,
    only_frames: int | None = None,
) -> OutputTarget:
    """Where a kind of result of `item` goes in `folder`. `rate`: as for `Input.open`."""
    layer = folder.layer(kind)
    if kind == OutputKind.ALPHA_PNG or not item.gives_video(rate):
        return OutputTarget(layer / item.stem, True, item.first_frame, only_frames)
    return OutputTarget(layer / f"{item.stem}.mp4")


@dataclass(frozen=True)
class Outcome:
    """A segment that is done.

    Attributes:
        source: what its content was.
        start_state: FRESH, CARRIED, WARMED_UP or RESET.
        outputs: per kind of result the name of its file or folder, and its fingerprint.
        end_state: fingerprint of the state that was kept; None: none was.
    """

    source: Fingerprint
    start_state: InitialState
    frames: int
    outputs: Mapping[OutputKind, tuple[str, Fingerprint]]
    end_state: Fingerprint | None = None


@dataclass(frozen=True)
class TrialOutcome(Outcome):
    """A sample that is done.

    Attributes:
        card_bytes: of the graphics card's memory, what is in use and what there is; None: no card.
    """

    clock: Clock = field(default_factory=Clock)
    gpu_bytes: tuple[int, int] | None = None


class SegmentJob:
    """A segment that goes from stage to stage; only the stage that has it now changes it.

    Attributes:
        by_card: whether a graphics card decodes it.
        note: what a user has to know of how it is decoded; may be empty.
        start_state, end_state: set by the network's stage.
        results: its files, from the first matte on.
        clock: of a sample; None: it is none.
        outcome: once it is done.
        error: the first that went wrong. All stages pass over what still comes of it.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.by_card = False
        self.note = ""
        self.start_state = InitialState.FRESH
        self.end_state: RecurrentState | None = None
        self.results: SegmentWriter | None = None
        self.clock = Clock() if task.only_frames is not None else None
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self._source: FrameSource | None = None
        self._fingerprint: Fingerprint | None = None

    @property
    def name(self) -> str:
        return self.task.item.name

    @property
    def source(self) -> FrameSource:
        """Its frames, once it is open."""
        if self._source is None:
            raise ValueError(f"{self.name} is not open")
        return self._source

    @property
    def fingerprint(self) -> Fingerprint:
        """What its content was when it was opened."""
        if self._fingerprint is None:
            raise ValueError(f"{self.name} is not open")
        return self._fingerprint

    def open(self, rate: Fraction | None) -> None:
        """Opens its source.

        Raises:
            InputError: it cannot be used.
        """
        self._source = self.task.item.open(rate)
        # Of a whole film, for a few of its frames, reading it all would take minutes.
        known = self.clock is None or self.task.item.planned is not None
        self._fingerprint = self.task.item.fingerprint() if known else Fingerprint(0, "")

    def decode_by(self, nvdec: Nvdec, decoder: str) -> None:
        """Has a graphics card decode its source, if that is wanted and can be.

        Args:
            decoder: AUTO, SOFTWARE or HARDWARE.
        Raises:
            InputError: the card was to decode it, and cannot.
        """
        source = self._source
        if decoder == CodecBackend.SOFTWARE or not isinstance(source, VideoSource):
            return
        if decoder == CodecBackend.AUTO and not self.task.item.is_as_cut(self.fingerprint):
            reason = "only what segment has checked is decoded by NVDEC, which hides damage."
        else:
            self._source, reason = source.decoded_by(nvdec)
            self.by_card = not reason
        if reason and decoder == CodecBackend.HARDWARE:
            raise InputError(f"{source.path}: {reason}", "Use --decoder auto.", option="--decoder")
        if reason:
            self.note = f"The processor decodes, not the graphics card: {reason}"

    def chunks(self, size: int) -> Generator[FrameChunk, None, None]:
        """The frames to be matted, in chunks of `size` frames.

        Raises:
            DecodeError: as `FrameSource.chunks`.
            MediaError: the source was changed meanwhile.
        """
        wanted = self.task.only_frames
        with closing(self.source.chunks(size)) as chunks:
            yield from chunks if wanted is None else first_frames(chunks, wanted)
        if wanted is None:
            self._require_unchanged()

    def attempt(self, work: Callable[P, object], *given: P.args, **named: P.kwargs) -> None:
        """Does a part of its work, unless it has failed already. It fails alone.

        Raises:
            MachineError: the machine refused, which concerns all segments; it names this one.
        """
        if self.error is not None:
            return
        try:
            work(*given, **named)
        except StoppedError:
            raise
        except MachineError as error:
            error.segment = self.name
            raise
        except Exception as error:  # noqa: BLE001 - raised where its outcome is asked for
            self.error = error

    def close(self) -> None:
        """Lets go of its files, and removes what is not finished of them."""
        if self.results is None:
            return
        try:
            self.results.close()
        except MattingError as error:
            self.error = self.error or error  # the first says more

    def _require_unchanged(self) -> None:
        """Refuses frames of a source that is another one by now.

        Raises:
            MediaError: it was changed since it was opened.
        """
        if self.task.item.fingerprint() != self._fingerprint:
            raise MediaError(
                f"{self.task.item.path} was changed while it was being matted.",
                retry=True,
            )
