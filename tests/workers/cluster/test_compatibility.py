"""A computer that would make something else of a job, or does not see its folder, is told why."""

from __future__ import annotations

import errno
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest

from matting.errors import StorageError
from matting.system.temporary_files import is_temporary, sweep_folder
from matting.workers.cluster.compatibility import (
    Identity,
    differences,
    own_identity,
    sources_sha256,
    write_probe,
)
from matting.workers.cluster.portable_paths import PathMapping, dumps, loads

JOB = Identity("0.1.0", "a" * 64, "2.14.1", "18.1.0", "b" * 64)


def test_a_computer_fits_itself() -> None:
    own = own_identity("c" * 64)
    assert all(getattr(own, field.name) for field in fields(own))
    assert "+" not in own.torch  # builds for other GPUs are the same torch
    assert differences(own, own_identity("c" * 64)) == ""


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        (replace(JOB, weights="c" * 64), ["weights", "b" * 12, "c" * 12]),
        (replace(JOB, weights=""), ["weights", "none"]),
        (replace(JOB, torch="2.10.0"), ["torch", "2.14.1", "2.10.0"]),
        (replace(JOB, av="17.1.0", program="0.2.0"), ["av", "17.1.0", "version", "0.2.0"]),
        (replace(JOB, sources="c" * 64), ["code", "a" * 12, "c" * 12]),
    ],
)
def test_all_that_differs_is_named_with_both_values(changed: Identity, names: list[str]) -> None:
    sentence = differences(JOB, changed)
    assert all(name in sentence for name in names)


def test_weights_that_a_job_does_not_use_make_no_difference() -> None:
    assert differences(replace(JOB, weights=""), JOB) == ""


def test_the_code_is_told_by_what_it_says(tmp_path: Path) -> None:
    """Not by where it lies, by how its lines end, or by what lies beside it."""
    hashes = []
    for name, end in (("a", b"\n"), ("b", b"\r\n"), ("c", b"\n")):
        for inner in ("matting/cli", "model"):
            (tmp_path / name / inner).mkdir(parents=True)
        (tmp_path / name / "matting/cli/main.py").write_bytes(b"one" + end + b"two" + end)
        (tmp_path / name / "model/network.py").write_bytes(b"three")
    (tmp_path / "b/matting/notes.txt").write_text("new")
    hashes = [sources_sha256(tmp_path / name) for name in "ab"]
    (tmp_path / "c/model/network.py").rename(tmp_path / "c/matting/network.py")
    assert hashes[0] == hashes[1] != sources_sha256(tmp_path / "c")


def test_a_probe_shows_that_the_folder_is_seen_and_can_be_written(tmp_path: Path) -> None:
    probe = write_probe(tmp_path)
    assert probe.check_here(PathMapping()) == ""
    (made,) = tmp_path.iterdir()
    assert is_temporary(made)  # so a run that is killed leaves nothing for long
    probe.remove()
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) in probe.check_here(PathMapping())
    probe.remove()
    left = write_probe(tmp_path)
    sweep_folder(tmp_path)
    assert left.check_here(PathMapping()) != ""


def test_a_probe_is_looked_for_where_the_mapping_says(tmp_path: Path) -> None:
    """Also when it was sent by a mapping, which leaves the other computer's path as it is."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    probe = write_probe(there)
    there.rename(here)
    mapping = PathMapping.parse([f"{there}={here}"])
    arrived = loads(dumps(probe), mapping)
    assert arrived == probe
    assert probe.check_here(mapping) == ""
    text = probe.check_here(PathMapping())
    assert probe.path in text
    assert "--map" in text
    wrong = PathMapping.parse([f"{there}={tmp_path / 'nowhere'}"])
    text = probe.check_here(wrong)
    assert str(tmp_path / "nowhere") in text
    assert probe.path in text


def test_another_folder_of_the_same_name_is_not_the_jobs(tmp_path: Path) -> None:
    probe = write_probe(tmp_path)
    Path(probe.path).write_text("another")
    assert "another folder" in probe.check_here(PathMapping())


def test_a_folder_that_cannot_be_written_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = write_probe(tmp_path)

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert "Nothing can be written" in probe.check_here(PathMapping())


def test_a_probe_that_cannot_be_written_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_probe(tmp_path / "gone")
