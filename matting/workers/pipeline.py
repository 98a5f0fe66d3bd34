"""Threads that end together, and bounded queues between them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from matting.workers.held_bytes import held_bytes

A = TypeVar("A")

# Items waiting in each queue. An encoder takes frames in bursts: with 2, the processor stood
# still for a fifth of the time (measured); with 8, no less than with 4.
DEPTH = 4
# And no more than this of them, for at 8192x4096 one is 170 MB: 4 at 3840x2160, 1 there.
MOST_BYTES = 256 << 20
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
    """A bounded queue between threads, which gives up when they are stopped.

    It is full when it holds so many items, or when one more would make it hold too many bytes; one
    item always has room, however large.
    """

    def __init__(self, stages: Stages, depth: int = DEPTH, most_bytes: int = MOST_BYTES) -> None:
        self._stopped = stages.stopped
        self._depth, self._most_bytes = depth, most_bytes
        self._items: deque[tuple[A, int]] = deque()
        self._unfinished = 0
        self._changed = threading.Condition()

    def put(self, item: A) -> None:
        """Wait for room, and put the item there.

        Raises:
            StoppedError: the threads were stopped.
        """
        size = held_bytes(item)
        with self._changed:
            self._wait_until(lambda: self._has_room(size))
            self._append(item, size)

    def offer(self, item: A) -> None:
        """Put the item there if there is room.

        Raises:
            StoppedError: the threads were stopped.
        """
        size = held_bytes(item)
        if self._stopped.is_set():
            raise StoppedError
        with self._changed:
            if self._has_room(size):
                self._append(item, size)

    def get(self) -> A:
        """Wait for the next item, and return it.

        Raises:
            StoppedError: the threads were stopped.
        """
        with self._changed:
            self._wait_until(lambda: bool(self._items))
            item, _ = self._items.popleft()
            self._changed.notify_all()
            return item

    def task_done(self) -> None:
        """Say that the work on an item is over; for `join`, as of `queue.Queue`."""
        with self._changed:
            self._unfinished -= 1
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the work on all items so far is over.

        Raises:
            StoppedError: the threads were stopped.
        """
        with self._changed:
            self._wait_until(lambda: not self._unfinished)

    def _has_room(self, size: int) -> bool:
        held = sum(own for _, own in self._items)
        fits = len(self._items) < self._depth and held + size <= self._most_bytes
        return fits or not self._items

    def _append(self, item: A, size: int) -> None:
        self._items.append((item, size))
        self._unfinished += 1
        self._changed.notify_all()

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for that while nobody else changes the items.

        Raises:
            StoppedError: the threads were stopped.
        """
        while not self._stopped.is_set():
            if self._changed.wait_for(is_so, POLL_SECONDS):
                return
        raise StoppedError
