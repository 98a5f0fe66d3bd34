"""Setup takes over weights from an older folder: the published ones, and no others."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from installation.arguments import SetupOptions
from installation.errors import SetupError
from installation.takeover import WEIGHTS, older_folders, take_over_weights
from matting.inference.published import PUBLISHED
from tests.support.simulated_computer import computer_with

CONTENT = b"weights" * 100
KNOWN = dict(WEIGHTS)
SMALL, LARGE = WEIGHTS


def test_the_weights_are_those_that_the_program_downloads() -> None:
    assert {file.name: file.sha256 for file in PUBLISHED.values()} == KNOWN


@pytest.fixture(autouse=True)
def _published(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WEIGHTS:
        monkeypatch.setitem(WEIGHTS, name, hashlib.sha256(CONTENT).hexdigest())


def folder(path: Path, **files: bytes) -> Path:
    path.mkdir()
    (path / "inference_custom.py").touch()
    for name, content in files.items():
        (path / f"{name}.pth").write_bytes(content)
    return path


def test_weights_are_taken_from_where_they_are_whole(tmp_path: Path) -> None:
    away = folder(tmp_path / "away", rvm_resnet50=CONTENT)
    beside = tmp_path / "beside"
    beside.mkdir()
    new = folder(beside / "new")
    folder(beside / "a damaged one", rvm_mobilenetv3=CONTENT[:-1])
    old = folder(beside / "old", rvm_mobilenetv3=CONTENT)
    (beside / "other").mkdir()
    (beside / "other" / SMALL).write_bytes(CONTENT)
    folders = older_folders(new, away)
    assert folders == [away, beside / "a damaged one", old]
    assert take_over_weights(new, folders) == [old / SMALL, away / LARGE]
    assert (new / SMALL).read_bytes() == (new / LARGE).read_bytes() == CONTENT
    assert take_over_weights(new, folders) == []
    assert sorted(path.name for path in new.iterdir()) == ["inference_custom.py", SMALL, LARGE]


def test_setup_says_what_it_took_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = folder(tmp_path / "old", rvm_mobilenetv3=CONTENT)
    (tmp_path / "new").mkdir()
    linux = computer_with(tmp_path / "new", "linux")
    assert linux.set_up(SetupOptions(older=old)) == 0
    assert f"Taken over: {SMALL}, from {old}" in capsys.readouterr().out


def test_a_folder_of_something_else_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    linux = computer_with(tmp_path / "new", "linux")
    with pytest.raises(SetupError, match="no folder of this program") as error:
        linux.set_up(SetupOptions(older=tmp_path))
    assert (error.value.exit_code, linux.commands) == (2, [])
