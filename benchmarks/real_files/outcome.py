"""What came of a file: equal, refused by name, different, or worse."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from benchmarks.faults.program import CommandResult
from benchmarks.real_files.shown import Shown

TRACEBACK = "Traceback (most recent call last)"
REFUSALS = {2, 3, 4}  # exit codes
TIME_TOLERANCE = Fraction(1, 500)  # seconds: two ticks of Matroska's usual clock
# Mean difference in code values of a plane's small copy: other pixel formats and deinterlacing stay
# below it, a picture in the wrong place does not.
PICTURE_TOLERANCE = 6.0
LOUDNESS_TOLERANCE = 0.05
WRONG_BINS = 0.02  # their share
REASON_LENGTH = 70


class Kind(Enum):
    """How it ended, from the best to the worst."""

    EQUAL = "equal"
    EQUAL_WHERE_TIMED = "equal, but for times of ffmpeg's that no file can hold"
    REFUSED = "refused by name"
    DIFFERENT = "different"
    FAULT = "traceback or exit code of a fault"
    HANG = "hang"


@dataclass(frozen=True)
class Outcome:
    """What came of one file.

    Attributes:
        silent: whether the ffmpeg program decodes it without a word.
        reason: why it was refused, what is different, or which of ffmpeg's times cannot be.
    """

    path: Path
    kind: Kind
    silent: bool
    reason: str = ""

    @property
    def reason_class(self) -> str:
        """The reason without what is of this file alone."""
        words = re.sub(r"\S*" + re.escape(self.path.stem) + r"\S*", "...", self.reason)
        return re.sub(r"[0-9][0-9.,:x]*", "#", words)[:REASON_LENGTH]


def outcome_of(
    path: Path, reference: Shown, result: CommandResult, compare: Callable[[], str]
) -> Outcome:
    """Return what came of a command on `path`.

    Args:
        compare: returns what of the results differs from the reference, or nothing.
    """
    if TRACEBACK in result.output or result.code not in {0, *REFUSALS}:
        return Outcome(path, Kind.FAULT, reference.silent, result.last_lines())
    if result.code:
        return _refusal(path, reference, result)
    difference = compare()
    if difference:
        return Outcome(path, Kind.DIFFERENT, reference.silent, difference)
    doubt = impossible_times(reference)
    kind = Kind.EQUAL_WHERE_TIMED if doubt else Kind.EQUAL
    return Outcome(path, kind, reference.silent, doubt)


def _refusal(path: Path, reference: Shown, result: CommandResult) -> Outcome:
    reason = next((line for line in result.output.splitlines() if path.stem in line), "")
    if not reason:
        kept = f"its name is not in: {result.last_lines()}"
        return Outcome(path, Kind.FAULT, reference.silent, kept)
    return Outcome(path, Kind.REFUSED, reference.silent, reason.strip())


def picture_differences(reference: Shown, result: Shown) -> str:
    """Return in what frames and times differ; nothing if they are the same."""
    there, here = len(reference.pictures), len(result.pictures)
    if there != here:
        return f"{here} frames, not {there}"
    late = _time_differences(reference.times, result.times)
    if late:
        return late
    apart = np.abs(reference.pictures.astype(np.int16) - result.pictures).mean(axis=(2, 3))
    wrong = np.flatnonzero((apart > PICTURE_TOLERANCE).any(axis=1))
    if wrong.size:
        return f"{wrong.size} pictures differ, the first is frame {wrong[0]} by {apart.max():.0f}"
    return ""


def impossible_times(reference: Shown) -> str:
    """Return which of the times that ffmpeg shows cannot be those of a file; nothing if all can.

    Frames of a file follow each other, and its audio is as long as its samples.
    """
    frames = len(reference.times)
    bad = frames - len(_good_times(reference.times))
    doubts = [f"{bad} of {frames} frames at doubled, falling or no times"] if bad else []
    if reference.is_restarted:
        doubts.append("a clock that starts anew where the file's own times go on")
    if reference.is_unclocked:
        doubts.append("audio far beyond its samples")
    return "; ".join(doubts)


def audio_differences(reference: Shown, result: Shown) -> str:
    """Return in what the audio differs; nothing if it is the same."""
    there, here = reference.loudness, result.loudness
    if bool(there.any()) != bool(here.any()):
        return "the audio is gone" if there.any() else "audio from nowhere"
    length = max(len(there), len(here))
    apart = np.abs(np.pad(there, (0, length - len(there))) - np.pad(here, (0, length - len(here))))
    wrong = float((apart > LOUDNESS_TOLERANCE).mean()) if length else 0.0
    return f"{wrong:.0%} of the audio is elsewhere" if wrong > WRONG_BINS else ""


def _time_differences(there: Sequence[Fraction | None], here: Sequence[Fraction | None]) -> str:
    """Compare times after the first frame where the reference has a good one; all must rise."""
    known = [time for time in here if time is not None]
    falling = next((i for i, (a, b) in enumerate(pairwise(known), 1) if b <= a), None)
    if falling is not None:
        return f"frame {falling} does not follow on the one before"
    pairs = [(index, time, here[index]) for index, time in _good_times(there)]
    missing = next((index for index, _, other in pairs if other is None), None)
    if missing is not None:
        return f"frame {missing} has no time"
    shifts = [(other - time, index) for index, time, other in pairs if other is not None]
    apart = [(abs(shift - shifts[0][0]), index) for shift, index in shifts]
    worst, frame = max(apart, default=(Fraction(0), 0))
    return f"frame {frame} is {float(worst):.3f} s off" if worst > TIME_TOLERANCE else ""


def _good_times(times: Sequence[Fraction | None]) -> list[tuple[int, Fraction]]:
    """Return the frames whose time is later than all before and earlier than all after, and it."""
    timed = [(index, time) for index, time in enumerate(times) if time is not None]
    latest = list(accumulate((time for _, time in timed), max))
    earliest = list(accumulate((time for _, time in reversed(timed)), min))[::-1]
    return [
        (index, time)
        for place, (index, time) in enumerate(timed)
        if (place == 0 or time > latest[place - 1])
        and (place + 1 == len(timed) or time < earliest[place + 1])
    ]
