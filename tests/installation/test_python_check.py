"""Which Pythons are suitable, to create `.venv` from and to run the program."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from installation import python_check
from tests.support.repository import ROOT

FILE = ROOT / "installation" / "python_check.py"


@pytest.mark.parametrize(
    ("version", "bits", "words"),
    [
        ((3, 10), 64, ""),
        ((3, 13), 64, ""),
        ((3, 9), 64, "3.10 is the oldest"),
        ((2, 7), 32, "3.10 is the oldest"),
        ((3, 14), 64, "newer than"),
        ((3, 12), 32, "32-bit"),
    ],
)
def test_a_venv_needs_a_64_bit_python_of_a_tried_version(
    version: tuple[int, int], bits: int, words: str
) -> None:
    problem = python_check.problem_as_base(version, bits)
    assert words in problem
    assert bool(problem) == bool(words)


def test_running_the_program_needs_all_packages() -> None:
    installed = "# note\nnumpy>=2\nimageio-ffmpeg\npillow\n"
    assert python_check.problem_as_ready((3, 14), installed) == ""
    assert "nonesuch-x" in python_check.problem_as_ready((3, 12), "nonesuch-x==1 # why")
    assert "oldest" in python_check.problem_as_ready((3, 8), "")


def test_the_packages_are_those_that_the_program_requires() -> None:
    names = python_check.package_names(python_check.read_requirements())
    assert {"torch", "av", "imageio-ffmpeg"} <= set(names)


@pytest.mark.parametrize("purpose", ["base", "ready"])
def test_the_check_runs_from_any_folder(purpose: str, tmp_path: Path) -> None:
    process = subprocess.run([sys.executable, str(FILE), purpose], cwd=tmp_path, check=False)
    assert process.returncode == 0


def test_python_2_can_read_the_check() -> None:
    """It uses no syntax that Python 2.7 lacks, which would end it without saying why."""
    tree = ast.parse(FILE.read_text(encoding="ascii"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr | ast.Starred)
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert all(argument.annotation is None for argument in node.args.args)
