"""The packages that the program needs: which versions will do, and what loads."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from matting.errors import MissingError
from matting.system.packages import Package, load_each, load_isolated, read_packages, satisfies


@pytest.mark.parametrize(
    ("version", "specifier", "does"),
    [
        ("2.10", ">=2.10", True),
        ("2.10.0+cpu", ">=2.10", True),
        ("2.9.1", ">=2.10", False),
        ("2.11.0.dev20261101", ">=2.10", True),
        ("18.1.0", ">=17.1,<19", True),
        ("19.0", ">=17.1,<19", False),
        ("2026.3.3", ">=2024.1", True),
        ("1.0", "", True),
        ("2.10.0", "==2.10", True),
        ("2.11.0", "==2.10", False),
        ("2.11.0", "==2.10.*", False),
        ("2.10.3+cu130", "==2.10.3", True),
        ("0.25.1", "<=0.25", False),
        ("1.4.9", "~=1.4.2", True),
        ("1.5.0", "~=1.4.2", False),
        ("1.4.2", "!=1.4.2", False),
        ("1.4", ">1.4", False),
        ("unknown", ">=1", False),
        ("unknown", "", True),
    ],
)
def test_versions(version: str, specifier: str, *, does: bool) -> None:
    assert satisfies(version, specifier) is does
    assert bool(Package("a", specifier, version).problem) is not does


def test_a_version_that_cannot_be_compared_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where packaging is missing, that is the problem, and is told as such."""
    monkeypatch.setitem(sys.modules, "packaging.specifiers", None)
    assert satisfies("1.0", ">=2.0")


def test_the_packages_of_the_list(tmp_path: Path) -> None:
    listed = read_packages()
    assert {"torch", "av", "imageio-ffmpeg"} <= {one.name for one in listed}
    assert all(one.version and not one.problem for one in listed)
    with pytest.raises(MissingError, match=r"gone\.txt"):
        read_packages(tmp_path / "gone.txt")


def test_a_list_as_pip_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("# note\n-r other.txt\n\nav >=17.1, !=18.0.* # why\nzope.none==1.0rc1\nnumpy\n")
    assert [(one.name, one.specifier) for one in read_packages(path)] == [
        ("av", ">=17.1, !=18.0.*"),
        ("zope.none", "==1.0rc1"),
        ("numpy", ""),
    ]


def test_packages_that_are_broken_are_told_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_one.py").write_text("raise OSError('DLL load failed.\\nmore')\n")
    (tmp_path / "other_one.py").write_text("import package_that_is_not_there\n")
    (tmp_path / "crashing_one.py").write_text("import os; os._exit(7)\n")
    (tmp_path / "intact_one.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_each(["broken-one", "other_one", "intact_one", "absent_one"]) == {
        "broken-one": "does not load (OSError: DLL load failed)",
        "other_one": "does not load (ModuleNotFoundError: No module named "
        "'package_that_is_not_there')",
        "intact_one": "",
        "absent_one": "not installed",
    }
    isolated = load_isolated(["intact_one", "crashing_one"])
    assert isolated["intact_one"] == ""
    assert "code 7" in isolated["crashing_one"]
