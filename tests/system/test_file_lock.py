"""One run a folder, whatever becomes of the process that holds it."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from matting.errors import BusyError, StorageError
from matting.system.file_lock import LOCK_NAME, PRESENCE_SUFFIX, folder_lock, reading_lock
from tests.support.file_systems import refuse_writing
from tests.support.repository import ROOT

HOLD = (
    "import sys, time; from pathlib import Path; from matting.system.file_lock import folder_lock\n"
    "with folder_lock(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
)
# As the versions before filelock did it.
HOLD_BY_HAND = """
import sys, time
file = open(sys.argv[1] + "/.lock", "a+b")
if sys.platform == "win32":
    import msvcrt
    file.seek(0)
    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
time.sleep(60)
"""


@contextlib.contextmanager
def held_elsewhere(folder: Path, program: str = HOLD) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("program", [HOLD, HOLD_BY_HAND], ids=["this version", "an older version"])
def test_another_process_is_kept_out_until_this_one_is_dead(tmp_path: Path, program: str) -> None:
    with held_elsewhere(tmp_path, program) as process:
        with pytest.raises(BusyError) as refused, folder_lock(tmp_path):
            pass
        assert str(tmp_path) in refused.value.what
        if program == HOLD:
            assert f"process {process.pid}, since 20" in refused.value.what
            assert f"kill {process.pid}" in refused.value.hint
        assert refused.value.retry
        process.kill()
        process.wait()
        with folder_lock(tmp_path):
            pass


def test_an_older_version_is_kept_out(tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        command = [sys.executable, "-c", HOLD_BY_HAND, str(tmp_path)]
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_who_has_patience_waits(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as process:
        started = time.monotonic()
        with pytest.raises(BusyError), folder_lock(tmp_path, patience_seconds=0.5):
            pass
        assert time.monotonic() - started >= 0.5
        process.kill()
        with folder_lock(tmp_path, patience_seconds=30):
            pass


def test_a_folder_is_made_and_its_lock_can_be_taken_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        with folder_lock(folder), folder_lock(folder, name=".other"):
            assert (folder / LOCK_NAME).is_file()
            with pytest.raises(BusyError), folder_lock(folder):
                pass


def test_a_folder_made_for_nothing_is_removed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for folder in (mine / "new" / "folder", tmp_path / "other"):
        with pytest.raises(BusyError), folder_lock(folder), folder_lock(folder, name=".other.lock"):
            raise BusyError("refused")
    assert list(tmp_path.rglob("*")) == [mine]
    with pytest.raises(BusyError), folder_lock(mine):  # it was there before
        raise BusyError("refused")
    assert mine.is_dir()
    with pytest.raises(BusyError), folder_lock(tmp_path / "begun"):
        (tmp_path / "begun" / "work").touch()
        raise BusyError("refused")
    assert (tmp_path / "begun" / "work").is_file()


@pytest.mark.parametrize(
    "number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS], ids=errno.errorcode.get
)
@pytest.mark.skipif(os.name == "nt", reason="flock")
def test_without_locks_a_file_stands_for_one(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    warnings: list[str] = []
    for _ in range(2):
        with folder_lock(tmp_path, warn=warnings.append):
            with pytest.raises(BusyError, match=str(os.getpid())), folder_lock(tmp_path):
                pass
            with folder_lock(tmp_path, ".other"):
                pass
    assert len(warnings) == 2 and str(tmp_path) in warnings[0]
    # Of a run that was killed, on this computer and on another.
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"{LOCK_NAME}{PRESENCE_SUFFIX}"
    left.write_text(f"{ended.pid}\n{platform.node()}\n", encoding="utf-8")
    with folder_lock(tmp_path):
        pass
    left.write_text("1\nanother computer\n", encoding="utf-8")
    with pytest.raises(BusyError) as refused, folder_lock(tmp_path):
        pass
    assert f"delete {left}" in refused.value.hint


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_what_a_link_points_to_stays_as_it_is(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("precious", encoding="utf-8")
    for plant in (os.symlink, os.link):
        for name in (LOCK_NAME, f"{LOCK_NAME}.holder"):
            folder = tmp_path / f"{plant.__name__} {name}"
            folder.mkdir()
            plant(precious, folder / name)
            with contextlib.suppress(StorageError), folder_lock(folder):
                pass
            assert precious.read_text(encoding="utf-8") == "precious"


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder look like one on a share that cannot be written."""
    folder = tmp_path / "share"
    folder.mkdir()
    refuse_writing(folder, monkeypatch)
    return folder


def test_a_folder_that_cannot_be_written_cannot_be_worked_in(read_only: Path) -> None:
    with pytest.raises(StorageError, match="share"), folder_lock(read_only):
        pass


def test_a_folder_that_cannot_be_written_can_be_read(read_only: Path) -> None:
    with reading_lock(read_only):
        pass


def test_a_folder_that_is_being_changed_cannot_be_read(tmp_path: Path) -> None:
    with folder_lock(tmp_path), pytest.raises(BusyError), reading_lock(tmp_path):
        pass
    with reading_lock(tmp_path), pytest.raises(BusyError), folder_lock(tmp_path):
        pass
