"""The folder that a user is in is full of other people's files: none of them is executed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.hostile_folder import MODULES, HostileFolder
from matting.errors import InputError
from matting.system import import_path
from tests.support.repository import ROOT

CHILD = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from matting.system.subprocesses import run_isolated
import functools, operator

if __name__ == "__main__":
    print(run_isolated(functools.partial(operator.mul, 6, 7), 60))
"""


@pytest.fixture
def hostile(tmp_path: Path) -> HostileFolder:
    return HostileFolder(tmp_path / "hostile")


# By the variable; by a flag, where Python is told to ignore variables.
@pytest.mark.parametrize("flags", [[], ["-E"]], ids=["usual", "without variables"])
def test_a_process_of_its_own_starts_safely(
    flags: list[str], hostile: HostileFolder, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(CHILD, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *flags, str(script)],
        cwd=hostile.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "42\n", done.stderr
    assert not hostile.executed


# Python itself imports some modules before a program's first line; these come later.
LATER = [
    "argparse",
    "multiprocessing",
    "numpy",
    "pathlib",
    "pickle",
    "signal",
    "socket",
    "__future__",
]


@pytest.mark.parametrize(
    ("modules", "variables"),
    [
        (MODULES, {}),
        (MODULES, {"PYTHONSAFEPATH": "1"}),
        # An empty entry means the current folder, and is easily left there by mistake.
        (LATER, {"PYTHONPATH": os.pathsep + str(ROOT / "tests")}),
    ],
    ids=["usual", "safe path", "empty entry"],
)
def test_a_command_runs_nothing_of_the_current_folder(
    modules: list[str], variables: dict[str, str], tmp_path: Path
) -> None:
    hostile = HostileFolder(tmp_path / "hostile", modules)
    search = {"PATH": os.pathsep.join([".", "", os.environ["PATH"]])}
    done = subprocess.run(
        [sys.executable, str(ROOT / "inference_custom.py"), "segment", "signal.py"],
        cwd=hostile.path,
        env={**os.environ, **search, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == InputError.exit_code, done.stderr
    assert not hostile.executed


def test_installed_the_folder_of_packages_stays_behind_pythons_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What lies there is not all of this program, and must not hide Python's own modules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(import_path, "IS_INSTALLED", True)
    monkeypatch.setattr(sys, "path", [str(tmp_path), "/usr/lib/python", str(ROOT)])
    for name in ("PYTHONPATH", "PYTHONSAFEPATH", "NODEFAULTCURRENTDIRECTORYINEXEPATH"):
        monkeypatch.setenv(name, "")
    import_path.leave_out_current_folder()
    assert sys.path == ["/usr/lib/python", str(ROOT)]


def test_what_was_named_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [str(ROOT), "", str(tmp_path), "relative", "/usr/lib/python"]
    for named, kept in (("", []), (f"{tmp_path}{os.pathsep}", [str(tmp_path)])):
        monkeypatch.setenv("PYTHONPATH", named)
        monkeypatch.setattr(sys, "path", list(paths))
        for name in ("PYTHONSAFEPATH", "NODEFAULTCURRENTDIRECTORYINEXEPATH"):
            monkeypatch.setenv(name, "")
        import_path.leave_out_current_folder()
        assert sys.path == [str(ROOT), *kept, "/usr/lib/python"]
        assert os.environ["PYTHONPATH"] == "".join(kept)
