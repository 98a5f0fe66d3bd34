"""Memory and speed at the size of headsets' videos, for each format, on the processor.

python -m benchmarks.large_pictures [--size 8192x4096] [--frames 4] [--only FORMAT] [--write]

A few frames are matted once, and delivered in each format, each by a command of its own. The peak
is the most resident memory that all processes of a command had at the same moment. Of some formats
alone, --write leaves the others in the table, if they were measured on the same day and machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.footage import write_clip
from benchmarks.processes import RunResult, program_command, run
from benchmarks.results import measured_on, section, table, write_section
from matting.delivery.formats import FORMATS
from matting.imaging.sample_format import Size
from matting.inference.weights import VARIABLE
from matting.options import FormatName
from matting.project.paths import MattedFolder

TITLE = "Memory at the size of headsets' videos, processor"
GIB = 1 << 30
MOST_BYTES = 6 * GIB
VIEW = "left-right,180"
HEAD = ("", "peak (GiB)", "seconds", "processor seconds", "frames a second, with the start")


class Measured(NamedTuple):
    """A command; `result` is None where it failed."""

    name: str
    result: RunResult | None

    def cells(self, frames: int) -> list[str]:
        """Return its line of the table."""
        if self.result is None:
            return [self.name, "failed", "", "", ""]
        seconds, cpu = self.result.seconds, self.result.cpu_seconds
        rate = f"{frames / seconds:.3f}"
        return [
            self.name,
            f"{self.result.together_bytes / GIB:.2f}",
            f"{seconds:.0f}",
            f"{cpu:.0f}",
            rate,
        ]


def measure(
    folder: Path, size: Size, frames: int, checkpoint: Path, only: Collection[str]
) -> list[Measured]:
    """Matte a clip of so many frames, and deliver it in each format."""
    segments = folder / "large_segments"
    segments.mkdir()
    clip = write_clip(segments / "large.mp4", size, frames)
    given: tuple[object, ...] = ("--device", "cpu", "--checkpoint", checkpoint, "--view", VIEW)
    measured = [_measured("infer", "infer", segments, *given)]
    matted = MattedFolder.of(segments).root
    for name in FORMATS:
        if name in only:
            behind = ("--background", clip, "--again") if name == FormatName.BACKGROUND else ()
            given = ("--as", name, "--view", VIEW, "--device", "cpu")
            measured.append(_measured(name, "deliver", matted, *given, *behind))
    return measured


def _measured(name: str, *command: object) -> Measured:
    try:
        result = run(program_command(*command))
    except subprocess.CalledProcessError as error:
        print(f"{name}: exit code {error.returncode}", flush=True)
        return Measured(name, None)
    print(f"{name}: {result.together_bytes / GIB:.2f} GiB, {result.seconds:.0f} s", flush=True)
    return Measured(name, result)


def with_others(rows: Sequence[Sequence[str]], about: str) -> list[Sequence[str]]:
    """Return lines of the table with those written before, in the order of the formats.

    Args:
        about: what was measured, when and where; if other words are written, those lines are not.
    """
    written = section(TITLE)
    lines = written.splitlines()[4:] if written.startswith(f"{about}\n") else []
    before = (line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines)
    by_name: dict[str, Sequence[str]] = {row[0]: row for row in (*before, *rows)}
    return [by_name[name] for name in ("infer", *FORMATS) if name in by_name]


def main() -> int:
    """Measure, print, record where asked to; return 1 where a peak is too high."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.large_pictures", description=__doc__
    )
    parser.add_argument("--size", default="8192x4096", metavar="WxH")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--only", nargs="+", default=FORMATS, choices=FORMATS, metavar="FORMAT")
    parser.add_argument("--checkpoint", type=Path, default=os.environ.get(VARIABLE))
    parser.add_argument("--write", action="store_true", help="write the table to RESULTS.md")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    with tempfile.TemporaryDirectory(prefix="large_pictures_") as folder:
        place, size = Path(folder), Size(width, height)
        measured = measure(place, size, asked.frames, asked.checkpoint, asked.only)
    rows = [own.cells(asked.frames) for own in measured]
    about = (
        f"{measured_on()} {asked.frames} frames, {asked.size}, {VIEW}. The bound is "
        f"{MOST_BYTES / GIB:.0f} GiB."
    )
    print(f"\n## {TITLE}\n\n{about}\n\n{table(HEAD, rows)}")
    if asked.write:
        write_section(TITLE, f"{about}\n\n{table(HEAD, with_others(rows, about))}")
    peaks = [own.result.together_bytes if own.result else MOST_BYTES + 1 for own in measured]
    return 0 if max(peaks) <= MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
