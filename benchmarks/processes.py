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
INTERVAL_SECONDS = 0.1
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class RunResult:
    """What a command said and took, with the processes that it started.

    Attributes:
        cpu_seconds: CPU time, all cores; 0 where the system does not tell (Windows).
        peak_bytes: resident memory, each process at its own peak; 0 where there is no /proc.
        together_bytes: the most resident memory of all processes at the same moment, as far as it
            was seen; 0 likewise.
        gpu_bytes: the most that was taken on the GPU meanwhile, by the driver's count; 0 without
            one.
    """

    output: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    gpu_bytes: int
    together_bytes: int = 0


def run(command: Sequence[str]) -> RunResult:
    """Run a command in the repository's root.

    Raises:
        subprocess.CalledProcessError: it failed; its output has been printed.
    """
    with _Monitor() as monitor:
        before, started = os.times(), time.perf_counter()
        process = subprocess.Popen(
            list(command), cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
        )
        monitor.pid = process.pid
        output, _ = process.communicate()
        seconds, after = time.perf_counter() - started, os.times()
    if process.returncode:
        print(output)
        raise subprocess.CalledProcessError(process.returncode, list(command))
    cpu_seconds = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return RunResult(
        output,
        seconds,
        cpu_seconds,
        sum(monitor.peaks.values()),
        monitor.gpu_bytes,
        monitor.together_bytes,
    )


def let_python_compile_into(folder: Path) -> None:
    """Have the program's modules compiled once, as they are for users, and nothing of it stay."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)


def module_command(name: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of the benchmarks."""
    return [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]


def program_command(*arguments: object) -> list[str]:
    """Return a command line of the program itself."""
    return [sys.executable, "inference_custom.py", *map(str, arguments), "--quiet"]


class _Monitor:
    """Looks at a process and its descendants again and again, from a thread of its own."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.peaks: dict[int, int] = {}
        self.together_bytes = 0
        self.gpu_bytes = 0
        self._gpu_bytes_before = _gpu_bytes_in_use()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Monitor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(INTERVAL_SECONDS):
            together = 0
            for pid in _process_tree(self.pid):
                status = _read(PROC / str(pid) / "status")
                self.peaks[pid] = max(self.peaks.get(pid, 0), _bytes(PEAK, status))
                together += _bytes(RESIDENT, status)
            self.together_bytes = max(self.together_bytes, together)
            self.gpu_bytes = max(self.gpu_bytes, _gpu_bytes_in_use() - self._gpu_bytes_before)


def _process_tree(root: int | None) -> list[int]:
    """Return a process and its descendants; none without /proc, or without that process."""
    parents = {}
    for entry in PROC.glob("[0-9]*/stat"):
        fields = _read(entry).rpartition(")")[2].split()
        if fields:
            parents[int(entry.parent.name)] = int(fields[1])
    tree = [root] if root in parents else []
    for pid in tree:
        tree += [child for child, parent in parents.items() if parent == pid]
    return [pid for pid in tree if pid is not None]


def _bytes(line: re.Pattern[str], status: str) -> int:
    """Return what a line of a process's status tells; 0 where there is none."""
    match = line.search(status)
    return int(match[1]) * 1024 if match else 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # the process has ended
        return ""


def _gpu_bytes_in_use() -> int:
    if not torch.cuda.is_available():
        return 0
    free, total = torch.cuda.mem_get_info()
    return total - free
