"""Running other programs: pip, nvidia-smi and the Python in `.venv`. Nothing else here does."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Protocol

NOT_STARTED = 127
TICK_SECONDS = 1.0
END_SECONDS = 5.0  # then a program that hangs in a driver is left, which cannot be ended
LIMIT_SECONDS = 600.0  # a virus scanner looks at each of torch's files the first time it is loaded
PIP_SETTINGS = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_USER": "0",  # a user's own settings may say 1, which pip refuses in a virtual environment
}


@dataclass(frozen=True)
class CommandResult:
    """How a command ended.

    Args:
        output: what it printed, on stdout and stderr together.
        timed_out: whether it had not ended within its limit.
    """

    exit_code: int
    output: str
    timed_out: bool = False


class CommandRunner(Protocol):
    """Runs commands. No method raises if the program is missing or fails."""

    def run(self, command: Sequence[str]) -> int:
        """Run a command, its output visible in this window, and return its exit code."""
        ...

    def follow(self, command: Sequence[str], on_line: Callable[[str | None], None]) -> int:
        """Run a command unseen, and return its exit code.

        Args:
            on_line: called with each line that it prints, and with None while it prints nothing.
        """
        ...

    def capture(
        self, command: Sequence[str], limit_seconds: float = LIMIT_SECONDS
    ) -> CommandResult:
        """Run a command unseen, and end it at its limit."""
        ...


class SubprocessRunner:
    """Runs commands as subprocesses."""

    def run(self, command: Sequence[str]) -> int:
        try:
            return subprocess.run(command, env=_variables(), check=False).returncode
        except OSError as error:
            print(error, flush=True)
            return NOT_STARTED

    def follow(self, command: Sequence[str], on_line: Callable[[str | None], None]) -> int:
        try:
            process = subprocess.Popen(
                command,
                env=_variables(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            on_line(str(error))
            return NOT_STARTED
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with process:
            assert process.stdout is not None
            threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True).start()
            try:
                while (line := _next(lines)) is not None:
                    on_line(line.rstrip() or None)
            except BaseException:
                process.terminate()
                raise
        return process.returncode

    def capture(
        self, command: Sequence[str], limit_seconds: float = LIMIT_SECONDS
    ) -> CommandResult:
        try:
            process = subprocess.Popen(
                command,
                env=_variables(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            return CommandResult(NOT_STARTED, str(error))
        try:
            output, _ = process.communicate(timeout=limit_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=END_SECONDS)
            return CommandResult(NOT_STARTED, "", timed_out=True)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return CommandResult(process.returncode, output)


def _variables() -> dict[str, str]:
    return {**os.environ, **PIP_SETTINGS}


def _read_lines(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Queue all lines of a stream, and None at its end."""
    for line in stream:
        lines.put(line)
    lines.put(None)


def _next(lines: queue.SimpleQueue[str | None]) -> str | None:
    """Return the next line, an empty one if none comes for a while; None at the end."""
    try:
        return lines.get(timeout=TICK_SECONDS)
    except queue.Empty:
        return ""
