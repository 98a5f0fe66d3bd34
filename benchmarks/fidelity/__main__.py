"""python -m benchmarks.fidelity [--short] [--only NAME] [--write]

Put generated videos through all four stages with a network that finds everything to be foreground,
and print what came back as it went in. It needs no graphics card; the whole takes some minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.fidelity.bench import ROWS, run_row, table_of, write
from benchmarks.fidelity.job import Networks
from benchmarks.fidelity.row import Result


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fidelity", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few rows of each kind")
    parser.add_argument("--only", metavar="WORDS", action="append", help="rows with these words")
    parser.add_argument(
        "--write", action="store_true", help="write the rows to RESULTS.md and docs/promises.md"
    )
    return parser.parse_args(argv)


def main() -> int:
    """Run the rows; return 1 when something was lost."""
    options = parse()
    torch.set_num_threads(1)  # on pictures this small, threads only wait for each other
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="fidelity_networks_") as name:
        networks = Networks(Path(name))
        for row in ROWS:
            if options.short and not row.short:
                continue
            if options.only and not any(words in row.name for words in options.only):
                continue
            started = time.monotonic()
            results.append(run_row(row, networks))
            lost = "; ".join(results[-1].broken)
            held = f"skipped: {results[-1].skipped}" if results[-1].skipped else "held"
            seconds = time.monotonic() - started
            print(f"{row.name} ({seconds:.1f} s): {f'LOST: {lost}' if lost else held}", flush=True)
    print("\n" + table_of(results))
    if options.write:
        write(results)
    return 1 if any(result.broken for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
