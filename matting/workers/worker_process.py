"""A worker in a process of its own, and the messages between it and the one that watches it."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

from matting.errors import InputError, MachineError, MattingError, UnforeseenError
from matting.inference.precision_record import PrecisionChoice
from matting.progress import Progress
from matting.system.file_lock import folder_lock
from matting.system.lifetimes import end_after, end_with_parent
from matting.system.process_messages import (
    ProgressCall,
    RemoteProgress,
    SilenceError,
    next_message,
)
from matting.system.ram import killed_for_memory
from matting.system.subprocesses import BELOW_MAIN, RAISED
from matting.workers.executor import Outcome, SegmentTask, WorkerSetup
from matting.workers.memory_need import ended_by_the_system
from matting.workers.pipeline import StoppedError
from matting.workers.process_ahead import STOP_SECONDS, take_process
from matting.workers.worker import Worker

SLOWEST_DISK = 20_000_000  # bytes a second; a file is read as a whole before its first frame
STARTS_SLOWER = 5  # times the patience: torch takes its time on a cold disk
KILLED = 9  # SIGKILL, which Windows has not
LEFT_BEHIND_SECONDS = 60  # for what a worker does before it notices that it is to stop
WORKER_LOCK = ".worker.lock"

Serve = Callable[[Connection, WorkerSetup, Path], None]


@dataclass(frozen=True)
class _Ready:
    """The worker has loaded the network.

    Attributes:
        choice: what it computes in; None where there is no network.
    """

    choice: PrecisionChoice | None = None


@dataclass(frozen=True)
class _Fault:
    """An error that no one foresaw, with its traceback as text."""

    text: str


_Message = _Ready | ProgressCall | _Fault | Outcome | MattingError


class WorkerProcess:
    """A worker in a process of its own."""

    def __init__(
        self,
        setup: WorkerSetup,
        folder: Path,
        progress: Progress,
        serve: Serve | None = None,
    ) -> None:
        """Return when the worker is ready.

        Args:
            folder: the matted folder.
            serve: what the process runs; None: `serve_tasks`.
        Raises:
            MattingError: it cannot start; the process is gone.
        """
        self._patience_seconds = setup.options.compute.patience_seconds
        self._sizes_bytes: deque[int] = deque()  # of what was submitted and has no outcome
        self._is_ready = False
        self._started = take_process()
        self._pipe, self._process = self._started.pipe, self._started.process
        try:
            self._started.do(serve or serve_tasks, setup, folder)
            ready = self._answer(progress, self._patience_seconds * STARTS_SLOWER)
            self._is_ready = True
        except BaseException:
            self.close()
            raise
        self._choice = ready.choice if isinstance(ready, _Ready) else None

    @property
    def choice(self) -> PrecisionChoice | None:
        """What the network computes in; None without it."""
        return self._choice

    def submit(self, task: SegmentTask) -> None:
        """Queue a segment."""
        self._sizes_bytes.append(_size_bytes(task.item.path))
        with suppress(OSError):  # it is gone; `outcome` tells why
            self._pipe.send(task)

    def outcome(self, progress: Progress) -> Outcome:
        """Wait for the segment submitted first; return its outcome.

        Raises:
            MachineError: the machine refused, the process ended, or made no progress for too long.
            UnforeseenError: a fault of the program; its traceback has been shown.
            MattingError: that segment could not be matted; nothing of it is left behind.
        """
        reading_seconds = 2 * sum(self._sizes_bytes) / SLOWEST_DISK
        try:
            answer = self._answer(progress, self._patience_seconds + reading_seconds)
        finally:
            self._sizes_bytes.popleft()
        if not isinstance(answer, Outcome):
            raise TypeError(f"not an outcome: {answer!r}")
        return answer

    def close(self) -> None:
        """End the process; return when it is gone."""
        self._started.close()

    def _answer(self, progress: Progress, patience_seconds: float) -> _Ready | Outcome:
        """Return the next answer, and pass on the progress until then."""
        while True:
            message = self._message(patience_seconds)
            if isinstance(message, ProgressCall):
                message.repeat(progress)
            elif isinstance(message, MattingError):
                raise message
            elif isinstance(message, _Fault):
                lines = message.text.strip().split("\n")
                for line in lines:
                    progress.say(line)
                last = lines[-1]
                raise UnforeseenError(f"A fault of this program, not yours: {last}")
            else:
                return message

    def _message(self, patience_seconds: float) -> _Message:
        try:
            return cast(_Message, next_message(self._pipe, self._process, patience_seconds))
        except SilenceError as error:
            raise MachineError(
                f"Nothing moved for {patience_seconds:.0f} seconds.",
                "If this computer needs longer for one frame, give a larger --patience.",
                option="--patience",
            ) from error
        except EOFError as error:
            raise self._crash() from error

    def _crash(self) -> MattingError:
        self._process.join(STOP_SECONDS)
        if not self._is_ready and self._process.exitcode == RAISED:  # nothing of the work had begun
            script = Path(getattr(sys.modules["__main__"], "__file__", None) or "the script")
            return InputError(
                f"A process of the work broke off while it loaded {script.name} once more.",
                BELOW_MAIN,
            )
        if self._process.exitcode == -KILLED:
            return ended_by_the_system(for_memory=killed_for_memory() > self._started.killed_before)
        return MachineError(
            f"The part of the program that mattes broke off (code {self._process.exitcode}).",
            if_repeated="update the graphics driver, or use --device cpu.",
            option="--device",
        )


def _size_bytes(path: Path) -> int:
    """Return the size of a file, or of all files of an image sequence; 0 where it is gone."""
    try:
        files = list(path.iterdir()) if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0


def serve_tasks(
    pipe: Connection,
    setup: WorkerSetup,
    folder: Path,
    worker_of: Callable[[WorkerSetup], Worker] = Worker,
) -> None:
    """Run a worker in this process, one task after another, until nobody is there to send them.

    Args:
        folder: the matted folder; a worker that an earlier run left behind may need a moment to
            notice and let go of it.
        worker_of: makes the worker.
    """
    # Ctrl-C is for the watching process; it ends this one, which has nothing to say to that.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()
    with pipe:
        try:
            with (
                _own_folder(setup, folder),
                worker_of(setup) as worker,
            ):
                pipe.send(_Ready(worker.choice))
                threading.Thread(target=_receive_tasks, args=(pipe, worker), daemon=True).start()
                progress = RemoteProgress(pipe.send, pulse_seconds=0)
                answer: _Message = _Ready()
                while not isinstance(answer, MachineError):
                    answer = _next_answer(worker, progress)
                    pipe.send(answer)
        except MattingError as error:
            pipe.send(error)
        except (ConnectionError, StoppedError):
            return  # the watching process is gone


def _own_folder(setup: WorkerSetup, folder: Path) -> AbstractContextManager[None]:
    """Return what holds the matted folder, if no other worker may work in it."""
    if not setup.is_alone:
        return nullcontext()
    return folder_lock(folder, WORKER_LOCK, setup.options.compute.patience_seconds)


def _receive_tasks(pipe: Connection, worker: Worker) -> None:
    """Hand tasks to the worker, until nobody is there to send them."""
    try:
        while True:
            worker.submit(pipe.recv())
    except (EOFError, OSError):
        end_after(LEFT_BEHIND_SECONDS)  # if it hangs
        worker.stop()


def _next_answer(worker: Worker, progress: Progress) -> Outcome | MattingError | _Fault:
    try:
        return worker.outcome(progress)
    except MattingError as error:
        return error
    except (ConnectionError, StoppedError):
        raise
    except Exception:  # noqa: BLE001 - sent on, and raised where it is shown
        return _Fault(traceback.format_exc())
