"""How long work takes: of the processor, and by the clock."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Seconds(NamedTuple):
    """Of the processor, and by the clock."""

    cpu: float
    wall: float

    @classmethod
    def of(cls, work: Callable[[], object]) -> Seconds:
        """Return what some work takes."""
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        return cls(time.process_time() - cpu, time.perf_counter() - wall)

    @classmethod
    def of_command(cls, command: Sequence[str]) -> Seconds:
        """Return what a command takes, with the processes that it waits for. Not on Windows.

        Raises:
            subprocess.CalledProcessError: it failed; what it said has been printed.
        """
        before, started = os.times(), time.perf_counter()
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )
        wall, after = time.perf_counter() - started, os.times()
        if done.returncode:
            print(done.stdout, done.stderr)
        done.check_returncode()
        cpu = after.children_user - before.children_user
        return cls(cpu + after.children_system - before.children_system, wall)

    @classmethod
    def least(cls, tries: Sequence[Seconds]) -> Seconds:
        """Return the least that several tries of the same work took, each by itself."""
        return cls(min(t.cpu for t in tries), min(t.wall for t in tries))
