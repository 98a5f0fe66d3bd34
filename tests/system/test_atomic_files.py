"""Files are whole or not there, also on file systems that cannot put them on the disk on demand."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from matting.errors import StorageError
from matting.system import atomic_files


@pytest.fixture
def fsync_says(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Make fsync refuse with the errno given as the parameter."""

    def refuse(_: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(os, "fsync", refuse)


@pytest.mark.parametrize(
    "fsync_says",
    [errno.ENOTSUP, errno.EINVAL, errno.ENOSYS],
    ids=errno.errorcode.get,
    indirect=True,
)
@pytest.mark.usefixtures("fsync_says")
def test_a_file_system_without_fsync_takes_files_and_folders(tmp_path: Path) -> None:
    atomic_files.write_text(tmp_path / "a.txt", "whole")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "whole"
    folder = tmp_path / "b.partial"
    folder.mkdir()
    atomic_files.publish_folder(folder, tmp_path / "b")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b"]


@pytest.mark.parametrize(
    "fsync_says", [errno.EIO, errno.ENOSPC], ids=errno.errorcode.get, indirect=True
)
@pytest.mark.usefixtures("fsync_says")
def test_what_could_not_be_put_on_the_disk_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"a\.txt"):
        atomic_files.write_text(tmp_path / "a.txt", "lost")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("steps", range(4))
def test_a_folder_is_replaced_as_a_whole(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted after any step, the name never holds a mixture, and the next try succeeds."""
    old, new, path = {"a": b"old", "b": b"old"}, {"a": b"new"}, tmp_path / "x"
    write_files(path, old)
    temporary = path.with_name("new")
    write_files(temporary, new)
    left = steps

    def step() -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1

    def publish(temporary: Path, path: Path) -> None:
        step()
        really_publish(temporary, path)

    def remove(path: Path) -> None:
        step()
        really_remove(path)

    really_publish, really_remove = atomic_files.publish, atomic_files.remove
    with monkeypatch.context() as patched:
        patched.setattr(atomic_files, "publish", publish)
        patched.setattr(atomic_files, "remove", remove)
        try:
            atomic_files.publish_folder(temporary, path)
        except KeyboardInterrupt:
            assert steps < 3
    was_there = path.exists()
    atomic_files.restore_replaced(path)
    assert read_files(path) in ((old, new) if was_there else (old,))
    write_files(temporary, new)
    atomic_files.publish_folder(temporary, path)
    assert read_files(path) == new
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
