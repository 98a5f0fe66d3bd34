"""The worker: one network, matting the segments that it is given, one after another.

Four stages are at work at once, each on the frames or the segment that the one before it is
through with: the reader, the network, the writer and the finisher. So none of them waits while
another begins or ends a segment. What of the network needs no frame but one is done by the
reader and the writer, so that three threads share what is most of the work.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from enum import Enum, auto

from matting.errors import InputError
from matting.imaging.planes import TimedBatch
from matting.inference.base import FrameFeatures, RecurrentOutput
from matting.inference.session import MattingSession
from matting.inference.state import save_state
from matting.inference.weights import load_checkpoint
from matting.media.cuda import Nvdec
from matting.options import MattingOptions
from matting.progress import Progress
from matting.system.device import choose_device, share_cores, use_device
from matting.system.fingerprint import Fingerprint
from matting.system.memory import gpu_bytes, keep_freed_memory
from matting.workers.executor import Outcome, SegmentTask, TrialOutcome, WorkerSetup
from matting.workers.matting_stage import MattingStage
from matting.workers.pipeline import Channel, Stages, StoppedError
from matting.workers.segment_job import SegmentJob


class Mark(Enum):
    """What goes along between a segment's frames."""

    BEGIN = auto()
    END = auto()
    CHECKED = auto()  # a frame of its results
    DONE = auto()  # well or not


