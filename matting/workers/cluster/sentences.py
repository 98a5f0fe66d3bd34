"""What threads have to say while a scheduler or a worker runs: the main thread alone shows it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import suppress

from matting.progress import Progress
from matting.workers.cluster.loop_thread import POLL_SECONDS


class Sentences:
    """Takes sentences in any thread, and keeps them until the main thread shows them."""

    def __init__(self, progress: Progress) -> None:
        """
        Args:
            progress: where they are shown.
        """
        self._progress = progress
        self._waiting: queue.SimpleQueue[tuple[Callable[[str], None], str]] = queue.SimpleQueue()

    def say(self, text: str) -> None:
        """Take a sentence for everybody, in any thread."""
        self._waiting.put((self._progress.say, text))

    def detail(self, text: str) -> None:
        """Take a sentence for a user who asked for more, in any thread."""
        self._waiting.put((self._progress.detail, text))

    def show_next(self) -> None:
        """Wait a moment for the next sentence, and show it: in the main thread."""
        with suppress(queue.Empty):
            show, text = self._waiting.get(timeout=POLL_SECONDS)
            show(text)
