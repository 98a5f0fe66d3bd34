"""Writing to a console that may stand still, as after Ctrl-S or a selection in Windows' console.

A thread does so: the work goes on, and what was to be said is said when the console moves again.
"""

from __future__ import annotations

import atexit
import os
import stat
import threading
from contextlib import suppress
from queue import Queue
from typing import TextIO

# Progress that would only be overwritten is left out, and of a flood of sentences the end: the log
# has them all.
MOST_PROGRESS, MOST_SENTENCES = 64, 10_000
POLL_SECONDS = 0.1


class ConsoleWriter:
    """Writes texts to streams, in order, and never fails."""

    def __init__(self) -> None:
        self._queue: Queue[tuple[TextIO, str]] = Queue()
        self._thread: threading.Thread | None = None

    def write(self, stream: TextIO, text: str, *, may_be_dropped: bool = False) -> None:
        """Write a text; where the stream may stand still, soon.

        Args:
            may_be_dropped: whether it is left out when very much waits already.
        """
        if not _may_stand_still(stream):
            _write(stream, text)
            return
        if may_be_dropped and self._queue.qsize() >= MOST_SENTENCES:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="console", daemon=True)
            self._thread.start()
            atexit.register(self.drain)
        self._queue.put((stream, text))

    @property
    def is_behind(self) -> bool:
        """Whether progress had better not be written at present."""
        return self._queue.qsize() >= MOST_PROGRESS

    def drain(self) -> None:
        """Wait until all has been written; Ctrl-C ends that, on Windows, too."""
        with suppress(KeyboardInterrupt), self._queue.all_tasks_done:
            while self._queue.unfinished_tasks:
                self._queue.all_tasks_done.wait(POLL_SECONDS)

    def _run(self) -> None:
        while True:
            stream, text = self._queue.get()
            _write(stream, text)
            self._queue.task_done()


WRITER = ConsoleWriter()


def _may_stand_still(stream: TextIO) -> bool:
    """Return whether it is a window or a pipe: files on a disk, and in memory, are at once."""
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return False


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        # `| head` has read enough, the window is closed, or the log's disk is full.
        _silence(stream)
    except ValueError:
        pass  # closed by this process itself


def _silence(stream: TextIO) -> None:
    """Discard what is still to be written there; otherwise Python fails on it when it exits."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
