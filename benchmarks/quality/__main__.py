"""python -m benchmarks.quality [--part NAME ...] [--clips NAME ...] [--write]; see the package."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import tempfile
import time
from pathlib import Path

import torch

from benchmarks import quality
from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import TRUTH, truth_names
from benchmarks.results import measured_on, write_section
from matting.inference.weights import VARIABLE
from matting.options import ComputeOptions, MatteOptions, MattingOptions

PREFIX = "part_"


def part_names() -> list[str]:
    """Return the names of all parts that there are."""
    modules = pkgutil.iter_modules(quality.__path__)
    return sorted(m.name.removeprefix(PREFIX) for m in modules if m.name.startswith(PREFIX))


def run_part(name: str, bench: Bench) -> tuple[str, str]:
    """Run a part; return its title, and what it measured in Markdown."""
    part = importlib.import_module(f"{quality.__name__}.{PREFIX}{name}")
    started = time.monotonic()
    text: str = part.run(bench)
    checkpoint = bench.options.matte.checkpoint
    used = "The published weights" if checkpoint is None else checkpoint.name
    minutes = (time.monotonic() - started) / 60
    note = f"{used}, {bench.options.compute.device}, {minutes:.0f} min. {measured_on()}"
    return f"Quality: {part.TITLE}", f"{note}\n\n{text}"


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    names = part_names()
    parser.add_argument("--part", choices=names, nargs="+", default=names, help="default: all")
    parser.add_argument("--clips", nargs="+", default=(), metavar="NAME", help="default: all")
    parser.add_argument("--checkpoint", type=Path, default=os.environ.get(VARIABLE))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--write", action="store_true", help="write the tables to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
    asked = parse()
    torch.set_num_threads(1)  # on pictures this small, threads wait for each other
    if not truth_names():
        print(f"There are no true clips in {TRUTH}; only drawn films are measured.")
    options = MattingOptions(MatteOptions(asked.checkpoint), compute=ComputeOptions(asked.device))
    with tempfile.TemporaryDirectory(prefix="quality_clips_") as folder:
        bench = Bench(Path(folder), options, asked.clips)
        for name in asked.part:
            title, text = run_part(name, bench)
            print(f"\n## {title}\n\n{text}", flush=True)
            if asked.write:
                write_section(title, text)


if __name__ == "__main__":
    main()
