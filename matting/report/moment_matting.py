"""Moments matted by settings, several at a time: a single one does not keep all cores busy."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from threading import Event, Lock
from types import TracebackType
from typing import TypeVar

import torch

from matting.errors import DecodeError
from matting.progress import ignore
from matting.report.comparison import Clip
from matting.report.moments import Moment

A = TypeVar("A")

LANES = 2
POLL_SECONDS = 0.2  # how long Ctrl-C waits on Windows, where waiting for a thread hides it
CLIPS_BYTES = 1 << 30  # of frames that are kept for the settings still to come


def lanes_of(device: torch.device) -> int:
    """Return how many moments are matted at once."""
    return LANES if device.type == "cpu" and (os.cpu_count() or 1) >= LANES else 1


@dataclass
class Pace:
    """How long a moment takes by the setting that is being tried, judged by the latest.

    Attributes:
        ends: when there is no more time, by the monotonic clock.
        always: how many moments are shown even without.
    """

    ends: float
    seconds: float = 0.0
    always: int = 1

    def has_time(self) -> bool:
        """Return whether another moment would be done in time."""
        return time.monotonic() + self.seconds <= self.ends


class Lanes:
    """Threads for work on moments; at the end, what is begun stops at its next frame.

    Args:
        count: how many.
        prepare: called by each before its first work.

    Attributes:
        stopped: whether it is to stop.
    """

    def __init__(self, count: int, prepare: Callable[[], None] = ignore) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(count, initializer=prepare)
        self.stopped = Event()

    def __enter__(self) -> Lanes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def begin(self, work: Callable[[], A]) -> Future[A]:
        """Return what comes of some work, which begins when there is a lane free."""
        return self._pool.submit(work)

    def results(
        self, work: Callable[[Moment], A], moments: Sequence[Moment], pace: Pace, always: int
    ) -> Iterator[tuple[Moment, A | DecodeError]]:
        """Yield moments, in order, each with what comes of it, or why it cannot be read.

        Args:
            always: so many are begun, even if there is no time for them.
        """
        over = Event()

        def begun(number: int, moment: Moment) -> A | None:
            """Do the work, if there is still time when there is a lane for it."""
            if number >= always and (over.is_set() or not pace.has_time()):
                over.set()
                return None
            start = time.monotonic()
            result = work(moment)
            pace.seconds = time.monotonic() - start
            return result

        # All wait from the start: no lane is idle while an earlier moment takes longer.
        futures = [self.begin(partial(begun, *each)) for each in enumerate(moments)]
        for moment, future in zip(moments, futures, strict=True):
            try:
                result = result_of(future)
            except DecodeError as error:
                yield moment, error
                continue
            if result is None:
                return
            yield moment, result


def result_of(future: Future[A]) -> A:
    """Wait for the result of a thread, in a way that Ctrl-C ends."""
    while not future.done():
        wait([future], timeout=POLL_SECONDS)
    return future.result()


class Clips:
    """The frames of moments: read once, as far as there is room for them.

    Args:
        read: reads those of a moment.
    """

    def __init__(self, read: Callable[[Moment], Clip]) -> None:
        self._read = read
        self._kept: dict[int, Clip] = {}
        self._room = CLIPS_BYTES
        self._lock = Lock()

    def of(self, moment: Moment) -> Clip:
        """Return a moment's frames.

        Raises:
            DecodeError: they cannot be read.
        """
        clip = self._kept.get(moment.frame)
        if clip is None:
            clip = self._read(moment)
            with self._lock:
                if clip.size_bytes <= self._room:
                    self._room -= clip.size_bytes
                    self._kept[moment.frame] = clip
        return clip
