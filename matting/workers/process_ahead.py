"""Processes for workers: one can be started ahead, to load torch while its work is looked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from matting.system.lifetimes import end_with_parent
from matting.system.ram import killed_for_memory, let_give_way
from matting.system.subprocesses import process_context, start

# With what it imports, torch above all, most of what a worker takes to start.
WORKERS = f"{__name__.rpartition('.')[0]}.worker_process"
STOP_SECONDS = 5
SOON_CUT_BYTES = 1 << 28  # of a video, in about a minute


class StartedProcess:
    """A process that loads what workers need, and waits to be told which work to do.

    Attributes:
        pipe: to its work.
        killed_before: how many processes the system had ended for memory when it started.
    """

    def __init__(self) -> None:
        """Start it, and do not wait.

        Raises:
            OSError: no process starts here.
        """
        context = process_context()
        self.pipe, far_end = context.Pipe()
        self.process: BaseProcess = context.Process(target=_load, args=(far_end,), daemon=True)
        self.killed_before = killed_for_memory()
        with far_end:
            start(self.process)
        let_give_way(self.process.pid)  # not by itself: its imports alone take much

    def do(self, work: Callable[..., None], *arguments: object) -> None:
        """Have it do `work(pipe, *arguments)`, all of which can be pickled, and end."""
        with suppress(OSError):  # it is gone; who waits for an answer finds that out
            self.pipe.send((work, arguments))

    def close(self) -> None:
        """End it; return when it is gone."""
        self.pipe.close()
        self.process.terminate()
        self.process.join(STOP_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(STOP_SECONDS)
        if not self.process.is_alive():  # one that hangs in the kernel is beyond reach
            self.process.close()


def _load(pipe: Connection) -> None:
    end_with_parent()
    with pipe:
        try:
            import_module(WORKERS)
            work, arguments = pipe.recv()
        except (ImportError, OSError, EOFError):
            return  # the process that started this one fails to load the same, or needs nothing
        work(pipe, *arguments)


# Each with the process that started it.
_ahead: list[tuple[int, StartedProcess]] = []


@contextmanager
def process_ahead(path: Path) -> Iterator[None]:
    """Start a process for the first worker in the block; where none is needed, it ends with it.

    Args:
        path: the segments, or the video that has to be cut first. Where that takes long, nothing is
            started: a process that only waits takes memory.
    """
    with suppress(OSError):  # who needs one tries again, and tells why there is none
        if path.is_dir() or path.stat().st_size < SOON_CUT_BYTES:
            _ahead.append((os.getpid(), StartedProcess()))
    try:
        yield
    finally:
        own = _take()
        if own is not None:
            own.close()


def take_process() -> StartedProcess:
    """Return a process for a worker: the one that was started ahead, or a new one.

    Raises:
        OSError: no process starts here.
    """
    own = _take()
    if own is not None and own.process.is_alive():
        return own
    if own is not None:
        own.close()
    return StartedProcess()


def _take() -> StartedProcess | None:
    """Return the process that was started ahead, to one who asks; a fork has none of its own."""
    while _ahead:
        process_id, started = _ahead.pop()
        if process_id == os.getpid():
            return started
    return None
