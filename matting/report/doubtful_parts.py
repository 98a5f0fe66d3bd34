"""What of a job to look at: minutes, and the most doubtful moments with what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from matting.imaging.frame_signs import DOUBT
from matting.project.job_signs import JobMoment, JobSigns
from matting.project.segment_signs import apart_seconds
from matting.report.frame_clock import FrameClock
from matting.system.humanize import MINUTE, exact_clock

MOMENTS = 20
MOST_SHOTS = 40
MICROSECOND = 1e-6
# Of frames with known alpha that were more doubtful than this, nine of ten had an error (MAD) above
# 10 of 1000, and half one above 15; `python -m benchmarks.doubt` measures it.
DOUBTFUL = 0.03
AROUND_SECONDS = (0.5, 5.0)  # before and after a moment, how much is done again: at least, at most
STILL_DOUBTFUL = 0.5  # of a moment's doubt: what belongs to it

Doubt = NDArray[np.float32]


@dataclass(frozen=True)
class DoubtfulMinute:
    """A minute in which frames are doubtful.

    Attributes:
        frame: the first of them.
        frames: how many.
    """

    frame: int
    frames: int
    text: str


@dataclass(frozen=True)
class EyesOfShot:
    """How much the mattes of both eyes differ in a shot: the mean, and the most in a frame."""

    text: str
    frames: int
    mean: float
    most: float


@dataclass(frozen=True)
class Around:
    """The frames around a moment that are doubtful with it, as a player shows them.

    Attributes:
        video: the name of the separate video that they are in; "" where there is but one.
    """

    start: Fraction
    end: Fraction
    video: str

    @property
    def arguments(self) -> list[str]:
        """What `rematte` is given."""
        own = ["--video", self.video] if self.video else []
        return ["--from", exact_clock(self.start), "--to", exact_clock(self.end), *own]


def doubtful_minutes(signs: JobSigns, clock: FrameClock) -> list[DoubtfulMinute]:
    """Return the minutes to look at, in order."""
    is_doubtful = np.nan_to_num(signs.values[:, DOUBT]) > DOUBTFUL
    bounds = [first for first, _ in clock.videos] + [len(is_doubtful)]
    found = []
    for (first, name), (_, stop) in zip(clock.videos, pairwise(bounds), strict=True):
        frames = first + np.flatnonzero(is_doubtful[first:stop])
        minutes = (clock.seconds[frames] - clock.seconds[first]) // MINUTE
        numbers, places, counts = np.unique(minutes, return_index=True, return_counts=True)
        for number, place, count in zip(numbers.astype(int), places, counts, strict=True):
            text = f"{name} {number // 60}:{number % 60:02d}:00".strip()
            found.append(DoubtfulMinute(int(frames[place]), int(count), text))
    return found


def doubtful_moments(signs: JobSigns, clock: FrameClock) -> list[JobMoment]:
    """Return the moments of greatest doubt, the greatest first; also over segments, they are apart.

    Those within a segment are apart already.
    """
    found: list[JobMoment] = []
    for moment in signs.moments():
        place, apart = (
            clock.seconds[moment.frame],
            float(apart_seconds(clock.length_of(moment.frame))),
        )
        # The difference of two times is a trifle less than so many frames last.
        if all(abs(clock.seconds[own.frame] - place) + MICROSECOND >= apart for own in found):
            found.append(moment)
        if len(found) == MOMENTS:
            break
    return found


def shots_by_eyes(signs: JobSigns, clock: FrameClock) -> list[EyesOfShot]:
    """Return the shots in which the mattes of both eyes differ most; none without two eyes."""
    found = []
    for first, stop in pairwise([*clock.shots, len(signs.eyes)]):
        known = signs.eyes[first:stop][np.isfinite(signs.eyes[first:stop])]
        if len(known):
            found.append(
                EyesOfShot(clock.text(first), stop - first, float(known.mean()), float(known.max()))
            )
    return sorted(found, key=lambda shot: -shot.mean)[:MOST_SHOTS]


def around(moment: JobMoment, signs: JobSigns, clock: FrameClock) -> Around:
    """Return what to do again where a moment is wrong: the frames of its shot doubted with it."""
    doubt = signs.values[:, DOUBT]
    first, stop = clock.shot_of(moment.frame)
    least = moment.doubt * STILL_DOUBTFUL
    start = _reach(doubt, clock, range(moment.frame, first - 1, -1), least)
    end = _reach(doubt, clock, range(moment.frame, stop), least)
    video = clock.video_of(moment.frame)[1]
    return Around(clock.time_of(start), clock.end_of(end), video)


def _reach(doubt: Doubt, clock: FrameClock, frames: Sequence[int], least: float) -> int:
    """Return the last of some frames that is to be done again with the first."""
    reached = origin = frames[0]
    for frame in frames:
        seconds = abs(float(clock.seconds[frame] - clock.seconds[origin]))
        is_doubted = doubt[frame] >= least
        if seconds > AROUND_SECONDS[1] or (seconds > AROUND_SECONDS[0] and not is_doubted):
            break
        reached = frame
    return reached
