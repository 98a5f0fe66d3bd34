"""Threads that end together, and bounded queues between them."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

A = TypeVar("A")

# Items waiting in each queue. An encoder takes frames in bursts: with 2, the processor stood
# still for a fifth of the time (measured); with 8, no less than with 4.
DEPTH = 4
POLL_SECONDS = 0.1  # how soon a blocked thread sees that the work was stopped


class StoppedError(Exception):
    """The work was stopped: another thread broke, or nobody waits for it any more."""


class Stages:
    """Threads that end together: when one of them breaks, all stop.

    Attributes:
        error: what broke the first; None: none has broken.
    """

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` in a thread, until it returns or raises StoppedError."""

        def run() -> None:
            try:
                work()
            except StoppedError:
                pass
            except BaseException as error:  # noqa: BLE001 - kept for the calling thread
                self.stop(error)

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self, error: BaseException | None = None) -> None:
        """Have all threads end soon; of several errors the first is kept."""
        with self._lock:
            if self.error is None and not self.stopped.is_set():
                self.error = error
            self.stopped.set()

    def close(self) -> None:
        """Stop all threads; return when they have ended."""
        self.stop()
        for thread in self._threads:
            # In short turns: on Windows an unbounded wait would block Ctrl-C.
            while thread.is_alive():
                thread.join(POLL_SECONDS)


class Channel(Generic[A]):
    """A bounded queue between threads, which gives up when they are stopped."""

    def __init__(self, stages: Stages, depth: int = DEPTH) -> None:
        self._queue: queue.Queue[A] = queue.Queue(depth)
        self._stopped = stages.stopped

    def put(self, item: A) -> None:
        """Wait for room, and put the item there.

        Raises:
            StoppedError: the threads were stopped.
        """
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                return self._queue.put(item, timeout=POLL_SECONDS)
        raise StoppedError

    def offer(self, item: A) -> None:
        """Put the item there if there is room.

        Raises:
            StoppedError: the threads were stopped.
        """
        if self._stopped.is_set():
            raise StoppedError
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(item)

    def get(self) -> A:
        """Wait for the next item, and return it.

        Raises:
            StoppedError: the threads were stopped.
        """
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=POLL_SECONDS)
        raise StoppedError