class Worker:
    """Mattes segments, and carries the network's state from each to the next.

    Use it in a `with` block: no thread, open file or temporary file of it is left after that.
    """

    def __init__(
        self,
        setup: WorkerSetup,
        stage_of: Callable[[MattingSession, MattingOptions], MattingStage] = MattingStage,
        nvdec: Nvdec | None = None,
    ) -> None:
        """Load the network.

        Args:
            stage_of: makes what takes segments through the network.
            nvdec: the decoder of a GPU; None: that of the device, if it has one.
        Raises:
            InputError, MissingError, MachineError: the checkpoint or the device cannot be used.
        """
        self._setup = setup
        self._device = device = choose_device(setup.device)
        use_device(device)
        share_cores(device, setup.options.compute.threads)
        keep_freed_memory()
        checkpoint = load_checkpoint(setup.checkpoint)
        if checkpoint.sha256 != setup.checkpoint_sha256:
            raise InputError(
                f"{setup.checkpoint} was replaced while its network was at work.",
                retry=True,
            )
        session = MattingSession(
            checkpoint.network,
            device,
            setup.options.matte.precision,
            setup.options.compute.largest_chunk,
        )
        self._network = stage_of(session, setup.options)
        self._nvdec = Nvdec(device) if nvdec is None and device.type == "cuda" else nvdec
        self._jobs: list[SegmentJob] = []
        self._stages = Stages()
        self._submitted: Channel[SegmentJob] = Channel(self._stages)
        # To this thread: from the reader, and from the finisher.
        self._arrived: Channel[tuple[SegmentJob, TimedBatch[FrameFeatures] | Mark]] = Channel(
            self._stages
        )
        self._recurrent: Channel[tuple[SegmentJob, TimedBatch[RecurrentOutput] | Mark]] = Channel(
            self._stages
        )
        self._written: Channel[SegmentJob] = Channel(self._stages)
        self._stages.start("reader", self._read)
        self._stages.start("writer", self._write)
        self._stages.start("finisher", self._finish)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, task: SegmentTask) -> None:
        """Hands over the next segment; any thread may. Work on it begins at once."""
        job = SegmentJob(task)
        self._jobs.append(job)
        with suppress(StoppedError):  # `outcome` tells why
            self._submitted.put(job)

    def outcome(self, progress: Progress) -> Outcome:
        """What came of the earliest segment submitted; the network works while this waits for it.

        Raises:
            MachineError: the machine refused, and so the whole worker is of no use any more.
            MattingError: that segment could not be matted; nothing of it is left behind.
            StoppedError: somebody called `stop`.
        """
        job = None
        with suppress(StoppedError):
            job = self._next_done(progress)
        if job is None:
            raise self._stages.error or StoppedError
        self._jobs.remove(job)
        if job.outcome is None:
            raise job.error or AssertionError("it ends well or not")
        return job.outcome

    def stop(self) -> None:
        """Has all work end soon; any thread may call it."""
        self._stages.stop()

    def close(self) -> None:
        """Ends all work, and removes what is not finished."""
        self._stages.close()
        for job in self._jobs:
            job.close()

    def _read(self) -> None:
        """The reader: opens each segment, decodes it and extracts the features of its frames."""
        use_device(self._device)
        while True:
            job = self._submitted.get()
            job.attempt(self._read_one, job)
            self._arrived.put((job, Mark.END))

    def _read_one(self, job: SegmentJob) -> None:
        job.open(self._setup.options.output.frame_rate)
        if self._nvdec is not None:
            job.decode_by(self._nvdec, self._setup.options.compute.decoder)
        self._arrived.put((job, Mark.BEGIN))
        # They end, well or not, before that is told: the next segment goes on from what they leave.
        with closing(job.chunks(self._network.chunk_frames(job))) as chunks:
            for chunk in chunks:
                if job.error is not None:
                    return
                self._arrived.put((job, self._network.extract_features(job, chunk)))
                if job.clock is not None:
                    job.clock.note_read(len(chunk.pts))

    def _next_done(self, progress: Progress) -> SegmentJob:
        while True:
            job, item = self._arrived.get()
            if item is Mark.DONE:
                return job
            if item is Mark.CHECKED:
                progress.alive()
            else:
                self._compute(job, item, progress)

    def _compute(
        self, job: SegmentJob, item: TimedBatch[FrameFeatures] | Mark, progress: Progress
    ) -> None:
        """The network's decoder, in the thread that asks for outcomes."""
        if isinstance(item, TimedBatch):
            job.attempt(self._run_recurrent, job, item, progress)
            return
        if item is Mark.BEGIN:
            job.attempt(self._network.begin, job, progress)
        else:
            job.attempt(self._network.end, job, progress)
        self._recurrent.put((job, item))

    def _run_recurrent(
        self, job: SegmentJob, features: TimedBatch[FrameFeatures], progress: Progress
    ) -> None:
        self._recurrent.put((job, self._network.run_recurrent(features, progress)))

    def _write(self) -> None:
        """The writer: makes mattes and full-size pictures of frames, and encodes them."""
        use_device(self._device)
        while True:
            job, item = self._recurrent.get()
            if item is Mark.END:
                self._written.put(job)
            else:
                job.attempt(self._write_one, job, item)

    def _write_one(self, job: SegmentJob, item: TimedBatch[RecurrentOutput] | Mark) -> None:
        if job.results is None:
            raise ValueError(f"{job.name} has not begun")
        if isinstance(item, TimedBatch):
            job.results.write(self._network.fit_guided_filter(item))
            if job.clock is not None:
                job.clock.note_written(len(item.pts))
        else:
            job.results.open()

    def _finish(self) -> None:
        """The finisher: makes a segment's files whole, checks them and gives them their names."""
        use_device(self._device)
        while True:
            job = self._written.get()
            job.attempt(self._finish_one, job)
            job.close()
            self._arrived.put((job, Mark.DONE))

    def _finish_one(self, job: SegmentJob) -> None:
        def alive() -> None:
            if job.clock is not None:
                job.clock.note_flushed()
            # Where there is no room, other news wait, which tell as much.
            self._arrived.offer((job, Mark.CHECKED))

        task = job.task
        if job.results is not None:
            job.results.finish(alive)
        if task.end_state is not None:
            save_state(task.end_state, job.end_state)
        outcome = Outcome(
            source=job.fingerprint,
            start_state=job.start_state,
            frames=job.source.frames,
            outputs={
                kind: (target.path.name, Fingerprint.of(target.path, alive))
                for kind, target in task.targets.items()
            },
            end_state=Fingerprint.of(task.end_state) if task.end_state is not None else None,
        )
        if job.clock is not None:
            card = gpu_bytes(self._device)
            outcome = TrialOutcome(**vars(outcome), clock=job.clock, gpu_bytes=card)
        job.outcome = outcome
