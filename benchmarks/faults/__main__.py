"""python -m benchmarks.faults [--short] [--seed N] [--only NAME] [--tries N] [--record]

Do to the program what happens on people's machines, and print a table of what held. It needs
Linux or macOS, two cores and no graphics card; the whole of it takes an hour or two.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from benchmarks.faults.bench import FAULTS, Row, record, run_fault, table_of

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the options."""
    names = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few tries of each, in minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=names, action="append", help="may be given twice")
    parser.add_argument("--tries", type=int, help="how many, instead of the row's own number")
    parser.add_argument("--one", type=int, metavar="TRY", help="only this try, to reproduce it")
    parser.add_argument("--record", action="store_true", help="write the rows to RESULTS.md")
    return parser.parse_args(argv)


def main() -> int:
    """Run the rows; return 1 when something did not hold."""
    options = parse()
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    try:
        return _run(options)
    except KeyboardInterrupt:
        _print("Interrupted: every process that was started has ended.")
        return 130


def _run(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="faults_common_") as common:
        rows = _rows(options, Path(common))
    print("\n" + table_of(rows))
    return 1 if any(row.broken for row in rows) else 0


def _rows(options: argparse.Namespace, common: Path) -> list[Row]:
    rows: list[Row] = []
    for fault in FAULTS:
        if options.only and fault.name not in options.only:
            continue
        tries = range(options.tries or (fault.short_tries if options.short else fault.tries))
        if options.one is not None:
            tries = range(options.one, options.one + 1)
        rows.append(run_fault(fault, options.seed, tries, _print, common))
        if options.record:
            record(rows[-1])
    return rows


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Handle Ctrl-C and SIGTERM; a second one does not stop the tidying up."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _print(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
