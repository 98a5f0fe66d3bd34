"""The rows of the fault table, and how they are run. A new row is a class in FAULTS."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.faults.changes import Changes
from benchmarks.faults.damage import Damage
from benchmarks.faults.disk_full import DiskFull
from benchmarks.faults.fault import Fault, NotHeldError, SkippedError
from benchmarks.faults.hostile_folders import HostileFolders
from benchmarks.faults.hostile_json import HostileJson
from benchmarks.faults.kills import Kills
from benchmarks.faults.ledger_calls import LedgerCalls
from benchmarks.faults.machine import Machine
from benchmarks.faults.mutations import Mutations
from benchmarks.faults.odd_sources import OddSources
from benchmarks.faults.other_options import OtherOptions
from benchmarks.faults.power_cuts import PowerCuts
from benchmarks.faults.stage_kills import StageKills
from benchmarks.faults.starts import Starts
from benchmarks.results import measured_on, section, table, today, write_section

FAULTS: tuple[type[Fault], ...] = (
    Kills,
    StageKills,
    LedgerCalls,
    Mutations,
    OddSources,
    Damage,
    DiskFull,
    Machine,
    Starts,
    Changes,
    OtherOptions,
    HostileJson,
    HostileFolders,
    PowerCuts,
)
TITLE = "Faults"
HEAD = ("fault", "tries", "must hold", "held", "seed, day")


@dataclass(frozen=True)
class Row:
    """The results of one kind of fault.

    Attributes:
        tried: how many tries were made; 0 where it was skipped.
        broken: what did not hold, each with the options that reproduce it.
        skipped: why it was not tried.
    """

    fault: type[Fault]
    seed: int
    tried: int
    broken: Sequence[str] = ()
    skipped: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return its line in the table."""
        held = f"{self.tried - len(self.broken)} of {self.tried}"
        if self.skipped:
            held = f"skipped: {self.skipped}"
        day = f"{self.seed}, {today()}"
        return self.fault.description, str(self.tried), self.fault.must_hold, held, day


def run_fault(
    fault: type[Fault],
    seed: int,
    tries: Sequence[int],
    tell: Callable[[str], None],
    common: Path,
) -> Row:
    """Make the tries of one row, each in a temporary folder of its own.

    Args:
        common: a folder that is there for all rows.
    """
    broken: list[str] = []
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults_") as name:
        tell(f"{fault.name}: {len(tries)} tries")
        shared = Path(name) / "shared"
        shared.mkdir()
        row = fault(shared, common)
        try:
            row.prepare()
        except SkippedError as reason:
            tell(f"{fault.name} is skipped: {reason}")
            return Row(fault, seed, 0, skipped=str(reason))
        for number in tries:
            folder = Path(name) / f"try_{number}"
            folder.mkdir()
            try:
                # Each try has its own random numbers, to be repeated without the others.
                row.attempt(Random(f"{seed} {fault.name} {number}"), number, folder)
            except NotHeldError as error:
                again = f"--only {fault.name} --seed {seed} --one {number}"
                broken.append(f"{error} ({again})")
                tell(f"NOT HELD: {broken[-1]}")
            finally:
                shutil.rmtree(folder)
    tell(f"{fault.name}: {time.monotonic() - started:.0f} s, {len(broken)} did not hold")
    return Row(fault, seed, len(tries), broken)


def table_of(rows: Iterable[Row]) -> str:
    """Return the table as Markdown."""
    return table(HEAD, [row.cells() for row in rows])


def record(row: Row) -> None:
    """Write one row into RESULTS.md, replacing an earlier one; the others stay."""
    lines = {cells[0]: cells for cells in recorded()}
    lines[row.fault.description] = row.cells()
    order = [fault.description for fault in FAULTS]
    known = [lines[what] for what in order if what in lines]
    write_section(TITLE, f"{table(HEAD, known)}\nThe last of them: {measured_on()}")


def recorded() -> list[tuple[str, ...]]:
    """Return the cells of the rows in RESULTS.md."""
    rows = re.findall(r"^\| (.+) \|$", section(TITLE), re.MULTILINE)
    return [tuple(row.split(" | ")) for row in rows[2:]]
