"""python -m benchmarks.cluster [--only ROW] [--folder DIR] [--write]

Share jobs between workers, and compare what comes of them with what plain `infer` makes. It needs
Linux, two cores that have nothing else to do, and half an hour.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.cluster import hosts_apart, kills, scale, two_workers
from benchmarks.cluster.row import Row, SkippedError
from benchmarks.results import measured_on, section, table, write_section

TITLE = "Several workers"
HEAD = ("what", "must hold", "found", "held")
ROWS: dict[str, Callable[[Path], Row]] = {
    "two-workers": two_workers.measure,
    "kills": kills.measure,
    "scale": scale.measure,
    "hosts-apart": hosts_apart.measure,
}


def record(row: Row) -> None:
    """Write a row into RESULTS.md, in the place of an earlier one with the same bound."""
    lines = re.findall(r"^\| (.+) \|$", section(TITLE), re.MULTILINE)[2:]
    kept = [tuple(line.split(" | ")) for line in lines]
    rows = [*(cells for cells in kept if cells[1] != row.bound), row.cells()]
    write_section(TITLE, f"{table(HEAD, rows)}\nThe last of them: {measured_on()}")


def main() -> int:
    """Measure, print, and record where asked to; return 1 where something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--only", choices=ROWS, action="append", help="may be given twice")
    parser.add_argument("--folder", type=Path, help="where to work")
    parser.add_argument("--write", action="store_true", help="write the rows to RESULTS.md")
    asked = parser.parse_args()
    held = True
    for name in asked.only or ROWS:
        try:
            with tempfile.TemporaryDirectory(prefix="cluster_", dir=asked.folder) as folder:
                row = ROWS[name](Path(folder))
        except SkippedError as error:
            print(f"{name}: skipped: {error}", flush=True)
            continue
        print(*row.cells(), sep="\n  ", flush=True)
        held &= row.held
        if asked.write:
            record(row)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
