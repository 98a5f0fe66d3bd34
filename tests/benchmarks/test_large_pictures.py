"""The table of memory at the size of headsets' videos, whose lines are measured one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import large_pictures, results

INFER, AGAIN = (["infer", value, "2", "3", "4"] for value in ("3.5", "3.6"))
WEBM, GREEN = ["webm-alpha", "failed", "", "", ""], ["green", "1.1", "22", "5", "0.2"]


def write(rows: Sequence[Sequence[str]], about: str) -> list[str]:
    """Write lines as the program does; return those of the table then."""
    lines = large_pictures.with_others(rows, about)
    table = results.table(large_pictures.HEAD, lines)
    results.write_section(large_pictures.TITLE, f"{about}\n\n{table}")
    return results.section(large_pictures.TITLE).splitlines()[4:]


def test_what_was_measured_alike_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    assert len(write([INFER, WEBM], "Today.")) == 2
    assert (
        write([AGAIN, GREEN], "Today.") == results.table((), [AGAIN, GREEN, WEBM]).split("\n")[2:-1]
    )
    assert len(write([AGAIN, GREEN], "Tomorrow.")) == 2
