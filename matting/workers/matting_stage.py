"""The network over segments: frames to mattes, the state carried from one to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from matting.delivery.segment_writer import SegmentWriter
from matting.errors import MattingError
from matting.imaging.compositor import Matte
from matting.imaging.frame_parts import FrameParts, PicturePart, eye_parts
from matting.imaging.planes import TimedBatch
from matting.imaging.sample_format import Size
from matting.inference.base import RecurrentOutput
from matting.inference.run_up import FeatureBatch, RunUp
from matting.inference.session import MattingSession, automatic_ratio
from matting.inference.state import load_state, warm_up
from matting.media.source import FrameChunk, FrameSource
from matting.network_choice import Foreground, Shots
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.entry import InitialState
from matting.project.inputs import Input
from matting.system.device import computer_and_device
from matting.view import StereoLayout, View
from matting.workers.render_stage import CreateWriter, RenderStage
from matting.workers.segment_job import SegmentJob
from matting.workers.shot import frames_ahead
from matting.workers.shot_frames import read_ahead

# By python -m benchmarks.warm_up: what the network saw fades so slowly that no length up to this
# restores a lost state, but each doubling lessens the error; this one costs 4 s of video.
WARM_UP_FRAMES = 120


class MattingStage(RenderStage):
    """Takes segments one after another.

    For each: `begin`, `run_recurrent` for each chunk, `run_waiting`, then `end`.

    `extract_features` and `fit_guided_filter` may run in other threads.
    """

    def __init__(
        self,
        session: MattingSession,
        options: MattingOptions,
        create_writer: CreateWriter = SegmentWriter,
    ) -> None:
        """
        Args:
            create_writer: creates the writer of a segment's files.
        Raises:
            MissingError: the renderer that is asked for is not there.
        """
        super().__init__(session.frames_device, options, create_writer)
        self._computer = computer_and_device(session.device)
        self._session = session
        self._run_up = RunUp(session)
        self._matte_options = options.matte
        # The segment at whose end the session's state is, and whether it is exact; None after a
        # failure or a trial.
        self._state_after: tuple[Input, bool] | None = None

    def chunk_frames(self, job: SegmentJob) -> int:
        """Return how many frames of the segment to process at once."""
        if job.task.matte is not None:
            return super().chunk_frames(job)
        source = job.source
        return self._session.chunk_frames(source.sample_format, source.size_px, self._ratio(job))

    def begin(self, job: SegmentJob, progress: Progress) -> None:
        """Announce a segment, bring the session to the state at its start, and make its writer.

        What is rendered from a stored matte leaves the session as it is.

        Raises:
            MachineError, MissingError: the machine or this build of FFmpeg refuses.
        """
        if job.task.matte is not None:
            super().begin(job, progress)
            return
        task, name = job.task, job.name
        state_after, self._state_after = self._state_after, None
        progress.begin_segment(name)
        changed = task.item.planned is not None and not job.is_as_cut
        if changed and job.clock is None:
            progress.say(f"{name} is not what was cut any more; it is matted as it is now.")
        continues = state_after is not None and state_after[0] == task.before
        job.start_state = self._restore_state(job, continues, progress)
        job.exact = job.exact or _is_exact(job, state_after if continues else None)
        self._run_up.begin(starts_shot=self._begins_as_shot(job))
        self._begin_writing(job, progress)
        what = name if task.targets else f"{name}, its state only"
        progress.detail(f"{what}: ratio {self._ratio(job):.4f}, state {job.start_state}")

    def extract_features(
        self, job: SegmentJob, chunk: FrameChunk, *, starts_shot: bool = False, ahead: bool = False
    ) -> FeatureBatch:
        """Take the first step, which needs no other frame.

        Args:
            starts_shot, ahead: as of `FeatureBatch`.
        Raises:
            InputError, MachineError: as `MattingSession.extract_features`.
        """
        features = self._session.extract_features(
            chunk.pictures, self._ratio(job), _parts(job.task.item, job.source)
        )
        return FeatureBatch(features, chunk.pts, starts_shot, ahead)

    def run_recurrent(
        self, features: FeatureBatch, progress: Progress
    ) -> Iterator[TimedBatch[FrameParts[RecurrentOutput]]]:
        """Take the second step, on the segment's next frames in order, and on those ahead.

        Yields what comes of them, and of those that had to wait for them.

        Raises:
            MachineError: as `MattingSession.run_recurrent`.
        """
        yield from _counted(self._run_up.feed(features), progress)

    def run_waiting(self, progress: Progress) -> Iterator[TimedBatch[FrameParts[RecurrentOutput]]]:
        """Take the second step on the frames that wait for others, though none will come.

        Raises:
            MachineError: as `MattingSession.run_recurrent`.
        """
        yield from _counted(self._run_up.end(), progress)

    def fit_guided_filter(
        self, output: TimedBatch[FrameParts[RecurrentOutput]]
    ) -> TimedBatch[FrameParts[Matte]]:
        """Take the third step, which needs no other frame.

        Raises:
            MachineError: as `MattingSession.fit_guided_filter`.
        """
        mattes = self._session.fit_guided_filter(output.parts)
        fused = self._matte_options.foreground is Foreground.FUSED
        made = [frames.made_into(lambda matte: replace(matte, fused=fused)) for frames in mattes]
        return TimedBatch(made, output.pts)

    def end(self, job: SegmentJob, progress: Progress) -> None:
        """Note that the session is at the segment's end, from where the next may continue."""
        super().end(job, progress)
        if job.task.matte is not None:
            return
        # A trial ends in the middle of a segment.
        self._state_after = (job.task.item, job.ends_exact) if job.clock is None else None
        progress.advance(job.skipped_frames)
        if not job.run_up_is_whole:
            ahead = " and ".join(item.name for item in job.task.ahead)
            progress.say(
                f"{job.name}: a shot starts at its end, and {ahead} could not be read: the first "
                "frames of that shot may differ a little."
            )
        if job.task.end_state is not None:
            job.end_state = self._session.state

    def _restore_state(self, job: SegmentJob, continues: bool, progress: Progress) -> InitialState:
        """Bring the session to the state at the segment's start; return where it came from.

        Args:
            continues: whether the session is at the end of the segment before.
        """
        task, source, session = job.task, job.source, self._session
        size, ratio, parts = source.size_px, self._ratio(job), _parts(task.item, source)
        if task.before is None:
            session.reset()
            return InitialState.FRESH
        if not continues:
            session.reset()
            if task.start_state is not None:
                self._load_state(job, task.start_state.path, task.before, progress)
        if session.has_state_for(size, ratio, parts):
            return InitialState.CARRIED
        if session.state is None:
            try:
                job.exact = self._warm_up(task.before, task.before_ahead, ratio, progress)
            except MattingError as error:
                progress.say(f"{job.name} begins without a state from before it: {error.what}")
                session.reset()
                return InitialState.FRESH
            if session.has_state_for(size, ratio, parts):
                return InitialState.WARMED_UP
        session.reset()
        return InitialState.RESET

    def _warm_up(
        self, before: Input, ahead: Sequence[Input], ratio: float, progress: Progress
    ) -> bool:
        """Run the network over the end of a segment, not beyond the start of its last shot.

        Args:
            ahead: the segments after it that hold frames of that shot's run-up.
        Returns:
            whether it began with that start, so that the state is what it would have been.
        Raises:
            InputError: frames cannot be read.
        """
        rate = self._output.frame_rate
        source = before.open(rate)
        parts = _parts(before, source)
        starts = before.shot_starts if self._runs_up else None
        of_shot = source.frames - starts[-1] if starts else None
        if of_shot is None or of_shot > WARM_UP_FRAMES:
            warm_up(source, self._session, ratio, WARM_UP_FRAMES, progress, parts=parts)
            return False
        chunk_frames = self._session.chunk_frames(source.sample_format, source.size_px, ratio)
        chunks = read_ahead(frames_ahead(before, ahead), source.size_px, rate, chunk_frames)
        with closing(chunks):
            warm_up(
                source,
                self._session,
                ratio,
                of_shot,
                progress,
                parts=parts,
                starts_shot=True,
                ahead=chunks,
            )
        return True

    def _load_state(self, job: SegmentJob, path: Path, before: Input, progress: Progress) -> None:
        """Bring the session to a saved state, if it is one of the segment before; else to none."""
        session, source = self._session, job.source
        reason = load_state(path, session)
        if session.state is not None and not session.has_state_for(
            source.size_px, self._ratio(job), _parts(job.task.item, source)
        ):
            # Pictures of another size begin anew; those of the same size must have left one.
            try:
                size_before = before.open(self._output.frame_rate).size_px
            except MattingError:
                size_before = source.size_px
            if size_before == source.size_px:
                session.reset()
                reason = "it is of pictures of another size"
        if reason:
            progress.say(f"{path} is damaged, and not used: {reason}.")

    @property
    def _runs_up(self) -> bool:
        return self._matte_options.shots is Shots.AUTO

    def _begins_as_shot(self, job: SegmentJob) -> bool:
        """Return whether it begins anew, for its pictures have another size than those before."""
        known = self._runs_up and job.task.item.shot_starts is not None
        return known and job.start_state is InitialState.RESET

    def _ratio(self, job: SegmentJob) -> float:
        options = self._matte_options
        if options.ratio is not None:
            return options.ratio
        eyes = View(job.task.item.eyes or StereoLayout.MONO)
        return automatic_ratio(Size(*eyes.eye_size(job.source.size_px)), options.subject)

    def _network(self, job: SegmentJob) -> str:
        if job.task.matte is not None:
            return super()._network(job)
        return f"the network in {self._session.choice.precision}"


def _parts(item: Input, source: FrameSource) -> tuple[PicturePart, ...]:
    """Return what is matted by itself of each frame: the eyes, or the picture as a whole."""
    return eye_parts(item.apart, source.size_px, source.sample_format)


def _counted(
    outputs: Iterator[TimedBatch[FrameParts[RecurrentOutput]]], progress: Progress
) -> Iterator[TimedBatch[FrameParts[RecurrentOutput]]]:
    for output in outputs:
        progress.advance(len(output.pts))
        yield output


def _is_exact(job: SegmentJob, held: tuple[Input, bool] | None) -> bool:
    """Return whether a segment begins with the state of one uncut pass over its shot.

    Args:
        held: the segment whose state it continued, and whether that was exact, if the session had
            it; else it came from a file.
    """
    if job.start_state is InitialState.CARRIED:
        saved = job.task.start_state
        return held[1] if held is not None else saved is not None and saved.exact
    # One whose pictures have another size than those before it begins as a shot does.
    return job.start_state is InitialState.RESET or job.task.before is None
