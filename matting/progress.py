"""What a stage reports while it works; whoever runs the stage decides how that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


def ignore(*_: object) -> None:
    """Do nothing: a callback for those who do not want one."""


def quantity(number: int, what: str) -> str:
    """Return the number and what it counts: "1 frame", "3 frames"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


class Notice(str, Enum):
    """What a user should know of when all is over; the value is its heading in a list."""

    TRIED_AGAIN = "Tried again after a failure"
    WARMED_UP = "Begun without the exact end of the segment before"
    REPEATED = "The last good picture shown again"
    DOUBTFUL = "Doubtful in the source"
    LEFT_BEHIND = "Not carried over as it was"


@dataclass(frozen=True)
class SegmentReport:
    """What came of a segment.

    Attributes:
        frames: how many of its frames were matted in this run.
        seconds: how long that took, while nothing but this segment was waited for.
        remark: what else there is to say, as a clause.
    """

    name: str
    frames: int
    seconds: float
    remark: str = ""


class Progress:
    """A listener to a stage's progress. This one is silent; the console derives from it.

    All methods are called in the thread that runs the stage.
    """

    def say(self, text: str) -> None:
        """Take a sentence for the user, which is one line."""

    def detail(self, text: str) -> None:
        """Take a sentence for a user who asked for more (`--verbose`)."""

    def confirm(self, question: str) -> bool | None:
        """Ask the user a question; None: there is nobody to answer it."""

    def start(self, title: str, total: int, unit: str, segments: int = 0) -> None:
        """Begin a task of `total` units (frames, bytes; 0: unknown), in `segments` (0: one)."""

    def advance(self, units: int) -> None:
        """Count units that are done; a negative number of them has to be done again."""

    def alive(self) -> None:
        """Note that work goes on, though no unit of it shows."""

    def extend(self, units: int, segments: int) -> None:
        """Add units and segments that have turned up since `start`."""

    def begin_segment(self, name: str) -> None:
        """Begin the segment of that name."""

    def end_segment(self) -> None:
        """End the segment that began last, whether it succeeded or not."""

    def finish(self) -> None:
        """End the task, whether it succeeded or not."""

    def notice(self, kind: Notice, text: str) -> None:
        """Take what is to be listed at the end: the name of a segment, or a sentence.

        A sentence has been said already. It is listed if other work has followed.
        """

    def report(self, segment: SegmentReport) -> None:
        """Take what came of a segment, in the order of the job."""


class Relay(Progress):
    """Passes on everything; what derives from it changes or counts some of it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def say(self, text: str) -> None:
        self._progress.say(text)

    def detail(self, text: str) -> None:
        self._progress.detail(text)

    def start(self, title: str, total: int, unit: str, segments: int = 0) -> None:
        self._progress.start(title, total, unit, segments)

    def advance(self, units: int) -> None:
        self._progress.advance(units)

    def alive(self) -> None:
        self._progress.alive()

    def extend(self, units: int, segments: int) -> None:
        self._progress.extend(units, segments)

    def begin_segment(self, name: str) -> None:
        self._progress.begin_segment(name)

    def end_segment(self) -> None:
        self._progress.end_segment()

    def finish(self) -> None:
        self._progress.finish()

    def notice(self, kind: Notice, text: str) -> None:
        self._progress.notice(kind, text)

    def report(self, segment: SegmentReport) -> None:
        self._progress.report(segment)
