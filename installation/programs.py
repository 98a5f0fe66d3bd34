"""The only door to other programs: pip, nvidia-smi, a Python that is asked something."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

NOT_STARTED = 127
PATIENCE_SECONDS = 600  # a virus scanner looks at each file of torch when it is loaded first
QUIET = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_USER": "0",  # somebody's own settings may say 1, which no virtual environment takes
}


@dataclass(frozen=True)
class Answer:
    """What a program came to.

    Args:
        output: what it printed, errors too.
    """

    code: int
    output: str


class Programs(Protocol):
    """How other programs are run. Neither function raises where one is missing or fails."""

    def show(self, command: Sequence[str]) -> int:
        """Runs it in this window, where what it prints is seen; returns its exit code."""
        ...

    def ask(self, command: Sequence[str]) -> Answer:
        """Runs it unseen."""
        ...


class RealPrograms:
    """The operating system's."""

    def show(self, command: Sequence[str]) -> int:
        try:
            return subprocess.run(command, env=_environment(), check=False).returncode
        except OSError as error:
            print(error, flush=True)
            return NOT_STARTED

    def ask(self, command: Sequence[str]) -> Answer:
        try:
            done = subprocess.run(
                command,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Answer(NOT_STARTED, str(error))
        return Answer(done.returncode, done.stdout)


def _environment() -> dict[str, str]:
    return {**os.environ, **QUIET}
