"""The program in child processes, each the leader of a group that can be killed as one.

Starting Python and importing torch takes seconds. So most children are forked from a server that
has imported everything and done nothing; they call the command line's entry point with the same
arguments. `cold` children are started as users do: python inference_custom.py ...
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NamedTuple

from benchmarks.faults.fault import NotHeldError

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_SECONDS = 60.0
POLL_SECONDS = 0.01
GONE = "ZX"  # states of a process that has ended
CONTEXT = multiprocessing.get_context("forkserver")
# What the program and its packages import when they need it.
PRELOADED = [
    "matting.cli.main",
    "matting.run",
    "matting.infer_and_deliver",
    "benchmarks.faults.bench",
]
PRELOADED += ["matting.workers.loading", "matting.report.job_report", "jinja2", "numpy.ma"]


@dataclass(frozen=True)
class CommandResult:
    """How a command ended.

    Attributes:
        code: its exit code; negative: the signal that killed it.
        output: all that it printed, on both streams.
        seconds: from its start to its end.
    """

    code: int
    output: str
    seconds: float

    def last_lines(self) -> str:
        """Return the end of its output, for messages."""
        return f"exit code {self.code}: " + " / ".join(self.output.strip().splitlines()[-3:])

    def segments_started(self) -> list[str]:
        """Return the segments that it began to matte, or to render from their stored mattes."""
        return re.findall(r"(output_\d+\.mp4): (?:ratio |from its stored matte)", self.output)


class RunningCommand:
    """A command that was started."""

    def __init__(
        self,
        arguments: Sequence[str],
        log: Path,
        *,
        cold: bool,
        prepare: Callable[[], None],
        current: Path | None,
    ) -> None:
        self._arguments, self._log, self._prepare = list(arguments), log, prepare
        self._current = current
        self._started_at = 0.0
        self._is_cold = cold
        self._cold: subprocess.Popen[bytes] | None = None
        self._warm: ForkServerProcess | None = None
        self.pid = 0

    @property
    def started(self) -> bool:
        return self.pid > 0

    def start(self) -> None:
        """Start it; an interruption is raised when it has started."""
        self._started_at = time.monotonic()
        with _uninterrupted():
            if self._is_cold:
                self._start_cold()
            else:
                CONTEXT.set_forkserver_preload(PRELOADED)
                given = (self._arguments, str(self._log), self._prepare, self._current)
                self._warm = CONTEXT.Process(target=_child, args=given)
                self._warm.start()
                self.pid = self._warm.pid or 0

    def _start_cold(self) -> None:
        command = [sys.executable, str(ROOT / "inference_custom.py"), *self._arguments]
        with self._log.open("wb") as output:
            self._cold = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(),
                cwd=self._current,
                start_new_session=True,
            )
        self.pid = self._cold.pid

    def wait(self, seconds: float) -> int | None:
        """Return its exit code once it has ended; None if it has not within that time."""
        if self._cold is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._cold.wait(seconds)
            return None
        if self._warm is None:
            return None
        self._warm.join(seconds)
        return self._warm.exitcode

    def kill(self) -> None:
        """Send SIGKILL to the whole group; return when all of it is gone, and so are its locks."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # it leads no group yet, or is gone
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + LIMIT_SECONDS
        if self.wait(LIMIT_SECONDS) is None:
            raise RuntimeError(f"process {self.pid} survives SIGKILL")
        while _is_alive(self.pid):
            if time.monotonic() > deadline:
                raise RuntimeError(f"a process of group {self.pid} survives SIGKILL")
            time.sleep(POLL_SECONDS)

    def kill_alone(self) -> None:
        """Send SIGKILL to the command, not to what it has started; return when it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        if self.wait(LIMIT_SECONDS) is None:
            raise RuntimeError(f"process {self.pid} survives SIGKILL")

    def kill_children(self) -> None:
        """Send SIGKILL to what the command has started, not to the command."""
        for pid in _children(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait_for_end(self, limit_seconds: float = LIMIT_SECONDS) -> CommandResult:
        """Wait for its end; return its result.

        Raises:
            NotHeldError: it takes longer than the limit.
        """
        code = self.wait(limit_seconds)
        if code is None:
            raise NotHeldError(f"no end after {limit_seconds:g} s: {self._read().strip()[-300:]}")
        return CommandResult(code, self._read(), time.monotonic() - self._started_at)

    def segments_started(self) -> list[str]:
        """Return the segments that it has begun to matte by now."""
        return CommandResult(0, self._read(), 0).segments_started()

    def _read(self) -> str:
        if not self._log.is_file():
            return ""
        return self._log.read_text(encoding="utf-8", errors="replace")


def _is_alive(group: int) -> bool:
    """Return whether any process of the group still holds its files.

    One that has ended holds them until the last of its threads has.
    """
    return any(
        process.group == group and (process.state not in GONE or process.threads > 1)
        for process in _processes()
    )


def _children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    return [process.pid for process in _processes() if process.parent == parent]


class _Process(NamedTuple):
    pid: int
    state: str
    parent: int
    group: int
    threads: int


def _processes() -> Iterator[_Process]:
    """Yield all processes there are; on Linux, by proc(5)."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            stat = (process / "stat").read_text(errors="replace")
            state, parent, group = stat.rpartition(")")[2].split()[:3]
            threads = len(list((process / "task").iterdir()))
        except (OSError, ValueError):  # it ended meanwhile
            continue
        yield _Process(int(process.name), state, int(parent), int(group), threads)


def nothing() -> None:
    """Prepare nothing."""


@contextmanager
def running(
    arguments: Sequence[str],
    log: Path,
    *,
    cold: bool = False,
    prepare: Callable[[], None] = nothing,
    current: Path | None = None,
) -> Iterator[RunningCommand]:
    """Start a command; kill it when the block is left and it has not ended.

    Args:
        prepare: called in the command's process before it starts, unless that is cold.
        current: the current folder of the command; None: that of this process.
    """
    command = RunningCommand(arguments, log, cold=cold, prepare=prepare, current=current)
    try:
        command.start()
        yield command
    finally:
        if command.started and command.wait(0) is None:
            command.kill()


def run(
    arguments: Sequence[str], log: Path, *, cold: bool = False, limit_seconds: float = LIMIT_SECONDS
) -> CommandResult:
    """Run a command to its end.

    Raises:
        NotHeldError: it takes longer than the limit.
    """
    with running(arguments, log, cold=cold) as command:
        return command.wait_for_end(limit_seconds)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put Ctrl-C off until the block has ended: a child half started could not be killed."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    pending: list[int] = []
    for number in handlers:
        signal.signal(number, lambda number, _: pending.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for pending_signal in pending[:1]:
        signal.raise_signal(pending_signal)


def _environment() -> dict[str, str]:
    variables = {k: v for k, v in os.environ.items() if k not in {"RVM_CHECKPOINT", "FFMPEG_PATH"}}
    return {**variables, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def _child(
    arguments: list[str], log: str, prepare: Callable[[], None], current: Path | None
) -> None:
    """Do in a forked child what `python inference_custom.py` does."""
    os.setsid()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for number in (1, 2):
        os.dup2(descriptor, number)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    environment = _environment()
    os.environ.clear()
    os.environ.update(environment)
    import torch  # noqa: PLC0415 - the bench itself has no use for it

    from matting.cli.main import main  # noqa: PLC0415
    from matting.system import subprocesses  # noqa: PLC0415

    if current is not None:
        os.chdir(current)
    torch.set_num_threads(1)
    # Nor need the worker import everything anew.
    subprocesses.START_METHOD = "fork"
    prepare()
    sys.exit(main(arguments))
