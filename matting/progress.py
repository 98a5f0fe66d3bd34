"""What a stage tells while it works; whoever runs it decides how that is shown."""

from __future__ import annotations


def ignore(*_: object) -> None:
    """Listens to no progress."""


def counted(number: int, what: str) -> str:
    """The number and what it counts: "1 frame", "3 frames"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


class Progress:
    """A listener to a stage's progress. This one keeps silent; the console's own derives from it.

    All methods are called from the thread that runs the stage.
    """

    def say(self, text: str) -> None:
        """A sentence for the user."""

    def detail(self, text: str) -> None:
        """A sentence for the user who asked for more (`--verbose`)."""

    def start(self, title: str, total: int, unit: str, parts: int = 0) -> None:
        """A piece of work of `total` units (frames, bytes) begins, in `parts` segments (0: one)."""

    def advance(self, units: int) -> None:
        """That many more units are done."""

    def alive(self) -> None:
        """Work goes on, though it shows in no unit."""

    def more(self, units: int, parts: int) -> None:
        """So many more units and segments have turned up since `start`."""

    def part(self, name: str) -> None:
        """The segment of that name begins."""

    def part_done(self) -> None:
        """The segment that began last has ended, well or not."""

    def finish(self) -> None:
        """The piece of work has ended, well or not."""
