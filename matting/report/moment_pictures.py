"""What a page shows of a moment: its frame, and the people in it by a setting."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from threading import Event

import numpy as np
from numpy.typing import NDArray

from matting.background import Background, BackgroundFile
from matting.imaging.display_light import DisplayLight
from matting.imaging.renderer import render_matte_planes
from matting.media import background as media
from matting.media.background_frames import RGB16, BackgroundFrames
from matting.report.comparison import Clip, PreviewedVideo, matte_of
from matting.report.moment_matting import Clips
from matting.report.moments import Moment
from matting.report.pictures import cut_out, data_uri, screen_pixels, window_on_people
from matting.report.preview_networks import PreviewNetworks
from matting.report.preview_page import ResultPicture, ShownMoment
from matting.system.humanize import exact_clock


@dataclass(frozen=True)
class MomentPictures:
    """Makes the pictures of moments; several threads may, each of another moment.

    Attributes:
        stopped: set, once no more are wanted.
    """

    shown: PreviewedVideo
    background: Background
    networks: PreviewNetworks
    clips: Clips
    stopped: Event
    _parts: dict[int, tuple[slice, slice]] = field(default_factory=dict)

    def first(self, moment: Moment) -> ShownMoment:
        """Return a moment with the people by the first setting.

        Raises:
            DecodeError, MachineError, MissingError: it cannot be read or matted.
        """
        people = self._people(moment, 1)
        part = self._parts[moment.frame] = window_on_people(people[..., 3], self.shown.eye)
        source = self.shown.source
        at = (source.times[moment.frame] - source.times[0]) * source.time_base
        pixels = screen_pixels(self.clips.of(moment).picture, self._light)
        height, width = pixels[part].shape[:2]
        whole = (width, height) == tuple(source.size_px)
        which = "the picture" if self.shown.eye == source.size_px else "one eye's picture"
        return ShownMoment(
            moment.frame,
            exact_clock(at),
            moment.reason,
            data_uri(pixels[part]),
            self._behind(at, part),
            "" if whole else f"This is the part of {which} with people: {width}x{height}.",
            [self._result(people, moment, 1)],
        )

    def further(self, moment: Moment, number: int) -> ResultPicture:
        """Return the people by another setting; raises as `first`, which comes before."""
        return self._result(self._people(moment, number), moment, number)

    def _people(self, moment: Moment, number: int) -> NDArray[np.uint8]:
        clip: Clip = self.clips.of(moment)
        setting = self.shown.settings[number - 1]
        with self.networks.session(setting.matte) as session:
            matte = matte_of(clip, setting, session, self.stopped)
        planes = render_matte_planes(matte).to(clip.picture.device)
        return cut_out(clip.picture, planes, self._light)

    def _result(self, people: NDArray[np.uint8], moment: Moment, number: int) -> ResultPicture:
        uri = data_uri(people[self._parts[moment.frame]])
        return ResultPicture(number, self.shown.settings[number - 1].name, uri)

    def _behind(self, at: Fraction, part: tuple[slice, slice]) -> str:
        """Return the picture behind the people at a time; "" where a colour is."""
        if not isinstance(self.background, BackgroundFile):
            return ""
        opened = media.Background.open(self.background.path)
        with BackgroundFrames(opened, self.shown.source, iter([at])) as frames:
            picture = frames.take(1, RGB16)
        return data_uri(screen_pixels(picture, self._light)[part])

    @property
    def _light(self) -> DisplayLight:
        return media.light_of(self.shown.source.colour, self.shown.source.sample_format)
