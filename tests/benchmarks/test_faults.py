"""The fault bench in its short form: every kind of fault, a few times."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from benchmarks import results
from benchmarks.faults import changes, job, ledger_calls, mutations
from benchmarks.faults.bench import FAULTS, Row, record, recorded, run_fault, table_of
from benchmarks.faults.fault import Fault, NotHeldError, SkippedError, require
from matting.system import atomic_files
from tests.support.partial_networks import write_light_checkpoint
from tests.support.repository import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the fault bench kills groups of processes, as POSIX has them"
)
SEED = 3


@pytest.fixture(autouse=True)
def _light_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the jobs compute with a light network: what a fault spoils shows all the same.

    The full bench computes with the whole one.
    """
    for module in (job, changes):
        monkeypatch.setattr(module, "write_random_checkpoint", write_light_checkpoint)


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.mark.timeout(400)  # seconds; dozens of child processes, on a busy machine
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_must_hold_holds(fault: type[Fault], common: Path) -> None:
    row = run_fault(fault, SEED, range(fault.short_tries), print, common)
    if row.skipped:
        pytest.skip(row.skipped)
    assert row.broken == []
    assert row.tried == fault.short_tries


class Example(Fault):
    name, description, must_hold = "example", "an example", "odd tries hold"
    tries = short_tries = 4

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        require(number % 2 == 1, f"try {number}: {rng.random():.3f}")


class Impossible(Example):
    def prepare(self) -> None:
        raise SkippedError("not on this machine")


def test_what_does_not_hold_can_be_seen_again(tmp_path: Path) -> None:
    row = run_fault(Example, SEED, range(4), print, tmp_path)
    assert len(row.broken) == 2
    assert "2 of 4" in table_of([row])
    assert f"--only example --seed {SEED} --one 2" in row.broken[1]
    alone = run_fault(Example, SEED, [2], print, tmp_path)
    assert alone.broken == row.broken[1:]


def test_a_skipped_row_says_why(tmp_path: Path) -> None:
    row = run_fault(Impossible, SEED, range(4), print, tmp_path)
    assert "skipped: not on this machine" in table_of([row])


@pytest.mark.timeout(400)
def test_a_segment_with_other_times_is_not_called_done(common: Path) -> None:
    retiming = [mutations.MUTATIONS.index(mutations.retime)]
    row = run_fault(mutations.Mutations, SEED, retiming, print, common)
    assert row.broken == []


@pytest.mark.parametrize("kept", ["flushes", "order"])
def test_the_ledgers_watch_finds_what_it_is_there_for(
    kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without flushes, or without temporary names, something is lost."""

    def publish(temporary: Path, path: Path) -> None:
        temporary.replace(path)

    def in_place(path: Path, content: bytes) -> None:
        path.write_bytes(content)

    if kept == "flushes":
        monkeypatch.setattr(atomic_files, "publish", publish)
    else:
        monkeypatch.setattr(atomic_files, "write_bytes", in_place)
    row = ledger_calls.LedgerCalls(tmp_path, tmp_path)
    row.prepare()
    with pytest.raises(NotHeldError):
        for number in range(ledger_calls.FIXED_TRIES):
            row.attempt(Random(number), number, tmp_path / str(number))


def test_results_are_recorded_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    first, second = FAULTS[:2]
    results.write_section("Another", "stays")
    record(Row(second, 1, 10))
    record(Row(first, 1, 5, broken=["something"]))
    record(Row(second, 2, 20))
    text = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert text.index("4 of 5") < text.index("20 of 20")
    assert "10 of 10" not in text
    assert "## Another\n\nstays\n" in text


def test_the_page_quotes_the_table() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    lines = recorded()
    assert [cells[0] for cells in lines] == [fault.description for fault in FAULTS]
    for cells in lines:
        assert f"| {' | '.join(cells[:4])} |" in page
