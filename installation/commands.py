"""Running other programs: pip, nvidia-smi and the Python in `.venv`. Nothing else here does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

NOT_STARTED = 127
LIMIT_SECONDS = 600  # a virus scanner looks at each of torch's files the first time it is loaded
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
    """

    exit_code: int
    output: str


class CommandRunner(Protocol):
    """Runs commands. Neither method raises if the program is missing or fails."""

    def run(self, command: Sequence[str]) -> int:
        """Run a command, its output visible in this window, and return its exit code."""
        ...

    def capture(self, command: Sequence[str]) -> CommandResult:
        """Run a command unseen."""
        ...


class SubprocessRunner:
    """Runs commands as subprocesses."""

    def run(self, command: Sequence[str]) -> int:
        try:
            return subprocess.run(command, env=_variables(), check=False).returncode
        except OSError as error:
            print(error, flush=True)
            return NOT_STARTED

    def capture(self, command: Sequence[str]) -> CommandResult:
        try:
            process = subprocess.run(
                command,
                env=_variables(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=LIMIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return CommandResult(NOT_STARTED, str(error))
        return CommandResult(process.returncode, process.stdout)


def _variables() -> dict[str, str]:
    return {**os.environ, **PIP_SETTINGS}
