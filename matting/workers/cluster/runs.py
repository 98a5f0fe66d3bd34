"""Workers that take part, and the units that they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from typing import TypeGuard

from matting.workers.cluster.units import NumberedTask, Unit
from matting.workers.executor import Failure, Outcome, TrialOutcome


@dataclass
class KnownWorker:
    """A worker that takes part.

    Attributes:
        keys: of the units that it has, in order.
        was_second_for: the numbers of units that it has had while another had them.
        frames, seconds: what it has done, and in which time, to know how fast it is.
    """

    name: str
    keys: list[str] = field(default_factory=list)
    was_second_for: set[int] = field(default_factory=set)
    frames: int = 0
    seconds: float = 0.0
    busy_since: float = 0.0

    @property
    def frames_per_second(self) -> float | None:
        return self.frames / self.seconds if self.seconds > 0 and self.frames else None


@dataclass
class Run:
    """A unit, or what remained of it, at a worker.

    Attributes:
        is_second: whether another worker has it, too; its frames are not counted.
        done: how many of its first segments are settled, as far as `pass_over` has seen.
        frames_left: of all others.
    """

    key: str
    unit: Unit
    worker: str
    is_second: bool = False
    done: int = 0
    frames_left: int = field(init=False)
    _counted: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.frames_left = self.unit.frames

    def pass_over(self, settled: Container[int]) -> None:
        """Take notice of which segments are settled; each is looked at once, however many ask."""
        segments = self.unit.segments
        while self.done < len(segments) and segments[self.done].number in settled:
            self.frames_left -= segments[self.done].frames
            self.done += 1

    def segment(self, index: int) -> NumberedTask | None:
        """Return the segment of a task; None: it is the lead."""
        index -= self.unit.lead is not None
        return self.unit.segments[index] if index >= 0 else None

    def count(self, index: int, frames: int) -> int:
        """Count frames of a task; return by how many the progress changes."""
        if self.segment(index) is None or self.is_second:
            return 0
        before = self._counted[index]
        self._counted[index] = max(0, before + frames)
        return self._counted[index] - before

    def count_all(self, index: int, frames: int) -> int:
        """Count all frames of a task that is done; return by how many the progress changes."""
        return frames - self._counted.pop(index, 0)

    def uncounted(self) -> int:
        """Count the frames of unfinished tasks no more; return how many they were."""
        frames = self._counted.total()
        self._counted.clear()
        return frames


def is_whole(outcome: Outcome | Failure) -> TypeGuard[Outcome]:
    """Return whether a segment was done, and not only tried."""
    return isinstance(outcome, Outcome) and not isinstance(outcome, TrialOutcome)
