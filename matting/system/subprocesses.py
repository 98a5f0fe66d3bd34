"""Work in a process of its own, with which its memory ends, on the GPU too, and any crash."""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from typing import TypeVar, cast

from matting.errors import MachineError
from matting.system.lifetimes import end_with_parent

# As on Windows; a fork would share the state of torch and of CUDA.
START_METHOD = "spawn"
# What a user's script has to heed, which such a process loads once more.
BELOW_MAIN = 'Put what starts the work below `if __name__ == "__main__":`. See docs/library.md.'
RAISED = 1  # the exit code of a Python that an exception ended
SAFE_PATH = "PYTHONSAFEPATH"
# Of `multiprocessing.util`: returns the interpreter's flags, which spawned ones are to have, too.
SPAWN_FLAGS = "_args_from_interpreter_flags"

A = TypeVar("A")


def run_isolated(work: Callable[[], A], seconds: float) -> A:
    """Return what `work` returns in a process of its own; both must be picklable.

    Raises:
        MachineError: the process ended early, or did not finish within `seconds`.
    """
    context = process_context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send_result, args=(theirs, work), daemon=True)
    with ours:
        with theirs:
            start(process)
        try:
            if ours.poll(seconds):
                return cast(A, ours.recv())
        except (EOFError, OSError) as error:
            process.join()
            raise MachineError(
                f"the process that tried it crashed (code {process.exitcode})."
            ) from error
        finally:
            process.kill()
            process.join()
        raise MachineError(
            f"the process that tried it did not finish within {seconds:.0f} seconds."
        )


def process_context() -> SpawnContext:
    """Return what processes are made with; `start` starts them."""
    return cast(SpawnContext, multiprocessing.get_context(START_METHOD))


def start(process: multiprocessing.process.BaseProcess) -> None:
    """Start a process that ignores Ctrl-C, and imports nothing from the current folder."""
    with _interrupts_ignored(), _current_folder_left_out():
        process.start()


def _send_result(pipe: Connection, work: Callable[[], object]) -> None:
    end_with_parent()
    with pipe:
        pipe.send(work())


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let what is started in the block ignore Ctrl-C from its first moment on.

    For that moment, so does this process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    _ignore_in_console(ignore=True)
    try:
        yield
    finally:
        _ignore_in_console(ignore=False)
        signal.signal(signal.SIGINT, before)


@contextmanager
def _current_folder_left_out() -> Iterator[None]:
    """Let Pythons that are started in the block look for modules elsewhere.

    A spawned one is `python -c "from multiprocessing ..."`, which would import even that from the
    current folder. Once it has started, it gets this process's own path.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    known = vars(multiprocessing.util)[SPAWN_FLAGS]
    if sys.version_info < (3, 11) or sys.flags.ignore_environment:  # which do without the variable
        vars(multiprocessing.util)[SPAWN_FLAGS] = lambda: known() + _safe_path_flags()
    try:
        yield
    finally:
        vars(multiprocessing.util)[SPAWN_FLAGS] = known
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before


def _safe_path_flags() -> list[str]:
    if sys.version_info >= (3, 11):
        return ["-P"]
    # This leaves out all of Python's variables; the one that changes how names are read is kept.
    return ["-I", "-X", f"utf8={sys.flags.utf8_mode}"]


def _ignore_in_console(*, ignore: bool) -> None:
    """Ignore Ctrl-C, or not, as a console process on Windows, where it goes to all of a console.

    A process started while this one ignores it does so too, even before its first line runs;
    signal handlers are not inherited there.
    """
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - only needed on Windows

        ctypes.windll.kernel32.SetConsoleCtrlHandler(None, ignore)
