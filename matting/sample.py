"""A sample: the first frames of a piece, matted to see how long all of them will take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Clock:
    """When things happened to a sample; seconds of a clock that only ever goes forward.

    Attributes:
        read: when each frame had been decoded and looked at.
        written: when each frame had been given to the encoder.
        flushed: when the encoder had given back all that it held.
    """

    read: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    flushed: float = 0.0

    def note_read(self, frames: int) -> None:
        self.read += [time.monotonic()] * frames

    def note_written(self, frames: int) -> None:
        self.written += [time.monotonic()] * frames

    def note_flushed(self) -> None:
        self.flushed = self.flushed or time.monotonic()


def frames_per_second(clocks: Sequence[Clock]) -> float:
    """How fast long pieces go, by short ones: with all that comes of a frame, to the encoder's end.

    From each only what came after its first frame counts, for in a long piece that comes while
    others are at work.

    Raises:
        ValueError: no sample has two frames.
    """
    frames = sum(len(clock.written) - 1 for clock in clocks)
    seconds = sum(clock.flushed - clock.written[0] for clock in clocks)
    if frames < 1 or seconds <= 0:
        raise ValueError("nothing was timed")
    return frames / seconds
