"""What came of each of many videos, in the queue's file and in a line at the end."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from matting.cli.command_run import DONE
from matting.errors import SegmentsFailedError
from matting.project.queue_text import place
from matting.system.humanize import time_taken
from matting.system.text import printable


@dataclass(frozen=True)
class Outcome:
    """What came of a video.

    Attributes:
        file: what was made of it, if that is known.
        reason: why it failed; "": it did not.
        seconds: how long it took.
        was_done: whether there was nothing to do for it.
        allows_shutdown: whether --shutdown is obeyed after it.
    """

    exit_code: int
    file: Path | None = None
    reason: str = ""
    seconds: float = 0.0
    was_done: bool = False
    allows_shutdown: bool = True

    @property
    def is_done(self) -> bool:
        return self.exit_code == DONE

    def for_queue(self, now: datetime) -> str:
        """Return it as the queue's file has it."""
        when = f"{now:%Y-%m-%d %H:%M}"
        if not self.is_done:
            return f"failed {when}: {self.reason}"
        taken = "" if self.was_done else f", in {time_taken(self.seconds)}"
        return f"done {when}{taken}{f': {self.file.name}' if self.file else ''}"


class OutcomeLine(NamedTuple):
    """What is said of a video at the end."""

    text: str
    is_done: bool


class Outcomes:
    """What came of the videos of a run."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[Path, Outcome]] = {}

    def add(self, video: Path, outcome: Outcome) -> None:
        """Take what came of a video; the latest counts."""
        self._of[place(video)] = video, outcome

    @property
    def exit_code(self) -> int:
        """The code of the whole command: 1 where only some failed, or for several reasons."""
        codes = {outcome.exit_code for _, outcome in self._of.values()} or {DONE}
        return codes.pop() if len(codes) == 1 else SegmentsFailedError.exit_code

    @property
    def allow_shutdown(self) -> bool:
        """Whether the computer may be shut down: not where nothing was done at all."""
        return any(outcome.allows_shutdown for _, outcome in self._of.values())

    def lines(self, listed: Collection[Path], *, interrupted: bool) -> Iterator[OutcomeLine]:
        """Yield a line for each video.

        Args:
            listed: all of the queue, in order.
            interrupted: whether the first that nothing came of was begun.
        """
        there = set(map(place, listed))
        gone = [video for key, (video, _) in self._of.items() if key not in there]
        for video in (*listed, *gone):
            if place(video) in self._of:
                yield self._line(video, self._of[place(video)][1])
            elif interrupted:
                interrupted = False
                yield OutcomeLine(f"Interrupted: {video}", is_done=False)
            else:
                yield OutcomeLine(f"Not begun: {video}", is_done=False)

    def _line(self, video: Path, outcome: Outcome) -> OutcomeLine:
        if not outcome.is_done:
            reason = outcome.reason or f"exit code {outcome.exit_code}"
            return OutcomeLine(f"Failed: {video}: {printable(reason)}", is_done=False)
        result = outcome.file or video
        if outcome.was_done:
            return OutcomeLine(f"Done before: {result}", is_done=True)
        return OutcomeLine(f"Done: {result} ({time_taken(outcome.seconds)})", is_done=True)
