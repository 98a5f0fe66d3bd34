"""The journal of the ledger: what it holds counts, and only as long as it is whole and its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.errors import StorageError
from matting.project import ledger_files
from matting.project.journal import Journal, Update, new_key, read_updates
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from tests.support.killed_job import KIND, NAMES, begun, done, finish, kill_after, record, said


def say(root: Path, **changes: bool) -> None:
    path = MattedFolder(root).processed
    values = json.loads(path.read_text(encoding="utf-8"))
    values |= {f"{name}.mp4": value for name, value in changes.items()}
    path.write_text(json.dumps(values), encoding="utf-8")


def test_what_a_killed_run_has_recorded_is_done(folder: MattedFolder) -> None:
    left = kill_after(folder, finish(*NAMES[:5]))
    assert MattedFolder(left).journal.is_file()
    assert done(left) == NAMES[:5]


def test_the_journal_is_folded_in_when_the_run_ends_however_it_does(folder: MattedFolder) -> None:
    for end in (None, KeyboardInterrupt, StorageError):
        ledger = begun(folder)
        with pytest.raises(end) if end else pytest.MonkeyPatch.context(), ledger.journalled():
            record(ledger, NAMES[0], str(end))
            if end:
                raise end("ended")
        assert not folder.journal.exists()
        assert said(folder.root) == done(folder.root) == NAMES[:1]


def test_a_job_that_is_only_read_is_left_as_it_is(folder: MattedFolder) -> None:
    left = kill_after(folder, finish(*NAMES[:2]))
    before = {path: path.read_bytes() for path in left.rglob("*") if path.is_file()}
    assert Ledger(MattedFolder(left)).says_done(NAMES[1])
    assert {path: path.read_bytes() for path in left.rglob("*") if path.is_file()} == before


def test_whoever_goes_on_folds_in_what_was_left(folder: MattedFolder) -> None:
    left = kill_after(folder, finish(*NAMES[:2]))
    begun(MattedFolder(left))
    assert not MattedFolder(left).journal.exists()
    assert said(left) == NAMES[:2]


def test_a_torn_line_counts_for_nothing_and_those_before_it_count(folder: MattedFolder) -> None:
    left = kill_after(folder, finish(*NAMES[:3]))
    journal = MattedFolder(left).journal
    content = journal.read_bytes()
    last = content.rindex(b"\n", 0, -1) + 1
    for size in (last, last + 1, len(content) - 2, len(content) - 1):
        journal.write_bytes(content[:size])
        assert [n for n in NAMES if Ledger(MattedFolder(left)).says_done(n)] == NAMES[:2]
    assert done(left) == NAMES[:3]  # by what was announced, and has its name


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_journal_says_what_some_shorter_one_said(data: st.DataObject) -> None:
    key = new_key()
    content, updates = b"", []
    with_file = _KeptLines()
    journal = Journal(Path("journal"), key)
    journal._file = with_file  # type: ignore[assignment]
    for number in range(data.draw(st.integers(1, 6))):
        updates.append(Update(done={NAMES[number]: True}))
        assert journal.add(updates[-1])
    content = with_file.content
    assert list(read_updates(content, key)) == updates
    assert list(read_updates(content, new_key())) == []
    place = data.draw(st.integers(0, len(content) - 1))
    harm = data.draw(st.binary(max_size=3))
    harmed = content[:place] + harm + content[place + data.draw(st.integers(0, 2)) :]
    found = list(read_updates(harmed, key))
    assert found == updates[: len(found)]


class _KeptLines:
    size_bytes = 0
    content = b""

    def add(self, line: bytes) -> bool:
        self.content += line
        return True


def test_lines_of_another_jobs_journal_count_for_nothing(
    folder: MattedFolder, tmp_path: Path
) -> None:
    other = MattedFolder(tmp_path / "other_matted")
    other.output_folder(KIND).mkdir(parents=True)
    ledger = begun(other)
    with ledger.journalled():
        record(ledger, NAMES[7])
        foreign = other.journal.read_bytes()
    left = kill_after(folder, finish(*NAMES[:2]))
    journal = MattedFolder(left).journal
    own = journal.read_bytes()
    journal.write_bytes(own + foreign)
    assert done(left) == NAMES[:2]
    journal.write_bytes(foreign)
    assert done(left) == []


def test_a_journal_that_was_folded_in_and_stayed_counts_for_nothing(folder: MattedFolder) -> None:
    left = kill_after(folder, finish(*NAMES[:2]))
    old = MattedFolder(left).journal.read_bytes()
    ledger = begun(MattedFolder(left))
    ledger.reopen(NAMES[:1])
    MattedFolder(left).journal.write_bytes(old)
    assert done(left) == NAMES[1:2]


def test_what_somebody_says_of_a_segment_outweighs_the_journal(folder: MattedFolder) -> None:
    ledger = begun(folder)
    record(ledger, NAMES[0])
    left = kill_after(folder, lambda own: record(own, NAMES[0], "matted again"))
    assert done(left) == NAMES[:1]
    say(left, output_000=False)
    assert done(left) == []


def test_a_deleted_list_has_all_done_again(folder: MattedFolder) -> None:
    left = kill_after(folder, finish(*NAMES[:2]))
    MattedFolder(left).processed.unlink()
    assert done(left) == []


def test_what_is_not_done_any_more_is_said_at_once(folder: MattedFolder) -> None:
    def work(ledger: Ledger) -> None:
        record(ledger, NAMES[0])
        record(ledger, NAMES[1])
        ledger.reopen([NAMES[0]])
        record(ledger, NAMES[2])

    left = kill_after(folder, work)
    assert said(left) == [NAMES[1]]
    assert done(left) == NAMES[1:3]


def test_the_list_is_refreshed_by_the_clock(
    folder: MattedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_files, "SHARE", 1e9)
    left = kill_after(folder, finish(*NAMES[:3]))
    assert said(left) == NAMES[:3]
    assert MattedFolder(left).journal.is_file()
    assert done(left) == NAMES[:3]


def test_an_earlier_version_takes_nothing_for_done_that_is_not(
    folder: MattedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows of no journal: what it reads of segments is older, but no file is as it says."""
    monkeypatch.setattr(ledger_files, "SHARE", 1e9)
    ledger = begun(folder)
    record(ledger, NAMES[0], "first")

    def work(own: Ledger) -> None:
        record(own, NAMES[0], "again")
        record(own, NAMES[1])

    left = kill_after(folder, work)
    MattedFolder(left).journal.unlink()
    assert said(left) == NAMES[:2]
    assert done(left) == []
