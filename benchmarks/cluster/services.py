"""Schedulers, workers and jobs as commands of their own, each on a processor or host of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import ROOT

READY_SECONDS, END_SECONDS, POLL_SECONDS = 120.0, 30.0, 0.1


def program(where: Sequence[str], *arguments: object) -> list[str]:
    """Return a command line of the program.

    Args:
        where: the command that has it run on a processor or host, such as `taskset -c 0`.
    """
    return [*where, sys.executable, "inference_custom.py", *map(str, arguments)]


@contextmanager
def service(command: Sequence[str], log: Path, ready: str) -> Iterator[None]:
    """Run a scheduler or a worker in the block, which begins when that says that it is ready.

    Args:
        log: gets what it says.
        ready: words that tell of it.
    Raises:
        RuntimeError: it did not get ready.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        _await_words(process, log, ready)
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_words(process: subprocess.Popen[bytes], log: Path, words: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while words not in log.read_text(encoding="utf-8", errors="replace"):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(log.read_text(encoding="utf-8", errors="replace"))
        time.sleep(POLL_SECONDS)


def timed_lines(command: Sequence[str], log: Path) -> Iterator[tuple[float, str]]:
    """Run a command; yield each line that it says, when it does, in seconds of a monotonic clock.

    Args:
        log: gets them, too.
    Raises:
        subprocess.CalledProcessError: it failed.
    """
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                output.write(line)
                yield time.monotonic(), line.rstrip()
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
