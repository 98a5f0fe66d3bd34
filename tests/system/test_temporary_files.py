"""Temporary names: not to be foreseen, never those of links, and found again after a kill."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matting.errors import StorageError
from matting.system import atomic_files
from matting.system.temporary_files import (
    MOST_NAME_BYTES,
    create_temporary,
    create_temporary_folder,
    is_temporary,
    sweep,
    sweep_folder,
    temporary_name,
)

NAMES = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1)


@given(st.lists(NAMES.filter(lambda name: name not in {".", ".."}), min_size=2, max_size=2))
def test_any_name_has_one_that_is_known_again(names: list[str]) -> None:
    one, other = (Path("folder") / name for name in names)
    temporary = temporary_name(one)
    assert temporary != temporary_name(one)
    assert temporary.parent == one.parent
    assert len(os.fsencode(temporary.name)) <= MOST_NAME_BYTES
    assert is_temporary(temporary) and is_temporary(temporary, one)
    assert is_temporary(temporary, other) == (one == other)
    assert not is_temporary(one.with_name(f"{one.name}.partial"), one)


def test_names_as_long_as_a_file_system_takes(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 127 + "x")
    atomic_files.write_text(path, "whole")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_only_what_was_made_here_is_swept(tmp_path: Path) -> None:
    """Links stay, whatever they are called; so do the temporary files of another's target."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("precious", encoding="utf-8")
    folder = tmp_path / "job"
    (folder / "inner").mkdir(parents=True)
    ours, folders = folder / "ours.mp4", folder / "ours"
    stay = [folder / "inner", folder / "ours.mp4.partial", temporary_name(ours)]
    stay[1].write_text("of the user", encoding="utf-8")
    stay[2].symlink_to(precious / "file")
    left = [create_temporary(ours), create_temporary_folder(folders)]
    (left[1] / "link").symlink_to(precious)
    others = [create_temporary(folder / "other.mp4"), create_temporary(folder / "inner" / "x")]
    sweep(ours)
    assert set(folder.iterdir()) == {*stay, left[1], others[0]}
    sweep_folder(folder)
    assert set(folder.rglob("*")) == set(stay)
    assert (precious / "file").read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize("plant", [os.symlink, os.link])
def test_even_a_name_that_was_guessed_is_not_written_through(
    plant: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious", encoding="utf-8")
    path = tmp_path / "x"
    assert callable(plant)
    monkeypatch.setattr("secrets.token_hex", lambda size: "0" * 2 * size)
    plant(precious, temporary_name(path))
    with pytest.raises(StorageError):
        create_temporary(path)
    with pytest.raises(StorageError):
        create_temporary_folder(path)
    with pytest.raises(StorageError):
        atomic_files.write_text(path, "new")
    assert precious.read_text(encoding="utf-8") == "precious"


def test_what_still_writes_to_one_that_was_swept_reaches_nothing(tmp_path: Path) -> None:
    """As an ffmpeg does that was stopped, and outlived its parent and a whole second run."""
    target = tmp_path / "film.mp4"
    with create_temporary(target).open("wb") as outliving:
        sweep(target)
        if os.name == "nt":  # where it is held, it stays; nobody publishes it
            return
        atomic_files.write_bytes(target, b"published")
        outliving.write(b"late")
    assert target.read_bytes() == b"published"
    assert list(tmp_path.iterdir()) == [target]
