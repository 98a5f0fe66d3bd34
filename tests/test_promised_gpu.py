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


# Both in one process, since it takes seconds to import what is tested.
PROGRAM = f"""
import os, sys, pytest
promised, others, *arguments = sys.argv[1:]
for promise, report in (("1", promised), ("", others)):
    os.environ["{PROMISE}"] = promise
    pytest.main([f"--junitxml={{report}}", *arguments])
"""


def outcomes(report: Path) -> dict[str, int]:
    """Return how many tests there were, by outcome."""
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    return {name: int(suite.attrib[name]) for name in ("tests", "errors", "failures", "skipped")}


def test_a_missing_gpu_is_a_failure_only_where_one_is_promised(tmp_path: Path) -> None:
    """All tests marked `gpu` are run twice where torch sees no GPU."""
    reports = tmp_path / "promised.xml", tmp_path / "others.xml"
    subprocess.run(
        [sys.executable, "-c", PROGRAM, *reports, "-n", "0", "-m", "gpu", *MARKED],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        check=False,
    )
    promised, others = map(outcomes, reports)
    count = promised["tests"]
    assert count > len(MARKED)
    assert promised == {"tests": count, "errors": count, "failures": 0, "skipped": 0}
    assert others == {"tests": count, "errors": 0, "failures": 0, "skipped": count}


@pytest.mark.parametrize("path", MARKED, ids=lambda path: path.stem)
def test_tests_marked_gpu_are_skipped_in_one_place(path: Path) -> None:
    """A skipif of their own would skip them where a GPU is promised."""
    assert "skipif" not in path.read_text(encoding="utf-8")
