"""Commands in processes of their own: how long they took, and how much memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
PROC = Path("/proc")
SAMPLE_SECONDS = 0.1
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """What a command took, the processes that it started included.

    Attributes:
        cpu_seconds: processor time, all cores; 0 where the system does not tell (Windows).
        peak_bytes: resident memory, each process at its own peak; 0 where there is no /proc.
        gpu_bytes: the most that was taken on the graphics card meanwhile, by the driver's count;
            0 without one.
    """

    output: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    gpu_bytes: int


def run(command: Sequence[str]) -> Ran:
    """Runs a command in the repository's root.

    Raises:
        subprocess.CalledProcessError: it failed; what it said has been printed.
    """
    with _Watch() as watch:
        before, started = os.times(), time.perf_counter()
        process = subprocess.Popen(
            list(command), cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
        )
        watch.pid = process.pid
        output, _ = process.communicate()
        seconds, after = time.perf_counter() - started, os.times()
    if process.returncode:
        print(output)
        raise subprocess.CalledProcessError(process.returncode, list(command))
    cpu_seconds = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return Ran(output, seconds, cpu_seconds, sum(watch.peaks.values()), watch.gpu_bytes)


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module of the benchmarks."""
    return [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]


def program(*arguments: object) -> list[str]:
    """The program's own command line."""
    return [sys.executable, "inference_custom.py", *map(str, arguments), "--quiet"]


class _Watch:
    """Looks at a process and its descendants again and again, from a thread of its own."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.peaks: dict[int, int] = {}
        self.gpu_bytes = 0
        self._gpu_before = _gpu_used()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            for pid in _tree(self.pid):
                self.peaks[pid] = max(self.peaks.get(pid, 0), _peak(pid))
            self.gpu_bytes = max(self.gpu_bytes, _gpu_used() - self._gpu_before)


def _tree(root: int | None) -> list[int]:
    """A process and its descendants; empty where there is no /proc, or no such process."""
    parents = {}
    for entry in PROC.glob("[0-9]*/stat"):
        fields = _text(entry).rpartition(")")[2].split()
        if fields:
            parents[int(entry.parent.name)] = int(fields[1])
    found = [root] if root in parents else []
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return [pid for pid in found if pid is not None]


def _peak(pid: int) -> int:
    """The most memory that a process has had resident, in bytes."""
    found = PEAK.search(_text(PROC / str(pid) / "status"))
    return int(found[1]) * 1024 if found else 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # the process has ended
        return ""


def _gpu_used() -> int:
    if not torch.cuda.is_available():
        return 0
    free, total = torch.cuda.mem_get_info()
    return total - free
