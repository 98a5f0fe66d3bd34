"""Decode, compute and encode at once: a reader and a writer thread around the calling thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

DEPTH = 2  # items waiting at each side; more only costs memory
POLL_SECONDS = 0.1  # how soon a blocked thread sees that another has failed


class _StoppedError(Exception):
    """Another stage has failed or ended the work."""


class _Channel(Generic[A]):
    """A bounded queue that gives up when the work is stopped."""

    def __init__(self, stop: threading.Event) -> None:
        self._queue: queue.Queue[tuple[A, ...]] = queue.Queue(DEPTH)
        self._stop = stop

    def put(self, item: A) -> None:
        self._push((item,))

    def close(self) -> None:
        """No more items follow."""
        self._push(())

    def _push(self, box: tuple[A, ...]) -> None:
        while not self._stop.is_set():
            try:
                return self._queue.put(box, timeout=POLL_SECONDS)
            except queue.Full:
                continue
        raise _StoppedError

    def __iter__(self) -> Iterator[A]:
        while not self._stop.is_set():
            try:
                box = self._queue.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if not box:
                return
            yield box[0]
        raise _StoppedError


class _Stage(threading.Thread):
    """A thread that stops all others when it fails, and keeps its error."""

    def __init__(self, name: str, work: Callable[[], None], stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._stop_event = stop
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        except _StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the calling thread, which raises it
            self.error = error
            self._stop_event.set()


def overlap(
    read: Callable[[], Generator[A, None, None]],
    compute: Callable[[A], B],
    write: Callable[[B], None],
) -> None:
    """Runs every item of `read()` through `compute` and then `write`, in order, all three at once.

    `read` and `write` run in threads of their own, `compute` in the calling one. When this
    returns or raises, both threads have ended and the iterator is closed.

    Raises:
        whatever a stage raised first; KeyboardInterrupt in the calling thread stops all.
    """
    stop = threading.Event()
    arrived: _Channel[A] = _Channel(stop)
    finished: _Channel[B] = _Channel(stop)

    def reader() -> None:
        items = read()
        with closing(items):
            for item in items:
                arrived.put(item)
        arrived.close()

    def writer() -> None:
        for item in finished:
            write(item)

    stages = (_Stage("reader", reader, stop), _Stage("writer", writer, stop))
    for stage in stages:
        stage.start()
    try:
        for item in arrived:
            finished.put(compute(item))
        finished.close()
        _join(stages[1])
    except _StoppedError:
        pass
    finally:
        stop.set()
        for stage in stages:
            _join(stage)
    for stage in stages:
        if stage.error is not None:
            raise stage.error


def _join(thread: threading.Thread) -> None:
    """Waits in short turns: on Windows an unbounded wait would keep Ctrl-C from being heard."""
    while thread.is_alive():
        thread.join(POLL_SECONDS)
