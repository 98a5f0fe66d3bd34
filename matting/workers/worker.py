"""The worker: one network, matting one submitted segment after another.

Four threads form a pipeline, each working on the frames or the segment that the one before has
passed on, so that none of them waits while another begins or ends a segment:

reader      opens and decodes a segment, and extracts the features of its frames
recurrent   runs the recurrent part, which alone needs the frames in order
writer      fits the guided filter, renders full-size pictures, and encodes them
finisher    closes, checks and hashes the files of a segment

The recurrent part runs in the thread that asks for outcomes. The first three share most of the
network's work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing, suppress
from enum import Enum, auto
from functools import partial

import torch

from matting.errors import InputError
from matting.imaging.frame_parts import FrameParts
from matting.imaging.large_frames import is_large
from matting.imaging.planes import TimedBatch
from matting.inference.base import RecurrentOutput
from matting.inference.precision_record import PrecisionChoice
from matting.inference.run_up import FeatureBatch
from matting.inference.session import MattingSession
from matting.inference.weights import load_checkpoint
from matting.media.cuda import Nvdec
from matting.network_choice import SmallPeople
from matting.options import MattingOptions
from matting.progress import Progress
from matting.system import accelerators, atomic_files
from matting.system.accelerators import frames_device
from matting.system.closing import Closing
from matting.system.device import choose_device, share_cores
from matting.system.memory import keep_freed_memory
from matting.workers.executor import Outcome, SegmentTask, WorkerSetup
from matting.workers.finished_segment import finish
from matting.workers.matting_stage import MattingStage
from matting.workers.pipeline import Channel, Stages, StoppedError
from matting.workers.render_stage import RenderStage
from matting.workers.segment_job import SegmentJob, StoredBatch

# What the reader makes of a few frames.
ReadFrames = FeatureBatch | StoredBatch
OutputBatch = TimedBatch[FrameParts[RecurrentOutput]]


class Mark(Enum):
    """What passes along the pipeline between a segment's frames."""

    BEGIN = auto()
    END = auto()
    CHECKED = auto()  # one frame of its outputs, or one that is only decoded
    DONE = auto()  # whether it succeeded or not


