"""How many frames of each segment a worker has done, so that they can be taken back."""

from __future__ import annotations

from collections import Counter

from matting.progress import Progress, Relay


class FrameCounter(Relay):
    """Passes on what a worker reports, and counts the frames of each pending segment.

    Attributes:
        counted_any: whether the present worker got as far as a frame.
    """

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._name = ""
        self._frames: Counter[str] = Counter()
        self.counted_any = False

    def begin_segment(self, name: str) -> None:
        self._name = name
        super().begin_segment(name)

    def advance(self, units: int) -> None:
        self._frames[self._name] += units
        self.counted_any = True
        super().advance(units)

    def take_back(self) -> None:
        """Count the frames of all that is pending as not done: they will be done again."""
        super().advance(-self._frames.total())
        self._frames.clear()

    def forget(self, name: str | None = None) -> None:
        """Keep no count of one segment any more, or of any."""
        if name is None:
            self._frames.clear()
        else:
            del self._frames[name]
