"""Calls in a process of its own, one after another, that may hang, crash or take all memory."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import TypeVar, cast

from matting.errors import MattingError
from matting.system.lifetimes import end_with_parent
from matting.system.subprocesses import process_context, start

START_SECONDS = 60.0  # on a cold disk, and while a virus scanner looks on
ALIVE_SECONDS = 0.2  # between two signs of life
POLL_SECONDS = 0.25
STOP_SECONDS = 5.0
LEAST_MEMORY_BYTES = 1 << 31
STDERR = 2

A = TypeVar("A")
Alive = Callable[[], None]


class Loss(Enum):
    """Why a call did not come back."""

    HUNG = "hung"
    CRASHED = "crashed"
    MEMORY = "memory"


class LostCallError(Exception):
    """A call did not come back.

    Attributes:
        loss: why.
    """

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.value)
        self.loss = loss


class UnavailableError(Exception):
    """There is no such process here, or it cannot make this call: make it without."""


class _Note(Enum):
    """What the process says between two results."""

    READY = "ready"
    ALIVE = "alive"
    NO_MEMORY = "no memory"
    FAULT = "fault"


@dataclass(frozen=True)
class _Result:
    value: object


class GuardedCalls:
    """A process that makes calls; after one that did not come back, the next gets a new one.

    Use it in a `with` block. All threads may call.
    """

    def __init__(self, seconds: float) -> None:
        """
        Args:
            seconds: how long a call may go without a sign of life.
        """
        self._seconds = seconds
        self._lock = RLock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._is_ready = False
        self._fails_to_start = False

    def __enter__(self) -> GuardedCalls:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._end()
            self._fails_to_start = True  # nobody would end another one

    def start(self) -> None:
        """Start the process, and do not wait for it: it takes a moment until it is ready."""
        with self._lock:
            if self._pipe is not None or self._fails_to_start:
                return
            in_main = threading.current_thread() is threading.main_thread()
            context = process_context()
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(
                target=_serve,
                args=(theirs,),
                kwargs={"started_by_main_thread": in_main},
                daemon=True,
            )
            try:
                with theirs:
                    start(self._process)
            except (OSError, AssertionError):  # the latter: this process may have no children
                self._process = None
                self._end()
                self._fails_to_start = True

    def call(self, work: Callable[[Alive], A]) -> A:
        """Return what `work` returns in the process; both must be picklable.

        Args:
            work: gets a function to call now and then, as a sign of life.
        Raises:
            LostCallError: it did not come back.
            UnavailableError: no process starts here, or the work has a fault.
            MattingError: what the work raises.
        """
        with self._lock:
            self.start()
            self._wait_until_ready()
            try:
                return cast(A, self._answer(work))
            except BaseException as error:
                if not isinstance(error, MattingError | UnavailableError):  # else it still works
                    self._end()
                raise

    def _wait_until_ready(self) -> None:
        if self._is_ready:
            return
        try:
            if self._pipe is None or self._receive(START_SECONDS) is not _Note.READY:
                raise UnavailableError
        except LostCallError as error:
            self._end()
            self._fails_to_start = True
            raise UnavailableError from error
        self._is_ready = True

    def _answer(self, work: Callable[[Alive], object]) -> object:
        if self._pipe is not None:
            with suppress(OSError):  # it is gone; receiving tells so
                self._pipe.send(work)
        while True:
            answer = self._receive(self._seconds)
            if isinstance(answer, _Result):
                return answer.value
            if isinstance(answer, MattingError):
                raise answer
            if answer is _Note.NO_MEMORY:
                raise LostCallError(Loss.MEMORY)
            if answer is _Note.FAULT:
                raise UnavailableError

    def _receive(self, seconds: float) -> object:
        """Wait for the next message. While a computer sleeps, the time does not count."""
        if self._pipe is None or self._process is None:
            raise LostCallError(Loss.CRASHED)
        waited, last = 0.0, time.monotonic()
        try:
            while not wait([self._pipe, self._process.sentinel], POLL_SECONDS):
                now = time.monotonic()
                waited, last = waited + min(now - last, 10 * POLL_SECONDS), now
                if waited > seconds:
                    raise LostCallError(Loss.HUNG)
            if not self._pipe.poll():
                raise EOFError
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise LostCallError(Loss.CRASHED) from error

    def _end(self) -> None:
        """End the process; return when it is gone."""
        process, pipe = self._process, self._pipe
        self._process, self._pipe, self._is_ready = None, None, False
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            process.join(STOP_SECONDS)
            if not process.is_alive():  # one that hangs in the kernel is beyond reach
                process.close()


def _serve(pipe: Connection, *, started_by_main_thread: bool) -> None:
    """Make calls until nobody asks any more."""
    if started_by_main_thread:  # with any other it would end too soon
        end_with_parent()
    if pipe.fileno() > STDERR:  # with closed streams, the pipe may be there
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), STDERR)  # a library's last words are nothing for the user
    _limit_memory()
    last = time.monotonic()

    def alive() -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > ALIVE_SECONDS:
            last = now
            pipe.send(_Note.ALIVE)

    with pipe, suppress(EOFError, OSError):
        pipe.send(_Note.READY)
        while True:
            work: Callable[[Alive], object] = pipe.recv()
            pipe.send(_outcome(work, alive))


def _outcome(work: Callable[[Alive], object], alive: Alive) -> object:
    try:
        return _Result(work(alive))
    except MattingError as error:
        return _Note.NO_MEMORY if _is_of_memory(error) else error
    except MemoryError:
        return _Note.NO_MEMORY
    except Exception:  # noqa: BLE001 - made again by whoever asked, it shows itself there
        return _Note.FAULT


def _is_of_memory(error: BaseException) -> bool:
    """Return whether an error was caused by too little memory."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or getattr(cause, "errno", None) == errno.ENOMEM:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _limit_memory() -> None:
    """Let this process take half of the computer's memory, where the system can limit that."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not on Windows

        page = os.sysconf("SC_PAGE_SIZE")
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * page
        room = max(LEAST_MEMORY_BYTES, os.sysconf("SC_PHYS_PAGES") * page // 2)
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard == resource.RLIM_INFINITY or used + room < hard:
            resource.setrlimit(resource.RLIMIT_AS, (used + room, hard))
