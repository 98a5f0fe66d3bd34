"""The settings that a preview compares, and a moment matted by each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from matting.imaging.compositor import Matte
from matting.imaging.frame_parts import FrameParts, PicturePart, eye_parts
from matting.imaging.planes import Planes, TimedBatch
from matting.imaging.sample_format import Size
from matting.inference.base import RecurrentOutput
from matting.inference.run_up import FeatureBatch, RunUp
from matting.inference.session import MattingSession, automatic_ratio
from matting.inference.weights import present_checkpoint
from matting.media.container import require_file
from matting.media.video_source import VideoSource
from matting.network_choice import RUN_UP_FRAMES, Foreground, Model, Subject
from matting.options import MatteOptions, MattingOptions
from matting.project.input_views import with_views
from matting.project.inputs import Input, InputFolder
from matting.report.moments import Moment
from matting.view import StereoLayout, View

# Frames a second of a run-up. By 15 instead of 30, it takes half the time, and alpha differs from
# that after 40 frames by .29 instead of .21 of 1000 at a ratio of .4, by .44 instead of .29 at .2.
RUN_UP_RATE = 15.0
OTHER_NETWORK = Model.RESNET50


@dataclass(frozen=True)
class Setting:
    """One way to matte a video.

    Attributes:
        name: in words.
        ratio: the downsample ratio that it comes to.
    """

    name: str
    matte: MatteOptions
    ratio: float

    @property
    def cost(self) -> tuple[bool, float]:
        """What tells which of two settings takes longer."""
        return self.matte.model is OTHER_NETWORK, self.ratio

    def applied_to(self, options: MattingOptions) -> MattingOptions:
        """Return options by which a video is matted so."""
        return replace(options, matte=self.matte)


def settings_to_compare(asked: MatteOptions, eye: Size) -> list[Setting]:
    """Return the settings, what was asked for first; those that come to the same once.

    Args:
        eye: the size of what one eye sees.
    """

    def setting(name: str, matte: MatteOptions) -> Setting:
        ratio = automatic_ratio(eye, matte.subject) if matte.ratio is None else matte.ratio
        return Setting(name, matte, ratio)

    own = setting("automatic" if asked.ratio is None else "as asked for", asked)
    half, twice = (round(own.ratio * times, 3) for times in (0.5, 2.0))
    settings = [
        own,
        setting("half the ratio", replace(asked, ratio=half)),
        setting("twice the ratio", replace(asked, ratio=min(1.0, twice))),
        setting("heads and shoulders", replace(asked, ratio=None, subject=Subject.PORTRAIT)),
    ]
    other = replace(asked, model=OTHER_NETWORK, checkpoint=None)
    is_usual = asked.model is not OTHER_NETWORK
    if is_usual and present_checkpoint(None, OTHER_NETWORK) is not None:
        settings.append(setting("the larger network", other))
    different: dict[tuple[float, Model | None], Setting] = {}
    for one in settings:
        different.setdefault((round(one.ratio, 3), one.matte.model), one)
    return list(different.values())


@dataclass(frozen=True)
class PreviewedVideo:
    """A video on which settings are compared.

    Attributes:
        eye: the size of what one eye sees; the first eye is at the top left.
        parts: what is matted by itself of each frame: the eyes, or the picture as a whole.
    """

    source: VideoSource
    item: Input
    eye: Size
    parts: tuple[PicturePart, ...]
    settings: Sequence[Setting]

    @classmethod
    def open(cls, video: Path, options: MattingOptions) -> PreviewedVideo:
        """Open a video.

        Raises:
            InputError, MediaError: it cannot be used.
        """
        require_file(video)
        source = VideoSource(video, deinterlaces=True)
        whole = Input(video.name, video, video.stem, deinterlaces=True)
        folder = InputFolder(video.parent, None, (whole,))
        item = with_views(folder, options.matte).inputs[0]
        eye = Size(*View(item.eyes or StereoLayout.MONO).eye_size(source.size_px))
        parts = eye_parts(item.apart, source.size_px, source.sample_format)
        return cls(source, item, eye, parts, settings_to_compare(options.matte, eye))


@dataclass(frozen=True)
class Clip:
    """A moment's frame, with those that the network sees before and after it.

    Attributes:
        frames: with their PTS, in order.
        pts: of the moment's own.
        starts_shot: whether a shot starts with the first, so near that a job would run it up.
        parts: as of the video.
    """

    frames: list[tuple[int, Planes]]
    pts: int
    starts_shot: bool
    parts: tuple[PicturePart, ...]

    @classmethod
    def read(cls, video: PreviewedVideo, moment: Moment) -> Clip:
        """Read the frames of a moment.

        Raises:
            DecodeError: they cannot be read.
        """
        source = video.source
        starts_shot = moment.frame - moment.first < RUN_UP_FRAMES
        step = 1 if starts_shot else max(1, round(float(source.rate) / RUN_UP_RATE))
        last = moment.first + RUN_UP_FRAMES if starts_shot else moment.frame
        frames: list[tuple[int, Planes]] = []
        with closing(source.frames_from(moment.first)) as decoded:
            for number, frame in enumerate(decoded, start=moment.first):
                if (number - moment.frame) % step == 0:
                    frames.append(frame)
                if number >= last:
                    break
        return cls(frames, source.times[moment.frame], starts_shot, video.parts)

    @property
    def size_bytes(self) -> int:
        sizes = (p.sample_format.pixel_bytes * p.width * p.height for _, p in self.frames)
        return round(sum(sizes))

    @property
    def picture(self) -> Planes:
        """The moment's frame, on the CPU."""
        return next(planes for pts, planes in self.frames if pts == self.pts)


def matte_of(
    clip: Clip, setting: Setting, session: MattingSession, stopped: Event | None = None
) -> FrameParts[Matte]:
    """Return the matte of a moment, after the network has seen what is before it.

    Args:
        stopped: set, once the matte is not wanted any more.
    Raises:
        InputError, MachineError: as `MattingSession.extract_features`.
        CancelledError: it was stopped.
    """
    run_up = RunUp(session)
    session.reset()
    run_up.begin(starts_shot=clip.starts_shot)
    fused = setting.matte.foreground is Foreground.FUSED
    for output in _outputs(run_up, clip, setting.ratio, session):
        if stopped is not None and stopped.is_set():
            raise CancelledError
        if output.pts == (clip.pts,):
            (frame,) = session.fit_guided_filter(output.parts)
            return frame.made_into(lambda matte: replace(matte, fused=fused))
    raise ValueError(f"nothing came of the frame at {clip.pts}")


def _outputs(
    run_up: RunUp, clip: Clip, ratio: float, session: MattingSession
) -> Iterator[TimedBatch[FrameParts[RecurrentOutput]]]:
    """Yield what comes of each frame."""
    for pts, planes in clip.frames:
        features = session.extract_features(planes, ratio, clip.parts)
        yield from run_up.feed(FeatureBatch(features, (pts,)))
    yield from run_up.end()
