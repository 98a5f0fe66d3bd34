"""The worker: one network, matting the segments that it is given, one after another.

Four stages are at work at once, each on the frames or the segment that the one before it is
through with: the reader, the network, the writer and the finisher. So none of them waits while
another begins or ends a segment. What of the network needs no frame but one is done by the
reader and the writer, so that three threads share what is most of the work.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from matting.errors import InputError
from matting.imaging.planes import Timed
from matting.inference.session import MattingSession
from matting.inference.state import save_state
from matting.inference.steps import Decoded, Seen
from matting.inference.weights import load_checkpoint
from matting.media.cuda import Nvdec
from matting.options import MattingOptions
from matting.progress import Progress
from matting.system.device import choose_device, share_cores, use_device
from matting.system.files import FileProof, proof_of
from matting.system.memory import card_bytes, keep_freed_memory
from matting.workers.matting_stage import NetworkStage
from matting.workers.pipeline import Channel, Stages, StoppedError
from matting.workers.segment_job import Outcome, Passage, SampleOutcome, Task


@dataclass(frozen=True)
class WorkerSetup:
    """What all segments of one run have in common.

    Attributes:
        options: as asked for, with the encoder decided.
        checkpoint, checkpoint_sha256: the weights' file, and what it held when the run began.
        device: the device decided on, by a name that `choose_device` takes.
    """

    options: MattingOptions
    checkpoint: Path
    checkpoint_sha256: str
    device: str


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

    def __init__(self, setup: WorkerSetup) -> None:
        """Loads the network.

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
                "Run the same command again.",
            )
        session = MattingSession(
            checkpoint.network,
            device,
            setup.options.matte.precision,
            setup.options.compute.largest_chunk,
        )
        self._network = NetworkStage(session, setup.options)
        self._nvdec = Nvdec(device) if device.type == "cuda" else None
        self._passages: list[Passage] = []
        self._stages = Stages()
        self._submitted: Channel[Passage] = Channel(self._stages)
        # To this thread: from the reader, and from the finisher.
        self._arrived: Channel[tuple[Passage, Timed[Seen] | Mark]] = Channel(self._stages)
        self._decoded: Channel[tuple[Passage, Timed[Decoded] | Mark]] = Channel(self._stages)
        self._written: Channel[Passage] = Channel(self._stages)
        self._stages.start("reader", self._read)
        self._stages.start("writer", self._write)
        self._stages.start("finisher", self._finish)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, task: Task) -> None:
        """Hands over the next segment; any thread may. Work on it begins at once."""
        passage = Passage(task)
        self._passages.append(passage)
        with suppress(StoppedError):  # `outcome` tells why
            self._submitted.put(passage)

    def outcome(self, progress: Progress) -> Outcome:
        """What came of the earliest segment submitted; the network works while this waits for it.

        Raises:
            MachineError: the machine refused, and so the whole worker is of no use any more.
            MattingError: that segment could not be matted; nothing of it is left behind.
            StoppedError: somebody called `stop`.
        """
        passage = None
        with suppress(StoppedError):
            passage = self._next_done(progress)
        if passage is None:
            raise self._stages.error or StoppedError
        self._passages.remove(passage)
        if passage.outcome is None:
            raise passage.error or AssertionError("it ends well or not")
        return passage.outcome

    def stop(self) -> None:
        """Has all work end soon; any thread may call it."""
        self._stages.stop()

    def close(self) -> None:
        """Ends all work, and removes what is not finished."""
        self._stages.close()
        for passage in self._passages:
            passage.close()

    def _read(self) -> None:
        """The reader: opens each segment, decodes it and has the network see its frames."""
        use_device(self._device)
        while True:
            passage = self._submitted.get()
            passage.attempt(self._read_one, passage)
            self._arrived.put((passage, Mark.END))

    def _read_one(self, passage: Passage) -> None:
        passage.open(self._setup.options.output.frame_rate)
        if self._nvdec is not None:
            passage.decode_by(self._nvdec, self._setup.options.compute.decoder)
        self._arrived.put((passage, Mark.BEGIN))
        # They end, well or not, before that is told: the next segment goes on from what they leave.
        with closing(passage.chunks(self._network.chunk_frames(passage))) as chunks:
            for chunk in chunks:
                if passage.error is not None:
                    return
                self._arrived.put((passage, self._network.see(passage, chunk)))
                if passage.clock is not None:
                    passage.clock.note_read(len(chunk.pts))

    def _next_done(self, progress: Progress) -> Passage:
        while True:
            passage, item = self._arrived.get()
            if item is Mark.DONE:
                return passage
            if item is Mark.CHECKED:
                progress.alive()
            else:
                self._compute(passage, item, progress)

    def _compute(self, passage: Passage, item: Timed[Seen] | Mark, progress: Progress) -> None:
        """The network's decoder, in the thread that asks for outcomes."""
        if isinstance(item, Timed):
            passage.attempt(self._decode, passage, item, progress)
            return
        if item is Mark.BEGIN:
            passage.attempt(self._network.begin, passage, progress)
        else:
            passage.attempt(self._network.end, passage, progress)
        self._decoded.put((passage, item))

    def _decode(self, passage: Passage, seen: Timed[Seen], progress: Progress) -> None:
        self._decoded.put((passage, self._network.decode(seen, progress)))

    def _write(self) -> None:
        """The writer: makes mattes and full-size pictures of frames, and encodes them."""
        use_device(self._device)
        while True:
            passage, item = self._decoded.get()
            if item is Mark.END:
                self._written.put(passage)
            else:
                passage.attempt(self._write_one, passage, item)

    def _write_one(self, passage: Passage, item: Timed[Decoded] | Mark) -> None:
        if passage.results is None:
            raise ValueError(f"{passage.name} has not begun")
        if isinstance(item, Timed):
            passage.results.write(self._network.fit(item))
            if passage.clock is not None:
                passage.clock.note_written(len(item.pts))
        else:
            passage.results.open()

    def _finish(self) -> None:
        """The finisher: makes a segment's files whole, checks them and gives them their names."""
        use_device(self._device)
        while True:
            passage = self._written.get()
            passage.attempt(self._finish_one, passage)
            passage.close()
            self._arrived.put((passage, Mark.DONE))

    def _finish_one(self, passage: Passage) -> None:
        def alive() -> None:
            if passage.clock is not None:
                passage.clock.note_flushed()
            # Where there is no room, other news wait, which tell as much.
            self._arrived.offer((passage, Mark.CHECKED))

        task = passage.task
        if passage.results is not None:
            passage.results.finish(alive)
        if task.end_state is not None:
            save_state(task.end_state, passage.end_state)
        outcome = Outcome(
            source=passage.proof,
            start_state=passage.start_state,
            frames=passage.source.frames,
            outputs={
                kind: (target.path.name, proof_of(target.path, alive))
                for kind, target in task.targets.items()
            },
            end_state=FileProof.of(task.end_state) if task.end_state is not None else None,
        )
        if passage.clock is not None:
            card = card_bytes(self._device)
            outcome = SampleOutcome(**vars(outcome), clock=passage.clock, card_bytes=card)
        passage.outcome = outcome
