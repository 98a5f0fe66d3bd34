"""Making a preview: which moments, each by every setting, and what the whole video would take."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from matting.errors import DecodeError, InputError
from matting.network_choice import SmallPeople
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.paths import segments_folder
from matting.project.plan import read_plan
from matting.report.comparison import Clip, PreviewedVideo
from matting.report.look_over import look_over, signs_of
from matting.report.moment_matting import Clips, Lanes, Pace, lanes_of, result_of
from matting.report.moment_pictures import MomentPictures
from matting.report.moments import Moment, Signs, choose_moments, middle
from matting.report.preview_networks import PreviewNetworks
from matting.report.preview_page import REFRESH_SECONDS, PreviewPage
from matting.report.setting_trial import SettingTrial
from matting.system import accelerators
from matting.system.humanize import exact_clock

# No further picture is begun that would end later, but for FEWEST_MOMENTS, and those asked for.
LIMIT_SECONDS = 170.0
FEWEST_MOMENTS = 3


@dataclass
class PreviewMaker:
    """What a preview is made of.

    Attributes:
        page: it grows, and is written again and again.
        folder: of this run alone.
    """

    shown: PreviewedVideo
    options: MattingOptions
    networks: PreviewNetworks
    page: PreviewPage
    folder: Path
    progress: Progress
    _written: float = 0.0
    _unreadable: DecodeError | None = None

    def run(self, times: Sequence[Fraction], output: Path | None) -> None:
        """Make the page: all moments by the setting that is asked for, then by the others.

        Args:
            times: of moments that are asked for, in seconds as a player shows them.
            output: where the video's job is; None: beside it.
        Raises:
            InputError: a time is beyond the end.
            MattingError: the video cannot be read or matted; the page has what there is by then.
        """
        pace = Pace(time.monotonic() + LIMIT_SECONDS)
        asked = [self._frame_at(seconds) for seconds in times]
        signs = signs_of(self.shown.source, self._known_shots(output))
        first = choose_moments(signs, asked, 0)[:1] or [middle(signs)]
        self.networks.checkpoint(self.shown.settings[0].matte)  # what is missing is said first
        try:
            device = self.networks.device
            with Lanes(lanes_of(device), partial(accelerators.use, device)) as lanes:
                pictures = self._pictures(lanes)
                pace.always = max(FEWEST_MOMENTS, len(asked))
                looks = lanes.begin(partial(self._look_over, signs))
                shown = self._add(first, pictures, lanes, pace)
                self.progress.say(f"The first pictures are here, and more follow: {self.page.path}")
                moments = choose_moments(result_of(looks), asked)
                self._try(1, moments[0])
                rest = [moment for moment in moments if moment.frame != first[0].frame]
                self.page.expected = 1 + len(rest)
                shown += self._add(rest, pictures, lanes, pace)
                if not shown and self._unreadable is not None:
                    raise self._unreadable
                self._compare(shown, pictures, lanes, pace)
        except BaseException:
            self.page.is_stopped = True
            raise
        finally:
            self.page.is_finished = True
            self.page.write()

    def _add(
        self, moments: Sequence[Moment], pictures: MomentPictures, lanes: Lanes, pace: Pace
    ) -> list[Moment]:
        """Add moments by the first setting; return those that could be read."""
        added = []
        self.progress.start("Matting the moments", len(moments), "moment")
        try:
            always = pace.always - len(self.page.moments)
            for moment, result in lanes.results(pictures.first, moments, pace, always):
                if isinstance(result, DecodeError):  # the rest of the video may be intact
                    self.progress.say(f"A moment is left out: {result.what}")
                    self._unreadable = result
                    self.page.expected -= 1
                else:
                    self.page.moments.append(result)
                    added.append(moment)
                    self._write()
                self.progress.advance(1)
        finally:
            self.progress.finish()
        return added

    def _compare(
        self, moments: Sequence[Moment], pictures: MomentPictures, lanes: Lanes, pace: Pace
    ) -> None:
        """Add what the other settings make of the moments, the cheapest setting first."""
        settings = self.shown.settings
        others = sorted(range(1, len(settings)), key=lambda place: settings[place].cost)
        for number in (place + 1 for place in others):
            self.page.now = number
            self._try(number, moments[0])
            self.progress.start(f"Matting by setting {number}", len(moments), "moment")
            try:
                work = partial(pictures.further, number=number)
                results = lanes.results(work, moments, pace, pace.always)
                for shown, (_, result) in zip(self.page.moments, results, strict=False):
                    if isinstance(result, DecodeError):
                        raise result
                    shown.add(result)
                    self._write()
                    self.progress.advance(1)
            finally:
                self.progress.finish()

    def _pictures(self, lanes: Lanes) -> MomentPictures:
        clips = Clips(partial(Clip.read, self.shown))
        background = self.options.output.background
        return MomentPictures(self.shown, background, self.networks, clips, lanes.stopped)

    def _try(self, number: int, moment: Moment) -> None:
        """Find out what the whole video takes by a setting."""
        item, frames = self.shown.item, self.shown.source.frames
        trial = SettingTrial(item, frames, moment.first, self.options, self.folder)
        setting, row = self.shown.settings[number - 1], self.page.settings[number - 1]
        checkpoint, device = self.networks.checkpoint(setting.matte), str(self.networks.device)
        row.forecast = trial.forecast(setting, checkpoint, device, self.progress)
        row.is_tried = True
        self._write()

    def _look_over(self, signs: Signs) -> Signs:
        # What is small there was found by a first view, and seeing it again takes longer than all.
        matte = replace(self.shown.settings[0].matte, small_people=SmallPeople.OFF)
        with self.networks.session(matte) as session:
            return look_over(self.shown.source, signs, session)

    def _write(self) -> None:
        """Write the page, if the last time is not just now: it may be megabytes."""
        now = time.monotonic()
        if len(self.page.moments) == 1 or now - self._written >= REFRESH_SECONDS:
            self.page.write()
            self._written = now

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
