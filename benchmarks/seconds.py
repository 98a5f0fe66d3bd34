"""How long work takes: of the processor, and by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Seconds(NamedTuple):
    """Of the processor, and by the clock."""

    cpu: float
    wall: float

    @classmethod
    def of(cls, work: Callable[[], object]) -> Seconds:
        """Return what some work takes."""
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        return cls(time.process_time() - cpu, time.perf_counter() - wall)

    @classmethod
    def least(cls, tries: Sequence[Seconds]) -> Seconds:
        """Return the least that several tries of the same work took, each by itself."""
        return cls(min(t.cpu for t in tries), min(t.wall for t in tries))
