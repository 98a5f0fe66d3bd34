"""What files and folders of pictures are known again by: their content, and first their stamp."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from matting.errors import InputError
from matting.system.fingerprint import FileStamp, Fingerprint


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def append(path: Path) -> None:
    status = path.stat()
    path.write_bytes(path.read_bytes() + b"more")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", [touch, append])
@pytest.mark.parametrize("in_folder", [False, True])
def test_a_change_leaves_another_stamp(
    change: Callable[[Path], None], in_folder: bool, tmp_path: Path
) -> None:
    """Another size, whatever the time says; another time, whatever the content is."""
    path = tmp_path / "a.png"
    path.write_bytes(b"content")
    known = tmp_path if in_folder else path
    before = FileStamp.of(known)
    assert FileStamp.of(known) == before
    change(path)
    assert FileStamp.of(known) != before


@pytest.mark.parametrize("suffix", [".png", ".exr"])
def test_pictures_that_are_lost_or_changed_are_missed(suffix: str, tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / f"{name}{suffix}").write_bytes(b"content")
    known = Fingerprint.of(tmp_path)
    assert known.matches(tmp_path)
    (tmp_path / f"2{suffix}").write_bytes(b"CONTENT")
    assert known.has_size_of(tmp_path)
    assert not known.matches(tmp_path)
    (tmp_path / f"2{suffix}").unlink()
    assert not known.has_size_of(tmp_path)


def test_a_folder_with_other_pictures_has_another_stamp(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"content")
    before = FileStamp.of(tmp_path)
    (tmp_path / "notes.txt").write_bytes(b"no picture")
    assert FileStamp.of(tmp_path) == before
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    assert FileStamp.of(tmp_path) != before


def test_a_touched_file_has_its_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"content")
    before = Fingerprint.of(path)
    touch(path)
    assert before.matches(path)


def test_what_is_not_there_has_no_stamp(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone.mp4 cannot be read"):
        FileStamp.of(tmp_path / "gone.mp4")
