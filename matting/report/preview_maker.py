"""Making a preview: which moments, each by every setting, and what the whole video would take."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.background import BackgroundFile
from matting.errors import DecodeError, InputError
from matting.imaging.display_light import DisplayLight
from matting.imaging.renderer import render_matte_planes
from matting.inference.session import MattingSession
from matting.media.background import Background, light_of
from matting.media.background_frames import RGB16, BackgroundFrames
from matting.options import MattingOptions
from matting.progress import Progress, quantity
from matting.project.paths import segments_folder
from matting.project.plan import read_plan
from matting.report.comparison import Clip, PreviewedVideo, matte_of
from matting.report.look_over import LOOKS, look_over, signs_of
from matting.report.moments import Moment, Signs, choose_moments, middle
from matting.report.pictures import cut_out, data_uri, screen_pixels, window_on_people
from matting.report.preview_networks import PreviewNetworks
from matting.report.preview_page import PreviewPage, ResultPicture, ShownMoment
from matting.report.setting_trial import SettingTrial
from matting.system.humanize import exact_clock

# No further moment is begun that would end later, but for those that are asked for.
LIMIT_SECONDS = 170.0
FEWEST_MOMENTS = 3


@dataclass(frozen=True)
class PreviewMaker:
    """What a preview is made of.

    Attributes:
        page: it grows, and is written again and again.
    """

    shown: PreviewedVideo
    options: MattingOptions
    networks: PreviewNetworks
    page: PreviewPage
    progress: Progress

    def run(self, times: Sequence[Fraction], output: Path | None) -> None:
        """Make the page.

        Args:
            times: of moments that are asked for, in seconds as a player shows them.
            output: where the video's job is; None: beside it.
        Raises:
            InputError: a time is beyond the end.
            MattingError: the video cannot be read or matted; the page has what there is by then.
        """
        ends = time.monotonic() + LIMIT_SECONDS
        asked = [self._frame_at(seconds) for seconds in times]
        source = self.shown.source
        signs = signs_of(source, self._known_shots(output))
        first = choose_moments(signs, asked, 0)[:1] or [middle(signs)]
        try:
            self._add(first[0])
            self.progress.say(f"The first pictures are here, and more follow: {self.page.path}")
            self._try_settings(first[0])
            signs = self._look_over(signs)
            moments = choose_moments(signs, asked)
            rest = [moment for moment in moments if moment.frame != first[0].frame]
            left = self._add_all(rest, ends, len(asked))
            self.page.progress = f"All is here: {quantity(len(self.page.moments), 'moment')}."
            if left:
                self.page.progress += (
                    f" {quantity(left, 'other')} would have taken more than three minutes."
                )
        except BaseException:
            self.page.progress = "This is not complete: the preview was stopped."
            raise
        finally:
            self.page.is_finished = True
            self.page.write()

    def _add_all(self, moments: Sequence[Moment], ends: float, asked: int) -> int:
        """Add moments while there is time; return how many are left out."""
        of = 1 + len(moments)
        self.progress.start("Matting the moments", len(moments), "moment")
        try:
            for number, moment in enumerate(moments):
                began = time.monotonic()
                try:
                    self._add(moment)
                except DecodeError as error:  # the rest of the video may be intact
                    self.progress.say(f"A moment is left out: {error.what}")
                self.page.progress = f"{number + 2} of {of} moments are here, and more follow."
                self.page.write()
                self.progress.advance(1)
                next_end = 2 * time.monotonic() - began
                if next_end > ends and number + 2 >= max(FEWEST_MOMENTS, asked):
                    return len(moments) - number - 1
        finally:
            self.progress.finish()
        return 0

    def _add(self, moment: Moment) -> None:
        """Matte a moment by every setting, and add it to the page."""
        clip = Clip.read(self.shown, moment)
        shown: ShownMoment | None = None
        part: tuple[slice, slice] | None = None
        for number, setting in enumerate(self.shown.settings, start=1):
            session = self.networks.session(setting.matte)
            people = self._people(clip, number, session)
            if part is None:
                part = window_on_people(people[..., 3])
            if shown is None:
                shown = self._shown(moment, clip, part)
                self.page.moments.append(shown)
            uri = data_uri(people[part])
            shown.results.append(ResultPicture(number, setting.name, uri))
            if len(self.page.moments) == 1:  # the first is waited for
                self.page.progress = "The first moment is here, and more follow."
                self.page.write()

    def _people(self, clip: Clip, number: int, session: MattingSession) -> NDArray[np.uint8]:
        matte = matte_of(clip, self.shown.settings[number - 1], session)
        return cut_out(
            clip.picture, render_matte_planes(matte).to(clip.picture.device), self._light
        )

    def _shown(self, moment: Moment, clip: Clip, part: tuple[slice, slice]) -> ShownMoment:
        source = self.shown.source
        at = (source.times[moment.frame] - source.times[0]) * source.time_base
        pixels = screen_pixels(clip.picture, self._light)
        height, width = pixels[part].shape[:2]
        whole = (width, height) == tuple(source.size_px)
        return ShownMoment(
            moment.frame,
            exact_clock(at),
            moment.reason,
            data_uri(pixels[part]),
            self._behind(at, part),
            "" if whole else f"This is the part of the picture with people: {width}x{height}.",
        )

    def _behind(self, at: Fraction, part: tuple[slice, slice]) -> str:
        """Return the picture behind the people at a time; "" where a colour is."""
        background = self.options.output.background
        if not isinstance(background, BackgroundFile):
            return ""
        source = self.shown.source
        opened = Background.open(background.path)
        with BackgroundFrames(opened, source, iter([at])) as frames:
            picture = frames.take(1, RGB16)
        return data_uri(screen_pixels(picture, self._light)[part])

    def _try_settings(self, moment: Moment) -> None:
        """Find out what the whole video takes by each setting."""
        source, options = self.shown.source, self.options
        trial = SettingTrial(self.shown.item, source.frames, moment.first, options, self.page.path)
        for setting, row in zip(self.shown.settings, self.page.settings, strict=True):
            checkpoint = self.networks.checkpoint(setting.matte)
            device = str(self.networks.device)
            row.forecast = trial.forecast(setting, checkpoint, device, self.progress)
            row.is_tried = True
            self.page.write()

    def _look_over(self, signs: Signs) -> Signs:
        self.progress.start("Looking over the video", LOOKS, "picture")
        try:
            session = self.networks.session(self.shown.settings[0].matte)
            return look_over(self.shown.source, signs, session, lambda: self.progress.advance(1))
        finally:
            self.progress.finish()

    def _known_shots(self, output: Path | None) -> tuple[int, ...] | None:
        """Return where shots start by the plan of the video's segments, if it is cut already."""
        video = self.shown.item.path
        try:
            plan = read_plan(segments_folder(video, output))
        except InputError:
            return None
        if plan is None or plan.shots is None or plan.source.name != video.name:
            return None
        frames = sum(segment.frames for segment in plan.segments)
        return plan.shots if frames == self.shown.source.frames else None

    def _frame_at(self, seconds: Fraction) -> int:
        source = self.shown.source
        wanted = source.times[0] + seconds / source.time_base
        if wanted > source.times[-1] + 1 / source.rate / source.time_base:
            raise InputError(
                f"{exact_clock(seconds)} is after the end of {source.path}.",
                "Give times as a player shows them.",
                option="--at",
            )
        return max(0, bisect_right(source.times, wanted) - 1)

    @property
    def _light(self) -> DisplayLight:
        return light_of(self.shown.source.colour, self.shown.source.sample_format)
