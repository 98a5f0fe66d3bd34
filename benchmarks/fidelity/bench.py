"""The rows of the fidelity table, and how they are run and recorded."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from benchmarks.fidelity.conversion import BACKGROUNDS, CONVERSIONS, ENCODERS
from benchmarks.fidelity.job import Networks
from benchmarks.fidelity.program import FfmpegError
from benchmarks.fidelity.row import Result
from benchmarks.fidelity.rows_delivery import DELIVERY
from benchmarks.fidelity.rows_formats import CODECS, COLOURS, CONTAINERS, DEPTHS
from benchmarks.fidelity.rows_times import FILES, GEOMETRY, TIMES, TRACKS
from benchmarks.results import measured_on, section, table, write_section

TITLE = "Fidelity"
HEAD = (
    "format",
    "what was preserved",
    "colour error, mean",
    "maximum",
    "bias of each channel",
    "PTS error (ms)",
    "audio offset (ms)",
)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "promises.md"
LOST, SKIPPED = "LOST: ", "skipped: "
MARKED = re.compile(r"(?<=<!-- fidelity -->\n).*?(?=<!-- end -->)", re.DOTALL)


class Runnable(Protocol):
    """A row of the table."""

    @property
    def name(self) -> str:
        """Its name, for people and for the command line."""
        ...

    @property
    def short(self) -> bool:
        """Whether it is part of the short bench."""
        ...

    def run(self, folder: Path, networks: Networks) -> Result:
        """Measure it, in an empty folder."""
        ...


ROWS: Sequence[Runnable] = (
    *CONTAINERS,
    *DEPTHS,
    *CODECS,
    *COLOURS,
    *TIMES,
    *GEOMETRY,
    *TRACKS,
    *FILES,
    *CONVERSIONS,
    *BACKGROUNDS,
    *ENCODERS,
    *DELIVERY,
)


def run_row(row: Runnable, networks: Networks) -> Result:
    """Measure one row in a temporary folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fidelity_") as name:
        try:
            return row.run(Path(name), networks)
        except FfmpegError as error:
            return Result(row.name, broken=[f"the clip cannot be made or shown: {error}"])


def table_of(results: Iterable[Result]) -> str:
    """Return the table as Markdown; colour errors in 1/255."""
    return table(HEAD, [_cells(result) for result in results])


def write(results: Sequence[Result]) -> None:
    """Write rows into the tables of RESULTS.md and PAGE, replacing earlier ones; others stay."""
    lines = {cells[0]: cells for cells in recorded()}
    lines |= {result.name: _cells(result) for result in results}
    known = [lines[row.name] for row in ROWS if row.name in lines]
    held = sum(LOST not in cells[1] and not cells[1].startswith(SKIPPED) for cells in known)
    rows = table(HEAD, known)
    count = f"{held} of {len(known)} rows hold. The last of them: {measured_on()}"
    write_section(TITLE, f"{rows}\n{count}")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(MARKED.sub(lambda _: rows, page), encoding="utf-8")


def recorded() -> list[tuple[str, ...]]:
    """Return the cells of the rows in RESULTS.md."""
    rows = re.findall(r"^\| (.+) \|$", section(TITLE), re.MULTILINE)
    return [tuple(row.split(" | ")) for row in rows[2:]]


def _cells(result: Result) -> tuple[str, ...]:
    if result.skipped:
        return (result.name, f"{SKIPPED}{result.skipped}", *["-"] * 5)
    lost = f"**{LOST}{'; '.join(result.broken)}**" if result.broken else ""
    outcome = "; ".join(filter(None, ("; ".join(result.preserved), lost))).replace("|", "/")
    colours = result.colours
    if colours is None:
        return (
            result.name,
            outcome,
            "-",
            "-",
            "-",
            _ms(result.pts_error),
            _ms(result.audio_offset),
        )
    space = " (RGB)" if colours.space == "RGB" else ""
    bias = " ".join(f"{value:+.2f}" for value in colours.bias)
    numbers = (
        f"{colours.mean:.2f}{space}",
        f"{colours.largest:.1f}",
        bias.replace("-0.00", "+0.00"),
    )
    return (result.name, outcome, *numbers, _ms(result.pts_error), _ms(result.audio_offset))


def _ms(seconds: Fraction | None) -> str:
    if seconds is None:
        return "-"
    return "0" if seconds == 0 else f"{float(seconds * 1000):.3f}"