class Worker(Closing):
    """Mattes segments, and carries the network's state from each to the next.

    Use it in a `with` block: no thread, open file or temporary file of it is left after that.
    """

    def __init__(
        self,
        setup: WorkerSetup,
        stage_of: Callable[[MattingSession, MattingOptions], MattingStage] = MattingStage,
        nvdec: Nvdec | None = None,
    ) -> None:
        """Load the network, if it is needed.

        Args:
            stage_of: makes what takes segments through the network.
            nvdec: the decoder of a GPU; None: that of the device, if it has one.
        Raises:
            InputError, MissingError, MachineError: the checkpoint or the device cannot be used.
        """
        self._setup = setup
        self._device = device = choose_device(setup.device)
        accelerators.use(device)
        share_cores(device, setup.options.compute.threads)
        keep_freed_memory()
        self._session = _session(setup, device) if setup.needs_network else None
        self._network = None if self._session is None else stage_of(self._session, setup.options)
        frames = frames_device(device)
        self._stage: RenderStage = self._network or RenderStage(frames, setup.options)
        self._nvdec = Nvdec(device) if nvdec is None and frames.type == "cuda" else nvdec
        self._jobs: list[SegmentJob] = []
        self._threads = Stages()
        self._submitted: Channel[SegmentJob] = Channel(self._threads)
        # From the reader and the finisher to the thread that asks for outcomes.
        self._features: Channel[tuple[SegmentJob, ReadFrames | Mark]] = Channel(self._threads)
        self._recurrent: Channel[tuple[SegmentJob, OutputBatch | StoredBatch | Mark]] = Channel(
            self._threads
        )
        self._written: Channel[SegmentJob] = Channel(self._threads)
        self._threads.start("reader", self._read)
        self._threads.start("writer", self._write)
        self._threads.start("finisher", self._finish)

    @property
    def choice(self) -> PrecisionChoice | None:
        """What the network computes in; None without it."""
        return None if self._session is None else self._session.choice

    def submit(self, task: SegmentTask) -> None:
        """Queue a segment, from any thread. Work on it begins at once."""
        job = SegmentJob(task)
        self._jobs.append(job)
        with suppress(StoppedError):  # `outcome` tells why
            self._submitted.put(job)

    def outcome(self, progress: Progress) -> Outcome:
        """Run the recurrent part until the segment submitted first is done; return its outcome.

        Raises:
            MachineError: the machine refused; the whole worker is of no use any more.
            MattingError: that segment could not be matted; nothing of it is left behind.
            StoppedError: somebody called `stop`.
        """
        job = None
        with suppress(StoppedError):
            job = self._run_until_done(progress)
        if job is None:
            raise self._threads.error or StoppedError
        self._jobs.remove(job)
        if job.outcome is None:
            raise job.error or AssertionError("a job is done or has an error")
        return job.outcome

    def stop(self) -> None:
        """Stop all work soon; any thread may call it."""
        self._threads.stop()

    def close(self) -> None:
        """End all work, and remove what is unfinished."""
        self._threads.close()
        for job in self._jobs:
            job.close()
            for file in job.outcome.files if job.outcome else ():  # nobody asked for it
                atomic_files.discard(file.temporary)

    def _read(self) -> None:
        """Read submitted segments; the reader's thread runs this."""
        accelerators.use(self._device)
        while True:
            job = self._submitted.get()
            job.attempt(self._read_segment, job)
            self._features.put((job, Mark.END))

    def _read_segment(self, job: SegmentJob) -> None:
        job.open(self._setup.options.output.frame_rate)
        if self._nvdec is not None and job.task.span is None:  # it cannot begin in the middle
            job.decode_by(self._nvdec, self._setup.options.compute.decoder)
        self._features.put((job, Mark.BEGIN))
        # The chunks end, with their error if any, before END is passed on: the next segment
        # continues from the state that is left then.
        with closing(self._frames(job)) as frames:
            for batch in frames:
                if job.error is not None:
                    return
                self._features.put((job, batch))
                if job.clock is not None:
                    job.clock.note_read(len(batch.pts))

    def _frames(self, job: SegmentJob) -> Generator[ReadFrames, None, None]:
        """Yield a segment's frames, with their features or with their stored mattes."""
        size = self._stage.chunk_frames(job)
        if job.task.matte is not None:
            yield from job.stored_frames(size)
            return
        matting = self._matting
        on_skip = partial(self._features.offer, (job, Mark.CHECKED))
        with closing(job.chunks_of_shots(size, on_skip)) as chunks:
            for chunk, starts_shot in chunks:
                yield matting.extract_features(job, chunk, starts_shot=starts_shot)
        rate = self._setup.options.output.frame_rate
        with closing(job.chunks_ahead(size, rate)) as chunks_ahead:
            for chunk in chunks_ahead:
                yield matting.extract_features(job, chunk, ahead=True)

    @property
    def _matting(self) -> MattingStage:
        """The stage with the network.

        Raises:
            ValueError: the setup says that none is needed.
        """
        if self._network is None:
            raise ValueError("the network was not loaded")
        return self._network

    def _run_until_done(self, progress: Progress) -> SegmentJob:
        """Run the recurrent part on what arrives, until a segment is done."""
        while True:
            job, item = self._features.get()
            if item is Mark.DONE:
                return job
            if item is Mark.CHECKED:
                progress.alive()
            elif item is Mark.BEGIN:
                job.attempt(self._stage.begin, job, progress)
                self._recurrent.put((job, item))
            elif item is Mark.END:
                job.attempt(self._end, job, progress)
                self._recurrent.put((job, item))
            elif isinstance(item, StoredBatch):
                progress.advance(len(item.pts))
                self._recurrent.put((job, item))
            else:
                job.attempt(self._run_recurrent, job, item, progress)

    def _run_recurrent(self, job: SegmentJob, features: FeatureBatch, progress: Progress) -> None:
        for output in self._matting.run_recurrent(features, progress):
            self._pass_on(job, output)

    def _end(self, job: SegmentJob, progress: Progress) -> None:
        """Run what waits for frames that will not come, and end the segment."""
        if job.task.matte is None:
            for output in self._matting.run_waiting(progress):
                self._pass_on(job, output)
        self._stage.end(job, progress)

    def _pass_on(self, job: SegmentJob, output: OutputBatch) -> None:
        for frames in output.parts:
            counted = set().union(*(part.frames_with_crops for part in frames.contents))
            job.frames_with_small_people += len(counted)
        self._recurrent.put((job, output))

    def _write(self) -> None:
        """Write what the recurrent part returns; the writer's thread runs this."""
        accelerators.use(self._device)
        while True:
            job, item = self._recurrent.get()
            if item is Mark.END:
                self._written.put(job)
            else:
                job.attempt(self._write_item, job, item)

    def _write_item(self, job: SegmentJob, item: OutputBatch | StoredBatch | Mark) -> None:
        if isinstance(item, Mark):
            if is_large(job.source.size_px):  # else encoders of two segments overlap
                self._written.join()
            job.writer.open()
            return
        if not job.task.targets or job.is_lead(len(item.pts)):
            return  # only the state after it is wanted
        if isinstance(item, StoredBatch):
            job.writer.write_stored(item.frames, item.pts)
        else:
            job.writer.write(self._matting.fit_guided_filter(item))
        if job.clock is not None:
            job.clock.note_written(len(item.pts))

    def _finish(self) -> None:
        """Finish written segments; the finisher's thread runs this."""
        accelerators.use(self._device)
        while True:
            job = self._written.get()
            job.attempt(self._finish_segment, job)
            job.close()
            self._written.task_done()
            self._features.put((job, Mark.DONE))

    def _finish_segment(self, job: SegmentJob) -> None:
        def alive() -> None:
            if job.clock is not None:
                job.clock.note_flushed()
            # Where there is no room, other items wait, which show as much.
            self._features.offer((job, Mark.CHECKED))

        finish(job, self._device, alive)


def _session(setup: WorkerSetup, device: torch.device) -> MattingSession:
    """Return a session of the network, loaded.

    Raises:
        InputError, MissingError, MachineError: the checkpoint or the device cannot be used.
    """
    if setup.checkpoint is None:
        raise ValueError("there are no weights to load")
    checkpoint = load_checkpoint(setup.checkpoint)
    if checkpoint.sha256 != setup.checkpoint_sha256:
        raise InputError(f"{setup.checkpoint} was replaced during the run.", retry=True)
    return MattingSession(
        checkpoint.network,
        device,
        setup.options.matte.precision,
        setup.options.compute.largest_chunk,
        quality=setup.options.matte.quality,
        small_people=setup.options.matte.small_people is SmallPeople.AUTO,
        weights=checkpoint.sha256,
    )
