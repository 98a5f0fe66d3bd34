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
    """A disk whose fsync refuses with the errno given as the parameter."""

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
