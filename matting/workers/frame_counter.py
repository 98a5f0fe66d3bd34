"""How many frames of each segment a worker has done, so that they can be taken back."""

from __future__ import annotations

from collections import Counter

from matting.progress import Progress


class FrameCounter(Progress):
    """Passes on what a worker reports, and counts the frames of each pending segment.

    Attributes:
        counted_any: whether the present worker got as far as a frame.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._name = ""
        self._frames: Counter[str] = Counter()
        self.counted_any = False

    def say(self, text: str) -> None:
        self._progress.say(text)

    def detail(self, text: str) -> None:
        self._progress.detail(text)

    def begin_segment(self, name: str) -> None:
        self._name = name
        self._progress.begin_segment(name)

    def advance(self, units: int) -> None:
        self._frames[self._name] += units
        self.counted_any = True
        self._progress.advance(units)

    def take_back(self) -> None:
        """Count the frames of all that is pending as not done: they will be done again."""
        self._progress.advance(-self._frames.total())
        self._frames.clear()

    def forget(self, name: str | None = None) -> None:
        """Keep no count of one segment any more, or of any."""
        if name is None:
            self._frames.clear()
        else:
            del self._frames[name]
