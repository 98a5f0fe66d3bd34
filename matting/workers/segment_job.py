"""One segment on its way through a worker: its task, its source, its files and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from fractions import Fraction
from typing import NamedTuple, ParamSpec

from matting.delivery.segment_writer import SegmentWriter
from matting.errors import InputError, MachineError, MattingError, MediaError
from matting.imaging.renderer import StoredFrames
from matting.inference.base import RecurrentState
from matting.media.cuda import Nvdec
from matting.media.frame_chunks import take_frames
from matting.media.matte_file import MatteFile
from matting.media.media_index import adopt_index
from matting.media.source import FrameChunk, FrameSource
from matting.media.video_source import VideoSource
from matting.options import CodecBackend
from matting.progress import ignore
from matting.project.entry import InitialState, ProvenFile
from matting.system.fingerprint import FileStamp, Fingerprint
from matting.workers.executor import Outcome, SegmentTask, TrialClock
from matting.workers.pipeline import StoppedError
from matting.workers.shot import frames_ahead
from matting.workers.shot_frames import frames_of, read_ahead, split_at
from matting.workers.side_files import SideFiles

P = ParamSpec("P")


class StoredBatch(NamedTuple):
    """Some frames of a source, with their stored mattes.

    Attributes:
        pts: their times, in ticks of the source's time base.
    """

    frames: StoredFrames
    pts: tuple[int, ...]


class SegmentJob:
    """A segment that passes from thread to thread; only the one that has it changes it.

    Attributes:
        decoded_by_gpu: whether NVDEC decodes it.
        note: what a user has to know of how it is decoded; may be empty.
        start_state, end_state: set by the recurrent part.
        exact: whether the first is that of one uncut pass from the start of the shot.
        run_up_is_whole: whether all frames ahead that the last shot's run-up takes could be read.
        clock: of a trial; None: it is none.
        side_files: the state at its end, and what was seen of its mattes.
        outcome: None until it is done.
        error: the first that occurred. All threads skip whatever of it is still to come.
    """

    def __init__(self, task: SegmentTask) -> None:
        self.task = task
        self.decoded_by_gpu = False
        self.note = ""
        self.start_state = InitialState.FRESH
        self.exact = False
        self.frames_with_small_people = 0
        self.run_up_is_whole = True
        self.end_state: RecurrentState | None = None
        self.clock = TrialClock() if task.only_frames is not None else None
        self.side_files = SideFiles()
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self._source: FrameSource | None = None
        self._stamp: FileStamp | None = None
        self._fingerprint: Fingerprint | None = None
        self._writer: SegmentWriter | None = None
        self._passed = 0  # frames that have been matted

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
    def is_as_cut(self) -> bool:
        """Whether its content is what was cut, and so was decoded by `segment`."""
        return self._fingerprint is not None and self.task.item.is_as_cut(self._fingerprint)

    @property
    def ends_exact(self) -> bool:
        """Whether the state at its end is that of one uncut pass from the start of the shot."""
        return (self.exact or bool(self.task.shot_starts)) and self.run_up_is_whole

    @property
    def skipped_frames(self) -> int:
        """How many of the first frames play no part: for its end state, those of earlier shots."""
        task = self.task
        partly = task.only_frames is not None or task.span is not None
        needed = task.targets or partly or not task.shot_starts
        return 0 if needed else task.shot_starts[-1]

    @property
    def writer(self) -> SegmentWriter:
        """The writer of its files, once the network has begun on it."""
        if self._writer is None:
            raise ValueError(f"{self.name} has not begun")
        return self._writer

    @writer.setter
    def writer(self, writer: SegmentWriter) -> None:
        self._writer = writer

    def open(self, rate: Fraction | None) -> None:
        """Open its source.

        Args:
            rate: as for `Input.open`.
        Raises:
            InputError: it cannot be used.
        """
        if self.task.refusal is not None:
            raise self.task.refusal
        item = self.task.item
        adopt_index(self.task.index)
        self._stamp = FileStamp.of(item.path)
        self._source = item.open(rate)
        if item.planned is not None:  # else there is nothing to compare it with yet
            self._fingerprint = item.fingerprint()

    def decode_by(self, nvdec: Nvdec, decoder: CodecBackend) -> None:
        """Have a GPU decode its source, if that is asked for and possible.

        Raises:
            InputError: HARDWARE was asked for, and cannot decode it.
        """
        source = self._source
        if decoder is CodecBackend.SOFTWARE or not isinstance(source, VideoSource):
            return
        if decoder is CodecBackend.AUTO and not self.is_as_cut:
            reason = "only what segment has checked is decoded by NVDEC, which hides damage."
        else:
            self._source, reason = source.decoded_by(nvdec)
            self.decoded_by_gpu = not reason
        if reason and decoder is CodecBackend.HARDWARE:
            raise InputError(f"{source.path}: {reason}", "Use --decoder auto.", option="--decoder")
        if reason:
            self.note = f"The processor decodes, not the graphics card: {reason}"

    def chunks(
        self, size: int, on_skip: Callable[[], None] = ignore
    ) -> Generator[FrameChunk, None, None]:
        """Yield the frames to matte, in chunks of `size` frames.

        Args:
            on_skip: as for `FrameSource.chunks`.
        Raises:
            DecodeError: as `FrameSource.chunks`.
            MediaError: the source was changed meanwhile.
        """
        span = self.task.span
        if span is not None:  # none of its lead is in one chunk with others
            counts = [span.lead, span.frames - span.lead]
            yield from frames_of(self.source, span.first, counts, size)
            self._require_unchanged()
            return
        only, skipped = self.task.only_frames, self.skipped_frames
        last = self.source.frames - skipped if skipped else None
        with closing(self.source.chunks(size, last, on_skip)) as chunks:
            yield from chunks if only is None else take_frames(chunks, only)
        if only is None:
            self._require_unchanged()

    def chunks_of_shots(
        self, size: int, on_skip: Callable[[], None]
    ) -> Generator[tuple[FrameChunk, bool], None, None]:
        """Yield the same, where no shot starts within a chunk, and whether one starts with it."""
        chunks, span = self.chunks(size, on_skip), self.task.span
        first = self.skipped_frames if span is None else span.first
        yield from split_at(chunks, self.task.shot_starts, first)

    def chunks_ahead(self, size: int, rate: Fraction | None) -> Generator[FrameChunk, None, None]:
        """Yield the frames after those to matte that the last shot's run-up takes.

        Where they cannot be read, the run-up is made of what there is.

        Args:
            rate: as for `Input.open`.
        """
        span = self.task.span
        if span is not None and span.ahead:
            yield from frames_of(self.source, span.first + span.frames, [span.ahead], size)
        ahead = frames_ahead(self.task.item, self.task.ahead)
        try:
            yield from read_ahead(ahead, self.source.size_px, rate, size)
        except InputError:
            self.run_up_is_whole = False

    def is_lead(self, frames: int) -> bool:
        """Take notice that so many more frames are matted; return whether they are only a lead."""
        self._passed += frames
        return self.task.span is not None and self._passed <= self.task.span.lead

    def stored_frames(self, size: int) -> Generator[StoredBatch, None, None]:
        """Yield the frames with their stored mattes, in chunks of `size` frames.

        Raises:
            DecodeError: as `FrameSource.chunks` and `MatteFile.chunks`.
            MediaError: the matte is of other frames, or the source was changed meanwhile.
        """
        if self.task.matte is None:
            raise ValueError(f"{self.name} has no stored matte")
        stored = MatteFile.open(self.task.matte)
        stored.require_of(self.source)
        with closing(self.chunks(size)) as chunks, closing(stored.chunks(size)) as mattes:
            for chunk in chunks:
                matte = next(mattes).matte.split(len(chunk.pts))[0]  # of a trial, not all
                yield StoredBatch(StoredFrames(chunk.pictures, matte), chunk.pts)

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of the content that was matted; reads it unless it is known.

        Raises:
            MediaError: the source was changed meanwhile.
        """
        if self._fingerprint is None:
            if self.clock is not None:  # hashing a whole film for a few frames would take minutes
                return Fingerprint(0, "")
            self._fingerprint = self.task.item.fingerprint()
            self._require_unchanged()
        return self._fingerprint

    def attempt(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do a part of its work, unless it has failed. An error fails this segment alone.

        Raises:
            MachineError: the machine refused, which concerns all segments; it names this one.
        """
        if self.error is not None:
            return
        try:
            work(*args, **kwargs)
        except StoppedError:
            raise
        except MachineError as error:
            error.segment = self.name
            raise
        except Exception as error:  # noqa: BLE001 - raised where its outcome is asked for
            self.error = error

    def proven_files(self) -> tuple[ProvenFile, ...]:
        """Return its finished files: the state first, for the results to be true with it."""
        temporary = self.writer.temporary
        outputs = (
            ProvenFile(kind, temporary[kind], target.path)
            for kind, target in self.task.targets.items()
        )
        return *self.side_files.proven, *outputs

    def release(self) -> None:
        """Leave its finished files to whoever asks for its outcome."""
        self.writer.release()
        self.side_files.release()

    def close(self) -> None:
        """Close its files, and remove those that are unfinished."""
        self.side_files.close()
        if self._writer is None:
            return
        try:
            self._writer.close()
        except MattingError as error:
            self.error = self.error or error  # the first says more

    def _require_unchanged(self) -> None:
        """Refuse frames of a source that may have other content by now.

        Raises:
            MediaError: it was changed since it was opened.
        """
        item = self.task.item
        if FileStamp.of(item.path) == self._stamp:
            return
        # What was hashed at the start and has only been touched since is still the same.
        if item.planned is None or item.fingerprint() != self._fingerprint:
            raise MediaError(f"{item.path} was changed while it was being matted.", retry=True)
