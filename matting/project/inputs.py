"""What is to be matted: the segments of a plan, a folder of videos, or image sequences."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from matting.errors import InputError, MattingError
from matting.project.loose_inputs import LooseInputs, find_loose_inputs
from matting.project.paths import UNFINISHED, MattedFolder, segment_name
from matting.project.plan import CUT_AGAIN, Plan, PlannedSegment, read_plan
from matting.project.result_names import InputName, result_stems
from matting.system.files import require_possible
from matting.system.fingerprint import Fingerprint
from matting.system.invocation import Command, give, sentence, start
from matting.view import StereoLayout, View

if TYPE_CHECKING:
    from matting.media.source import FrameSource
    from matting.media.video_source import VideoSource


@dataclass(frozen=True)
class Input:
    """One video or image sequence.

    Attributes:
        name: what `processed.json` calls it.
        stem: the name of its results, without a suffix.
        planned: its place in the plan; None without a plan.
        first_frame: the number of its first frame in the source; 0 without a plan.
        start_seconds: how long after the source's first frame that is presented.
        time_base, rate: the plan's; None without a plan.
        shot_starts: the numbers of its own frames at which a shot starts, rising; a video's first
            frame is one. None: not known, for a plan of an earlier version does not say.
        view: how its picture is meant to be seen; None: nobody has looked yet, or could.
        eyes: the layout of two eyes by the size of one of which the automatic ratio is; None: it
            is by the whole picture's, or that is the same.
        apart: the layout of two eyes that are matted each by itself; None: the picture is matted as
            one.
        deinterlaces: whether it may be interlaced, as what segment has cut never is.
    """

    name: str
    path: Path
    stem: str
    planned: PlannedSegment | None = None
    time_base: Fraction | None = None
    rate: Fraction | None = None
    first_frame: int = 0
    start_seconds: Fraction = Fraction(0)
    shot_starts: tuple[int, ...] | None = (0,)
    view: View | None = None
    eyes: StereoLayout | None = None
    apart: StereoLayout | None = None
    deinterlaces: bool = False

    @property
    def frames(self) -> int | None:
        """How many frames it was cut with; None without a plan."""
        return self.planned.frames if self.planned else None

    @property
    def is_sequence(self) -> bool:
        return self.planned is None and self.path.is_dir()

    def frame_times(self, source: FrameSource, rate: Fraction | None) -> Iterator[Fraction]:
        """Yield when each frame is presented, in seconds after the source's first one.

        By the plan's own times: how it was cut makes no difference.

        Args:
            source: the input, opened.
            rate: as for `open`; without one, pictures follow each other at USUAL_RATE.
        """
        from matting.media.video_info import USUAL_RATE
        from matting.media.video_source import VideoSource

        if self.planned is not None and self.time_base is not None:
            times, tick = self.planned.times(), self.time_base
        elif isinstance(source, VideoSource):
            times = [time - source.times[0] for time in source.times]
            tick = source.time_base
        else:
            times, tick = list(range(source.frames)), 1 / (rate or USUAL_RATE)
        return (self.start_seconds + time * tick for time in times)

    def gives_video(self, rate: Fraction | None) -> bool:
        """Return whether the results are videos. `rate`: as for `open`."""
        return not self.is_sequence or rate is not None

    def open(self, rate: Fraction | None) -> FrameSource:
        """Open it for reading frames.

        Args:
            rate: frames a second of an image sequence; None: it does not matter.
        Raises:
            InputError: it is not there, holds no pictures, or differs from the plan.
            MediaError: it cannot be used.
        """
        from matting.media.images.sequence import ImageSequence
        from matting.media.video_source import VideoSource

        if self.is_sequence:
            return ImageSequence(self.path, rate or Fraction(1))
        source = VideoSource(self.path, self.rate, deinterlaces=self.deinterlaces)
        if self.planned is not None and self.time_base is not None:
            _require_planned(source, self.planned, self.time_base)
        return source

    def expected_frames(self, rate: Fraction | None) -> int:
        """Return how many frames there are; 0 where that cannot be told. `rate`: as for `open`."""
        if self.frames is not None:
            return self.frames
        try:
            return self.open(rate).frames
        except MattingError:
            return 0  # its own turn comes, and shows why

    def is_as_cut(self, fingerprint: Fingerprint) -> bool:
        """Return whether this is the content that was cut, and so was decoded by `segment`."""
        return self.planned is not None and self.planned.fingerprint == fingerprint

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of its content; of a sequence, that of all its pictures.

        Raises:
            InputError: it cannot be read.
        """
        return Fingerprint.of(self.path)


NOTHING_LOOSE = LooseInputs(())


