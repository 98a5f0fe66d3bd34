"""python -m benchmarks.scale [--segments N ...] [--folder DIR] [--write]

Matte jobs of many tiny segments with a stand-in for the network, so that what is left is what a
segment costs beside its matting. It must not grow with their number. It needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.processes import (
    RunResult,
    let_python_compile_into,
    module_command,
    program_command,
    run,
)
from benchmarks.results import measured_on, table, write_section
from benchmarks.scale.job import FRAMES, write_job
from benchmarks.scale.part import Part

TITLE = "Scale: many segments"
COUNTS = (500, 2000, 8000)
MOST_AGAIN_SECONDS, OF_SEGMENTS = 3, 2000
MB = 10**6
HEAD = (
    "segments",
    "segments/s, first tenth",
    "last tenth",
    "records written (MB)",
    "memory (MB)",
    "files open, more",
    "report (MB)",
    "infer again, as a command (s)",
    "its processor time (s)",
    "of which work (s)",
    "combine (s)",
    "its processor time (s)",
    "add-audio (s)",
)


class Measured(NamedTuple):
    """What a job took, and a command that finds nothing to do in it."""

    part: Part
    again: RunResult


def measure(count: int, folder: Path) -> Measured:
    """Matte a job of so many segments in a process of its own, and start `infer` once more."""
    weights = write_random_checkpoint(folder / "weights.pth", seed=1)
    segments = write_job(folder, count)
    one_thread = {"OMP_NUM_THREADS": "1"}
    os.environ.update(one_thread)
    part = Part(**json.loads(run(module_command("scale.part", segments, weights)).output))
    let_python_compile_into(folder / "compiled")
    command = program_command("infer", segments, "--checkpoint", weights, "--device", "cpu")
    run(command)
    return Measured(part, run(command))


def cells(count: int, measured: Measured) -> list[str]:
    """Return a line of the table."""
    part = measured.part
    return [
        f"{count:,}",
        f"{part.first:.1f}",
        f"{part.last:.1f}",
        f"{part.record_bytes / MB:.1f}",
        f"{part.peak_bytes / MB:.0f}",
        str(part.handles),
        f"{part.report_bytes / MB:.1f}",
        f"{measured.again.seconds:.1f}",
        f"{measured.again.cpu_seconds:.1f}",
        f"{part.again_seconds:.1f}",
        f"{part.joined_seconds:.1f}",
        f"{part.joined_cpu_seconds:.1f}",
        f"{part.audio_seconds:.1f}",
    ]


def main() -> None:
    """Measure, print, and record where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--segments", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--folder", type=Path, help="where to work: the disk that is measured")
    parser.add_argument("--write", action="store_true", help="write the table to RESULTS.md")
    asked = parser.parse_args()
    rows = []
    for count in asked.segments:
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            rows.append(cells(count, measure(count, Path(folder))))
        print(*(f"{name}: {value}" for name, value in zip(HEAD, rows[-1], strict=True)), sep=", ")
    text = (
        f"Segments of {FRAMES} frames of 64x48, each its own file, with a stand-in for the network "
        "that copies them: what is left is the program's own work on a segment - its task, its "
        f"files' hashes, flushes and names, and the records of it.\n\n{table(HEAD, rows)}\n"
        f"`infer` with nothing to do over {OF_SEGMENTS:,} segments: at most "
        f"{MOST_AGAIN_SECONDS} s are allowed.\n"
    )
    print(text)
    if asked.write:
        write_section(TITLE, f"{measured_on()}\n\n{text}")


if __name__ == "__main__":
    main()
