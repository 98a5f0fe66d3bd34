"""This program alone, end to end, at sizes for which the plain loop has not the memory.

python -m benchmarks.end_to_end [--width 8192 --height 4096 --frames 60 --segments 4] [--write]

Matting a folder of equal segments, less what a run of a few frames takes: its start.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # where this is run by its path

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.footage import write_clip
from benchmarks.processes import RunResult, program_command, run
from benchmarks.results import machine_kind, measured_on, table, write_section
from benchmarks.side_by_side import FEW_FRAMES, MIB
from matting.imaging.sample_format import Size
from matting.inference.weights import VARIABLE
from matting.system.device import choose_device

HEAD = ["frames a second", "ms a frame", "processor ms a frame", "memory (MiB)", "card (MiB)"]


@dataclass(frozen=True)
class Figures:
    """What came of it.

    Attributes:
        ms, cpu_ms: a frame; wall time, and that of all cores.
        bytes, gpu_bytes: the most that was taken at one moment.
    """

    ms: float
    cpu_ms: float
    bytes: int
    gpu_bytes: int

    @classmethod
    def of(cls, whole: RunResult, start: RunResult, frames: int) -> Figures:
        """Return what `frames` frames took, of which the start has seen a few."""
        more = frames - FEW_FRAMES
        return cls(
            1000 * (whole.seconds - start.seconds) / more,
            1000 * (whole.cpu_seconds - start.cpu_seconds) / more,
            whole.together_bytes,
            whole.gpu_bytes,
        )

    @property
    def rate(self) -> float:
        """Frames a second."""
        return 1000 / self.ms

    def cells(self) -> list[str]:
        """Return the cells of HEAD."""
        memory = (f"{each / MIB:.0f}" for each in (self.bytes, self.gpu_bytes))
        return [f"{self.rate:.3g}", f"{self.ms:.1f}", f"{self.cpu_ms:.1f}", *memory]


def measure(folder: Path, options: argparse.Namespace, weights: Path) -> Figures:
    """Matte the segments, and a few frames."""
    size = Size(options.width, options.height)
    segments, short = folder / "segments", folder / "short"
    for path, frames in ((segments, options.frames), (short, FEW_FRAMES)):
        path.mkdir()
        write_clip(path / "clip_0000.mp4", size, frames)
    for number in range(1, options.segments):
        shutil.copy(segments / "clip_0000.mp4", segments / f"clip_{number:04}.mp4")
    settings = ["--checkpoint", weights.resolve(), "--downsample-ratio", options.ratio]
    settings += ["--device", options.device, "--codec", options.codec]

    def matte(given: Path) -> RunResult:
        return run(program_command("infer", given, "--output", folder / "results", *settings))

    start = matte(short)
    if options.device != "cpu":  # a kernel is compiled once on a machine, not in each run
        shutil.rmtree(folder / "results")
        start = matte(short)
    return Figures.of(matte(segments), start, options.frames * options.segments)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.end_to_end", description=__doc__)
    parser.add_argument("--width", type=int, default=8192)
    parser.add_argument("--height", type=int, default=4096)
    parser.add_argument("--frames", type=int, default=60, help="of each segment")
    parser.add_argument("--segments", type=int, default=4)
    parser.add_argument("--ratio", type=float, default=0.0625)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--codec", default="hevc", choices=("hevc", "h264", "av1"))
    parser.add_argument("--checkpoint", type=Path, help=f"or {VARIABLE}; else random weights")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
    options = parse()
    kind = machine_kind(choose_device(options.device).type)
    with tempfile.TemporaryDirectory(prefix="end_to_end_") as name:
        folder = Path(name)
        given = options.checkpoint or os.environ.get(VARIABLE)
        weights = Path(given) if given else write_random_checkpoint(folder / "random.pth", 1)
        figures = measure(folder, options, weights)
    if options.json:
        options.json.write_text(json.dumps(asdict(figures) | {"rate": figures.rate}))
    text = (
        f"Weights: {weights.name}. {measured_on()}\n\n"
        f"{options.segments} segments of {options.frames} frames, ratio {options.ratio}, "
        f"{options.codec}.\n\n{table(HEAD, [figures.cells()])}"
    )
    print(text)
    if options.write:
        write_section(f"End to end at {options.width}x{options.height}, {kind}", text)


if __name__ == "__main__":
    main()
