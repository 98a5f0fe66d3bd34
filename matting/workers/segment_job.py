"""One segment on its way through the worker: what is asked for, what it holds, what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from fractions import Fraction
from typing import ParamSpec

from matting.delivery.segment_writer import SegmentWriter
from matting.errors import InputError, MachineError, MattingError, MediaError
from matting.inference.base import RecurrentState
from matting.media.cuda import Nvdec
from matting.media.source import FrameChunk, FrameSource, take_frames
from matting.media.video_source import VideoSource
from matting.options import CodecBackend
from matting.project.ledger import InitialState
from matting.system.fingerprint import Fingerprint
from matting.workers.executor import Outcome, SegmentTask, TrialClock
from matting.workers.pipeline import StoppedError

P = ParamSpec("P")


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

    def __init__(self, task: SegmentTask) -> None:
        self.task = task
        self.by_card = False
        self.note = ""
        self.start_state = InitialState.FRESH
        self.end_state: RecurrentState | None = None
        self.results: SegmentWriter | None = None
        self.clock = TrialClock() if task.only_frames is not None else None
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
            yield from chunks if wanted is None else take_frames(chunks, wanted)
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
