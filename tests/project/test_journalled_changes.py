"""What a run writes to the journal of the ledger, and what becomes of that if writing fails."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.errors import StorageError
from matting.project.entry import Entry, RecordedSettings
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint
from tests.support.killed_job import KIND, NAMES, begun, done, kill_after, record, said


def test_failures_states_and_speed_are_kept(folder: MattedFolder) -> None:
    state = Fingerprint(1, "a" * 64)

    def work(ledger: Ledger) -> None:
        ledger.frames_per_second = 2.5
        ledger.record_failure(NAMES[0], RecordedSettings(), "it failed")
        ledger.record_state(NAMES[1], state, [])
        ledger.amend(NAMES[2], Entry(error="amended"))
        ledger.save()

    ledger = Ledger(MattedFolder(kill_after(folder, work)))
    assert ledger.frames_per_second == 2.5
    assert ledger.entry(NAMES[0]).error == "it failed"
    assert ledger.entry(NAMES[1]).end_state == state
    assert ledger.entry(NAMES[2]).error == "amended"


def test_an_update_does_not_cost_more_where_there_are_more_segments(folder: MattedFolder) -> None:
    written: list[int] = []
    ledger = begun(folder)
    with ledger.journalled(), pytest.MonkeyPatch.context() as patched:
        record(ledger, NAMES[0])
        really_write = os.write

        def write(descriptor: int, content: bytes) -> int:
            written.append(len(content))
            return really_write(descriptor, content)

        patched.setattr(os, "write", write)
        patched.setattr(atomic_files, "write_bytes", refuse)
        record(ledger, NAMES[1])
    assert len(written) == 2  # announced, and recorded
    assert sum(written) < folder.manifest.stat().st_size / 2


def test_a_manifest_that_somebody_has_changed_meanwhile_is_written_again(
    folder: MattedFolder,
) -> None:
    begun(folder)  # as it is: there is nothing to write
    content = folder.manifest.read_bytes()
    ledger = Ledger(folder)
    folder.manifest.write_bytes(content.replace(b"output_000", b"output_999"))
    ledger.save()
    assert folder.manifest.read_bytes() == content


def test_readers_of_one_manifest_share_no_changes(folder: MattedFolder) -> None:
    record(Ledger(folder), NAMES[0])
    first, second = Ledger(folder), Ledger(folder)
    first.amend(NAMES[0], Entry())
    first.begin(NAMES[1:], None)
    assert second.is_done(NAMES[0])
    assert second.names == tuple(NAMES)
    assert Ledger(folder).is_done(NAMES[0])


def refuse(path: Path, _content: bytes) -> None:
    raise AssertionError(f"{path} is written as a whole")


@pytest.mark.parametrize("harm", ["removed", "cut off", "a link"])
def test_a_journal_that_somebody_meddles_with_is_done_without(
    folder: MattedFolder, tmp_path: Path, harm: str
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious", encoding="utf-8")
    if harm == "a link" and os.name == "nt":
        pytest.skip("links need a privilege on Windows")

    def work(ledger: Ledger) -> None:
        record(ledger, NAMES[0])
        content = folder.journal.read_bytes()
        folder.journal.unlink()
        if harm == "cut off":
            folder.journal.write_bytes(content[:-5])
        elif harm == "a link":
            folder.journal.symlink_to(precious)
        record(ledger, NAMES[1])

    assert done(kill_after(folder, work)) == NAMES[:2]
    assert done(folder.root) == NAMES[:2]
    assert precious.read_text(encoding="utf-8") == "precious"


def test_a_write_that_fails_half_way_harms_nothing(
    folder: MattedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = begun(folder)
    really_write = os.write
    with pytest.raises(StorageError), ledger.journalled():
        record(ledger, NAMES[0])

        def full(descriptor: int, content: bytes) -> int:
            if len(content) > 10:
                return really_write(descriptor, content[:10])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        record(ledger, NAMES[1])
    monkeypatch.undo()
    assert done(folder.root) == NAMES[:1]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(NAMES[:5]), st.sampled_from(["done", "reopened"]))))
def test_a_killed_run_is_read_as_one_that_ended(
    tmp_path_factory: pytest.TempPathFactory, steps: Collection[tuple[str, str]]
) -> None:
    folder = MattedFolder(tmp_path_factory.mktemp("job") / "clip_matted")
    folder.output_folder(KIND).mkdir(parents=True)
    begun(folder)

    def work(ledger: Ledger) -> None:
        for number, (name, what) in enumerate(steps):
            if what == "done":
                record(ledger, name, str(number))
            else:
                ledger.reopen([name])

    left = kill_after(folder, work)
    assert done(left) == done(folder.root) == said(folder.root)
    killed, ended = Ledger(MattedFolder(left)), Ledger(folder)
    assert [killed.entry(name) for name in NAMES] == [ended.entry(name) for name in NAMES]
    assert {path.name: own for path, own in killed.recorded_files()} == {
        path.name: own for path, own in ended.recorded_files()
    }
