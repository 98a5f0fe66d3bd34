"""Work in a process of its own: with it end its memory, on a graphics card too, and any crash."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from typing import TypeVar, cast

from matting.errors import MachineError

# As on Windows; a fork would share the state of torch and of CUDA.
START_METHOD = "spawn"

A = TypeVar("A")


def run_isolated(work: Callable[[], A], seconds: float) -> A:
    """What `work` returns, done in a process of its own; both can be pickled.

    Raises:
        MachineError: the process broke off, or it was not done within so many seconds.
    """
    context = process_context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(theirs, work), daemon=True)
    with ours:
        with theirs, interrupts_ignored():
            process.start()
        try:
            if ours.poll(seconds):
                return cast(A, ours.recv())
        except (EOFError, OSError) as error:
            process.join()
            raise MachineError(
                f"the process that tried it broke off (code {process.exitcode})."
            ) from error
        finally:
            process.kill()
            process.join()
        raise MachineError(f"nothing came of a trial within {seconds:.0f} seconds.")


def process_context() -> SpawnContext:
    """How processes are started."""
    return cast(SpawnContext, multiprocessing.get_context(START_METHOD))


def _tell(pipe: Connection, work: Callable[[], object]) -> None:
    with pipe:
        pipe.send(work())


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """What is started in the block ignores Ctrl-C from its first moment on; and for that moment so
    does this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    _console_ignores(ignores=True)
    try:
        yield
    finally:
        _console_ignores(ignores=False)
        signal.signal(signal.SIGINT, before)


def _console_ignores(*, ignores: bool) -> None:
    """On Windows Ctrl-C goes to all processes of a console. Who starts while this one ignores it
    does so, too, before its first line is run; a signal's handler is not handed down there."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - nobody else needs it

        ctypes.windll.kernel32.SetConsoleCtrlHandler(None, ignores)
