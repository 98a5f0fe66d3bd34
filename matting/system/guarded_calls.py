"""Calls in a process of its own, one after another, that may hang, crash or take all memory."""

from __future__ import annotations

import errno
import multiprocessing
import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar, cast

from matting.errors import UnforeseenError
from matting.progress import Progress
from matting.system.closing import Closing
from matting.system.lifetimes import end_with_parent
from matting.system.process_messages import (
    ProgressCall,
    RemoteProgress,
    SilenceError,
    next_message,
)
from matting.system.subprocesses import process_context, start

START_SECONDS = 60.0  # on a cold disk, and while a virus scanner looks on
STOP_SECONDS = 5.0
LEAST_MEMORY_BYTES = 1 << 31
STDERR = 2
KILLED = 9  # SIGKILL, which Windows has not

A = TypeVar("A")


class Loss(Enum):
    """Why a call did not come back."""

    HUNG = "hung"
    CRASHED = "crashed"
    KILLED = "killed"  # as Linux does when memory runs out
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
    """No such process starts here: make the call without."""


class RemoteTracebackError(Exception):
    """The cause of an error that was raised in the process: its traceback there, as text."""


@dataclass(frozen=True)
class Limits:
    """What a call may take.

    Attributes:
        silence_seconds: how long it may go without a sign of life.
        has_half_the_memory: whether it fails where it takes more than half of the computer's
            memory, where the system can limit that.
    """

    silence_seconds: float
    has_half_the_memory: bool = True


class _Note(Enum):
    """What the process says between two results."""

    READY = "ready"
    NO_MEMORY = "no memory"


@dataclass(frozen=True)
class _Call:
    work: Callable[[Progress], object]
    limits: Limits


@dataclass(frozen=True)
class _Result(Generic[A]):
    value: A


@dataclass(frozen=True)
class _Failure:
    error: Exception
    traceback: str


class GuardedCalls(Closing):
    """A process that makes calls; after one that did not come back, the next gets a new one.

    Use it in a `with` block. All threads may call.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._is_ready = False
        self._fails_to_start = False

    def close(self) -> None:
        """End the process, for good."""
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
                self._give_up_starting()
            except BaseException:
                self._give_up_starting()
                raise

    def call(
        self, work: Callable[[Progress], A], limits: Limits, progress: Progress | None = None
    ) -> A:
        """Return what `work` returns in the process; raise what it raises.

        Args:
            work: picklable, as is what it returns; whatever it tells the progress that it gets,
                `alive` and `advance` with nothing done as well, is a sign of life.
            progress: is told the same, in this thread. What it raises ends the call.
        Raises:
            LostCallError: it did not come back.
            UnavailableError: no process starts here.
        """
        with self._lock:
            self.start()
            self._wait_until_ready()
            try:
                outcome = self._outcome(_Call(work, limits), progress or Progress())
            except BaseException:
                self._end()
                raise
        if isinstance(outcome, _Failure):
            raise outcome.error from RemoteTracebackError(outcome.traceback)
        return cast(A, outcome.value)

    def _wait_until_ready(self) -> None:
        if self._is_ready:
            return
        try:
            if self._receive(START_SECONDS) is not _Note.READY:
                raise UnavailableError
        except LostCallError as error:
            self._end()
            self._fails_to_start = True
            raise UnavailableError from error
        self._is_ready = True

    def _outcome(self, call: _Call, progress: Progress) -> _Result[object] | _Failure:
        if self._pipe is not None:
            with suppress(OSError):  # it is gone; receiving tells so
                self._pipe.send(call)
        while True:
            message = self._receive(call.limits.silence_seconds)
            if isinstance(message, ProgressCall):
                message.repeat(progress)
            elif message is _Note.NO_MEMORY:
                raise LostCallError(Loss.MEMORY)
            elif isinstance(message, _Result | _Failure):
                return message

    def _receive(self, silence_seconds: float) -> object:
        if self._pipe is None or self._process is None:
            raise LostCallError(Loss.CRASHED)
        try:
            return next_message(self._pipe, self._process, silence_seconds)
        except SilenceError as error:
            raise LostCallError(Loss.HUNG) from error
        except EOFError as error:
            self._process.join(STOP_SECONDS)
            killed = self._process.exitcode == -KILLED
            raise LostCallError(Loss.KILLED if killed else Loss.CRASHED) from error

    def _give_up_starting(self) -> None:
        self._process = None  # which has not started, so it cannot be ended
        self._end()
        self._fails_to_start = True

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
    end_with_parent(started_by_main_thread=started_by_main_thread)
    if pipe.fileno() > STDERR:  # with closed streams, the pipe may be there
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), STDERR)  # a library's last words are nothing for the user
    with pipe, suppress(EOFError, OSError):
        pipe.send(_Note.READY)
        while True:
            call: _Call = pipe.recv()
            _limit_memory(to_half=call.limits.has_half_the_memory)
            progress = RemoteProgress(pipe.send)
            outcome = _made(call, progress)
            progress.flush()
            pipe.send(outcome)


def _made(call: _Call, progress: Progress) -> _Result[object] | _Failure | _Note:
    """Make a call; return what came of it."""
    try:
        return _Result(call.work(progress))
    except Exception as error:  # noqa: BLE001 - sent on, and raised where it is shown
        if _is_of_memory(error):
            return _Note.NO_MEMORY
        return _Failure(_portable(error), traceback.format_exc().rstrip())


def _portable(error: Exception) -> Exception:
    """Return an error as it can be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))  # some can be written that cannot be read
    except Exception:  # noqa: BLE001 - whatever its class raises
        return UnforeseenError(
            f"A fault of this program, not yours: {type(error).__name__}: {error}"
        )
    return error


def _is_of_memory(error: BaseException) -> bool:
    """Return whether an error was caused by too little memory."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or getattr(cause, "errno", None) == errno.ENOMEM:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _limit_memory(*, to_half: bool) -> None:
    """Let this process take half of the computer's memory beyond what it has; or all of it."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not on Windows

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = hard
        if to_half:
            page = os.sysconf("SC_PAGE_SIZE")
            has = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * page
            most = has + max(LEAST_MEMORY_BYTES, os.sysconf("SC_PHYS_PAGES") * page // 2)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))
