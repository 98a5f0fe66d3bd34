"""Tests marked `gpu` fail, and are not skipped, where RVM_FAIL_WITHOUT_CUDA=1 promises a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.markers import PROMISE
from tests.support.repository import ROOT

# Put together, so that this file does not count as one of them.
MARK = ".".join(("mark", "gpu"))
MARKED = [path for path in ROOT.glob("tests/**/test_*.py") if MARK in path.read_text("utf-8")]


def run_gpu_tests(report: Path, promise: str) -> dict[str, int]:
    """Run all tests marked `gpu` where torch sees no GPU; count them by outcome."""
    subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-m", "gpu", f"--junitxml={report}", *MARKED],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", PROMISE: promise},
        capture_output=True,
        check=False,
    )
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    return {name: int(suite.attrib[name]) for name in ("tests", "errors", "failures", "skipped")}


def test_a_missing_gpu_is_a_failure_only_where_one_is_promised(tmp_path: Path) -> None:
    promised = run_gpu_tests(tmp_path / "promised.xml", "1")
    count = promised["tests"]
    assert count > len(MARKED)
    assert promised == {"tests": count, "errors": count, "failures": 0, "skipped": 0}
    others = run_gpu_tests(tmp_path / "others.xml", "")
    assert others == {"tests": count, "errors": 0, "failures": 0, "skipped": count}


@pytest.mark.parametrize("path", MARKED, ids=lambda path: path.stem)
def test_tests_marked_gpu_are_skipped_in_one_place(path: Path) -> None:
    """A skipif of their own would skip them where a GPU is promised."""
    assert "skipif" not in path.read_text(encoding="utf-8")
