"""When the frames of a job are shown, and which shots they are in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from matting.errors import MattingError
from matting.media.video_info import USUAL_RATE
from matting.project.inputs import read_inputs
from matting.project.job_signs import SignedSegment
from matting.project.ledger import Ledger
from matting.project.matted import matted_from
from matting.project.plan import Plan
from matting.system.humanize import exact_clock


@dataclass(frozen=True)
class FrameClock:
    """The time of each frame.

    Separate videos are put one after the other; what a player shows of each begins anew.

    Attributes:
        seconds: [F], rising: when each frame begins to be shown.
        shots: the numbers of the frames at which a shot starts, 0 first.
        videos: the first frame of each separate video, and its name; of one video in segments, that
            video alone, without a name.
    """

    seconds: NDArray[np.float64]
    shots: Sequence[int]
    videos: Sequence[tuple[int, str]]

    @classmethod
    def of(cls, ledger: Ledger, segments: Sequence[SignedSegment]) -> FrameClock:
        """Return the clock of a job with these segments."""
        if ledger.plan is not None:
            return _planned(ledger.plan, segments)
        rates = _rates(ledger)
        parts, shown = [np.zeros(0)], 0.0
        for own in segments:
            times = shown + np.arange(own.frames) / float(rates.get(own.name, USUAL_RATE))
            parts.append(times)
            shown += own.frames / float(rates.get(own.name, USUAL_RATE))
        starts = [(own.first_frame, own.name) for own in segments if own.frames]
        return cls(np.concatenate(parts), [first for first, _ in starts], starts)

    def video_of(self, frame: int) -> tuple[int, str]:
        """Return the first frame, and the name, of the video that a frame is in."""
        return self.videos[bisect_right([first for first, _ in self.videos], frame) - 1]

    def time_of(self, frame: int) -> Fraction:
        """Return when a player shows a frame, to the millisecond."""
        first, _ = self.video_of(frame)
        return Fraction(round((self.seconds[frame] - self.seconds[first]) * 1000), 1000)

    def end_of(self, frame: int) -> Fraction:
        """Return when a player shows the frame after a frame."""
        if frame + 1 < len(self.seconds) and self.video_of(frame + 1) == self.video_of(frame):
            return self.time_of(frame + 1)
        before = max(0, frame - 1)
        step = float(self.seconds[frame] - self.seconds[before]) or 1 / float(USUAL_RATE)
        return self.time_of(frame) + Fraction(max(1, round(step * 1000)), 1000)

    def length_of(self, frame: int) -> Fraction:
        """Return how long the video is that a frame is in."""
        place = bisect_right([first for first, _ in self.videos], frame)
        stop = self.videos[place][0] if place < len(self.videos) else len(self.seconds)
        return self.end_of(stop - 1)

    def text(self, frame: int) -> str:
        """Return when a player shows a frame, after the video's name where there are several."""
        name = self.video_of(frame)[1]
        return f"{name} {exact_clock(self.time_of(frame))}".strip()

    def shot_of(self, frame: int) -> tuple[int, int]:
        """Return the first frame of a frame's shot, and the one after its last."""
        place = bisect_right(self.shots, frame)
        stop = self.shots[place] if place < len(self.shots) else len(self.seconds)
        return self.shots[place - 1], stop


def _planned(plan: Plan, segments: Sequence[SignedSegment]) -> FrameClock:
    frames = sum(own.frames for own in segments)
    ticks = [own.first_pts - plan.start_pts + time for own in plan.segments for time in own.times()]
    seconds = np.array(ticks, np.float64)[:frames] * float(plan.time_base)
    shots = [0, *(shot for shot in plan.shots or () if shot < frames)]
    return FrameClock(seconds, shots, [(0, "")])


def _rates(ledger: Ledger) -> dict[str, Fraction]:
    """Return the frames a second of separate videos, of those that are still there."""
    try:
        items = read_inputs(matted_from(ledger)).inputs
    except MattingError:
        return {}
    rates = {}
    for item in items:
        try:
            rates[item.name] = item.open(None).rate
        except MattingError:
            continue  # it is shown at the usual rate
    return rates
