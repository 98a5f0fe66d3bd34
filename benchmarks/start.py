"""How long it takes from the command to the first frame that is matted.

python -m benchmarks.start [--against CHECKOUT] [--rounds 5] [--write]

Each round begins a job on one segment of 480p, in each checkout in turn, and ends it with Ctrl-C
when the first frame is counted. The disk is warm, and Python has compiled all modules: a round that
does not count goes before. Processor time is that of the program and of all its processes until
then and while it ends. Not on Windows, whose consoles cannot be read along.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.footage import write_clip
from benchmarks.processes import ROOT, let_python_compile_into
from benchmarks.results import measured_on, table, write_section
from matting.imaging.sample_format import Size
from matting.inference.weights import VARIABLE

TITLE = "The start, processor"
SIZE, FRAMES = Size(854, 480), 60
FIRST_FRAME = re.compile(rb"\b1/%d\b" % FRAMES)
LOADING = b"Loading the network"
MOST_SECONDS = 300
BLOCK_BYTES = 1 << 16


class Start(NamedTuple):
    """When things happened after the command, in seconds; and all processor time.

    Attributes:
        loading: the worker was asked to load the network.
        first_frame: the first frame was counted.
    """

    loading: float
    first_frame: float
    cpu: float


def start_once(checkout: Path, segments: Path, output: Path) -> Start:
    """Begin a job in a checkout, and end it at its first frame."""
    command = [sys.executable, str(checkout / "inference_custom.py"), "infer", str(segments)]
    screen, terminal = pty.openpty()
    started = time.perf_counter()
    program = subprocess.Popen(
        [*command, "--output", str(output)],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    try:
        loading = _seconds_until(re.compile(LOADING), screen, started)
        first_frame = _seconds_until(FIRST_FRAME, screen, started)
        program.send_signal(signal.SIGINT)
        _read_rest(screen)
        _, _, usage = os.wait4(program.pid, 0)
    finally:
        program.kill()
        os.close(screen)
    return Start(loading, first_frame, usage.ru_utime + usage.ru_stime)


def _seconds_until(pattern: re.Pattern[bytes], screen: int, started: float) -> float:
    """Return how long after `started` the program writes what is looked for."""
    written = b""
    while time.perf_counter() - started < MOST_SECONDS:
        written += os.read(screen, BLOCK_BYTES)
        if pattern.search(written):
            return time.perf_counter() - started
    raise TimeoutError(f"not seen within {MOST_SECONDS} s: {pattern.pattern!r}")


def _read_rest(screen: int) -> None:
    try:
        while os.read(screen, BLOCK_BYTES):
            pass
    except OSError:  # which is how a terminal ends on Linux
        return


def report(starts: dict[str, list[Start]]) -> str:
    """Return the table for people."""
    head = ["", "network is loaded from (s)", "first frame (s)", "fastest (s)", "processor (s)"]
    rows = []
    for name, own in starts.items():
        loading, first, cpu = (statistics.median(values) for values in zip(*own, strict=True))
        fastest = min(start.first_frame for start in own)
        rows.append([name, f"{loading:.1f}", f"{first:.1f}", f"{fastest:.1f}", f"{cpu:.1f}"])
    rounds = len(next(iter(starts.values())))
    return (
        f"From the command `infer` to the first frame counted, one segment of {SIZE.width}x"
        f"{SIZE.height}, {rounds} rounds in turns, medians. The first frame of a shot is seen "
        "after the eight that follow it. Processor time: of all processes, until they have ended."
        "\n\n" + table(head, rows)
    )


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout, to take turns with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
    options = parse()
    checkouts = {"before": options.against, "now": ROOT} if options.against else {"now": ROOT}
    starts: dict[str, list[Start]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory(prefix="start_") as name:
        folder = Path(name)
        if VARIABLE not in os.environ:
            os.environ[VARIABLE] = str(write_random_checkpoint(folder / "random.pth", 1))
        clip = write_clip(folder / "clip.mp4", SIZE, FRAMES)
        cut = [sys.executable, str(ROOT / "inference_custom.py"), "segment", str(clip)]
        subprocess.run(cut, check=True, stdout=subprocess.DEVNULL)
        let_python_compile_into(folder / "compiled")
        for number in range(options.rounds + 1):
            for checkout_name, checkout in checkouts.items():
                output = folder / f"{checkout_name}_{number}"
                start = start_once(checkout, folder / "clip_segments", output)
                print(f"{checkout_name}: {start}", flush=True)
                starts[checkout_name] += [start] if number else []
    text = f"{measured_on()}\n\n{report(starts)}"
    print(text)
    if options.write:
        write_section(TITLE, text)


if __name__ == "__main__":
    main()
