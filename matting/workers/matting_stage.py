"""The network on segments: frames to mattes, the state carried on from each to the next."""

from __future__ import annotations

from collections import deque

from matting.delivery.outputs import output_formats
from matting.delivery.segment_writer import SegmentWriter
from matting.errors import MattingError
from matting.imaging.compositor import Matte
from matting.imaging.planes import TimedBatch
from matting.imaging.renderer import Renderer
from matting.imaging.sample_format import Size
from matting.inference.base import FrameFeatures, RecurrentOutput
from matting.inference.session import MattingSession, automatic_ratio
from matting.inference.state import load_state, warm_up
from matting.media.encoders import encoder_spec
from matting.media.source import FrameChunk, FrameSource
from matting.options import MattingOptions, OutputKind, RendererBackend
from matting.progress import Progress
from matting.project.ledger import InitialState
from matting.workers.segment_job import SegmentJob

# By python -m benchmarks.warm_up: what the network saw fades so slowly that no length up to this
# gives the lost state back, but each doubling lessens the error; this one costs 4 s of video.
WARM_UP_FRAMES = 120
HDR_LOST = (
    "The graphics card's encoder (NVENC) leaves out what the video says of its HDR picture: the "
    "mastering display and the light levels."
)
FULL_SIZE_WORDS = {RendererBackend.FUSED: "in one pass", RendererBackend.PLAIN: "in bands"}


class MattingStage:
    """Take segments one after another: `begin`, `run_recurrent` for each chunk, then `end`.

    Other threads take each chunk through the steps before and after `run_recurrent`.
    """

    def __init__(self, session: MattingSession, options: MattingOptions) -> None:
        """
        Raises:
            MissingError: the renderer that is asked for is not there.
        """
        self._session = session
        self._matte_options = options.matte
        self._output = options.output
        self._said: set[str] = set()
        self._unsaid: deque[str] = deque()  # by another thread
        self._full_size = Renderer(options.compute.renderer, session.device, self._unsaid.append)
        # The segment after which the session's state stands; None after a failure or a reset.
        self._state_after: str | None = None

    def chunk_frames(self, job: SegmentJob) -> int:
        """How many frames of the segment to take at once."""
        source = job.source
        size = Size(source.width_px, source.height_px)
        return self._session.chunk_frames(source.sample_format, size, self._ratio(source))

    def extract_features(self, job: SegmentJob, chunk: FrameChunk) -> TimedBatch[FrameFeatures]:
        """The first step: what needs no frame before.

        Raises:
            InputError, MachineError: as `MattingSession.extract_features`.
        """
        features = self._session.extract_features(chunk.pictures, self._ratio(job.source))
        return TimedBatch(features, chunk.pts)

    def begin(self, job: SegmentJob, progress: Progress) -> None:
        """Says which segment it is, and brings the session to the state at its start.

        Raises:
            MachineError, MissingError: the machine or this build of FFmpeg refuses.
        """
        task, source, name = job.task, job.source, job.name
        state_after, self._state_after = self._state_after, None
        progress.begin_segment(name)
        changed = task.item.planned is not None and not task.item.is_as_cut(job.fingerprint)
        if changed and job.clock is None:
            progress.say(f"{name} is not what was cut any more; it is matted as it is now.")
        in_hand = task.before is not None and task.before.name == state_after
        job.start_state = self._prepare(job, in_hand, progress)
        samples = output_formats(source, self._output.encoding, task.targets)
        job.results = SegmentWriter(source, self._output, task.targets, samples, self._full_size)
        of_samples = [samples[OutputKind.COMPOSITE].note] if OutputKind.COMPOSITE in samples else []
        of_hdr = [HDR_LOST] if source.hdr and self._output.encoding.by_hardware else []
        notes = [job.note, *source.notes, *of_samples, *of_hdr]
        self._tell(notes, progress)
        progress.detail(self._choices(job))
        progress.detail(f"{name}: ratio {self._ratio(source):.4f}, state {job.start_state}")

    def run_recurrent(
        self, features: TimedBatch[FrameFeatures], progress: Progress
    ) -> TimedBatch[RecurrentOutput]:
        """The second step, on the segment's next frames.

        Raises:
            MachineError: as `MattingSession.run_recurrent`.
        """
        output = self._session.run_recurrent(features.parts)
        progress.advance(len(features.pts))
        return TimedBatch(output, features.pts)

    def fit_guided_filter(self, output: TimedBatch[RecurrentOutput]) -> TimedBatch[Matte]:
        """The third step, which leaves the network free for the next frames.

        Raises:
            MachineError: as `MattingSession.fit_guided_filter`.
        """
        return TimedBatch(self._session.fit_guided_filter(output.parts), output.pts)

    def end(self, job: SegmentJob, progress: Progress) -> None:
        """All its frames are through: the next segment may go on from here."""
        # After a sample, the next segment must not go on from here.
        self._state_after = job.name if job.clock is None else None
        if job.task.end_state is not None:
            job.end_state = self._session.state
        while self._unsaid:
            progress.say(self._unsaid.popleft())

    def _choices(self, job: SegmentJob) -> str:
        """What does the work, in a line."""
        frames = self.chunk_frames(job)
        targets = job.task.targets.values()
        videos = any(not target.pictures for target in targets)
        parts = [
            f"decoding {'by NVDEC' if job.by_card else 'in software'}",
            f"the network in {self._session.precision}, {frames} frame{'s' * (frames > 1)} at once",
            f"full-size pictures {FULL_SIZE_WORDS[self._full_size.backend]}",
            f"encoding by {encoder_spec(self._output.encoding).encoder if videos else 'PNG'}",
        ]
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}."

    def _ratio(self, source: FrameSource) -> float:
        options = self._matte_options
        return options.ratio or automatic_ratio(
            Size(source.width_px, source.height_px), options.subject
        )

    def _tell(self, notes: list[str], progress: Progress) -> None:
        """Says what happens to the samples, where that is not what everybody expects; once."""
        for note in notes:
            if note and note not in self._said:
                self._said.add(note)
                progress.say(note)

    def _prepare(self, job: SegmentJob, in_hand: bool, progress: Progress) -> InitialState:
        """Brings the session to the state at the segment's start; says where it came from."""
        task, source, session = job.task, job.source, self._session
        size, ratio = Size(source.width_px, source.height_px), self._ratio(source)
        if task.before is None:
            session.reset()
            return InitialState.FRESH
        if not in_hand:
            session.reset()
            if task.start_state is not None:
                load_state(task.start_state, session)
        if session.has_state_for(size, ratio):
            return InitialState.CARRIED
        if session.state is None:
            try:
                before = task.before.open(self._output.frame_rate)
                warm_up(before, session, ratio, WARM_UP_FRAMES, progress)
            except MattingError as error:
                progress.say(
                    f"{task.item.name} begins without what was seen before it: {error.what}"
                )
                session.reset()
                return InitialState.FRESH
            if session.has_state_for(size, ratio):
                return InitialState.WARMED_UP
        session.reset()
        return InitialState.RESET
