"""What a stage reports while it works; whoever runs the stage decides how that is shown."""

from __future__ import annotations


def ignore(*_: object) -> None:
    """Do nothing: a callback for those who do not want one."""


def quantity(number: int, what: str) -> str:
    """Return the number and what it counts: "1 frame", "3 frames"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


class Progress:
    """A listener to a stage's progress. This one is silent; the console derives from it.

    All methods are called in the thread that runs the stage.
    """

    def say(self, text: str) -> None:
        """Take a sentence for the user."""

    def detail(self, text: str) -> None:
        """Take a sentence for a user who asked for more (`--verbose`)."""

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
