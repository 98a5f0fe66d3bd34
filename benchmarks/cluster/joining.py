"""Progress that notes when workers begin to take part."""

from __future__ import annotations

import time

from matting.progress import Progress


class Joining(Progress):
    """Notes when each worker begins to take part, in seconds of a monotonic clock.

    Attributes:
        cpu_before: the processor time of this process when the first did.
    """

    def __init__(self) -> None:
        self.joined: list[float] = []
        self.cpu_before = 0.0

    def say(self, text: str) -> None:
        if "takes part" in text:
            self.cpu_before = self.cpu_before or time.process_time()
            self.joined.append(time.monotonic())