@dataclass(frozen=True)
class InputFolder:
    """All inputs of one folder, in order. With a plan, each continues the one before.

    Attributes:
        loose: what was found without a plan.
    """

    path: Path
    plan: Plan | None
    inputs: tuple[Input, ...]
    loose: LooseInputs = NOTHING_LOOSE

    def without(self, names: Collection[str]) -> InputFolder:
        """Return the folder without the inputs of these names."""
        return replace(self, inputs=tuple(i for i in self.inputs if i.name not in names))

    def notes(self) -> Iterator[str]:
        """Yield sentences on what is not as somebody may expect who gave the folder."""
        videos = sum(not item.is_sequence for item in self.inputs)
        if self.plan is None and videos > 1:
            yield (
                f"{self.path} holds {videos} separate videos: each is matted by itself, and they "
                "are not joined."
            )
        yield from self.loose.notes()


def _require_planned(source: VideoSource, planned: PlannedSegment, time_base: Fraction) -> None:
    """Refuse a segment whose frames differ in number or times from those that were cut.

    One that was repaired elsewhere may count in other ticks, and so be off a little.
    """
    if source.frames != planned.frames:
        raise InputError(
            f"{source.path} has {source.frames} frames, but was cut with {planned.frames}.",
            CUT_AGAIN,
            option="--overwrite",
        )
    first = source.times[0]
    # A converter's ticks may be coarser than the source's, but not coarser than a millisecond.
    tolerance = max(time_base, min(source.time_base, Fraction(1, 1000)))
    for index, (pts, time) in enumerate(zip(source.times, planned.times(), strict=True)):
        if abs((pts - first) * source.time_base - time * time_base) > tolerance:
            raise InputError(
                f"{source.path}: frame {index} is shown at another time than when it was cut.",
                CUT_AGAIN,
                option="--overwrite",
            )


def read_inputs(folder: Path) -> InputFolder:
    """Return what is to be matted in a folder.

    Raises:
        InputError: no such folder, or it holds nothing to matte.
    """
    require_possible(folder)
    if folder.is_file():
        raise InputError(
            f"{folder} is a file, not a folder of segments.",
            sentence(
                start(Command.SEGMENT, "the video"),
                start(Command.INFER, "the folder that it makes (it ends in _segments)"),
            ),
        )
    if not folder.is_dir():
        raise InputError(f"{folder} is not there.", "Check the path and its spelling.")
    plan = read_plan(folder)
    if plan is None and MattedFolder(folder).manifest.is_file():
        raise InputError(
            f"{folder} holds results, which are matted already.",
            sentence(start(Command.COMBINE, "this folder")),
        )
    if plan is not None:
        return InputFolder(folder, plan, _planned(folder, plan))
    if (folder / UNFINISHED).exists():
        raise InputError(
            f"{folder} is not completely cut.",
            sentence(start(Command.SEGMENT, "the video", again=True)),
        )
    loose = find_loose_inputs(folder)
    if not loose.paths:
        raise InputError(
            f"{folder} holds no videos and no pictures.",
            give("the folder that was cut, whose name ends in _segments"),
        )
    stems = result_stems([InputName(path.name, path.is_dir()) for path in loose.paths])
    named = zip(loose.paths, stems, strict=True)
    items = tuple(Input(path.name, path, stem) for path, stem in named)
    return InputFolder(folder, None, items, loose)


@lru_cache(maxsize=1)  # a run reads its inputs more than once
def _planned(folder: Path, plan: Plan) -> tuple[Input, ...]:
    names = [segment.name for segment in plan.segments]
    if names == [segment_name(index) for index in range(len(names))]:
        stems = [Path(name).stem for name in names]  # they never collide; comparing takes seconds
    else:  # somebody has edited the plan
        stems = result_stems([InputName(name, False) for name in names])
    first_frames = accumulate((segment.frames for segment in plan.segments), initial=0)
    shots = None if plan.shots is None else (0, *plan.shots)
    return tuple(
        Input(
            s.name,
            folder / s.name,
            stem,
            s,
            plan.time_base,
            plan.rate,
            first_frame,
            (s.first_pts - plan.segments[0].first_pts) * plan.time_base,
            None if shots is None else _within(shots, first_frame, s.frames),
        )
        for s, stem, first_frame in zip(plan.segments, stems, first_frames, strict=False)
    )


def _within(shots: Sequence[int], first_frame: int, frames: int) -> tuple[int, ...]:
    """Return which of a segment's frames are in `shots`, which rise and count the video's."""
    start, stop = bisect_left(shots, first_frame), bisect_left(shots, first_frame + frames)
    return tuple(shot - first_frame for shot in shots[start:stop])
