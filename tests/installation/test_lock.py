"""requirements.lock fits the ranges, on every system and Python, and setup reads all of it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from installation.lock import NAME, read_lock
from installation.python_check import NEWEST, OLDEST
from tests.support.repository import ROOT
from tools import lock_requirements

PYTHONS = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
SYSTEMS = [("win32", "AMD64"), ("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")]
ENTRY = re.compile(
    r"^([a-z0-9][^\\]*?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\\n|\n|$))+)", re.M
)


def entries(text: str) -> list[Requirement]:
    return [Requirement(entry[1]) for entry in ENTRY.finditer(text)]


def requirements() -> list[Requirement]:
    text = (ROOT / "requirements_inference.txt").read_text(encoding="utf-8")
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


def test_the_lock_fits_the_ranges_everywhere() -> None:
    locked = entries((ROOT / NAME).read_text(encoding="utf-8"))
    for python in PYTHONS:
        for platform, machine in SYSTEMS:
            environment = {
                "python_version": python,
                "python_full_version": f"{python}.9",
                "sys_platform": platform,
                "platform_machine": machine,
            }
            here = [x for x in locked if x.marker is None or x.marker.evaluate(environment)]
            versions = {x.name.lower(): str(x.specifier).removeprefix("==") for x in here}
            assert len(versions) == len(here)  # one version of each
            for needed in requirements():
                assert needed.specifier.contains(versions[needed.name.lower()]), needed


def test_setup_reads_all_of_it_in_two_parts() -> None:
    text = (ROOT / NAME).read_text(encoding="utf-8")
    lock = read_lock(ROOT)
    of_torch, others = entries(lock.torch), entries(lock.others)
    assert (
        len(of_torch) + len(others)
        == len(entries(text))
        == len(re.findall("==", re.sub(r"_version == |'==|machine == |platform == ", "", text)))
    )
    assert lock.torch_version in {str(x.specifier)[2:] for x in of_torch if x.name == "torch"}
    assert {x.name for x in of_torch} >= {"torch", "triton", "nvidia-cublas"}
    assert {x.name for x in others} >= {"av", "numpy", "sympy", "typing-extensions"}
    assert not {x.name for x in others if x.name.startswith(("nvidia", "cuda", "torch"))}


def test_it_names_no_place_to_fetch_from() -> None:
    assert not re.search(r"https?:|file:|--\w*index|@", (ROOT / NAME).read_text(encoding="utf-8"))


def test_a_damaged_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("numpy==2.0 \\\n    --hash=sha256:00\n")
    with pytest.raises(ValueError, match="torch"):
        read_lock(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="a shell script plays uv")
def test_the_tool_asks_pypi_alone_for_a_set_with_this_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = tmp_path / "uv"
    script = """#!/bin/sh
for last; do :; done
echo "$@" > "$last"
while [ "$1" != --constraints ]; do shift; done
echo "$UV_DEFAULT_INDEX$UV_INDEX_URL$UV_EXTRA_INDEX_URL$UV_INDEX$UV_FIND_LINKS" >> "$last"
read -r pin < "$2"
echo "$pin" >> "$last"
"""
    for name in ("DEFAULT_INDEX", "INDEX_URL", "EXTRA_INDEX_URL", "INDEX", "FIND_LINKS"):
        monkeypatch.setenv(f"UV_{name}", f"https://elsewhere.example/{name}")
    uv.write_text(script, encoding="utf-8")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    locked = lock_requirements.lock("9.8.7")
    assert locked.startswith(lock_requirements.HEAD) and locked.endswith("torch==9.8.7\n")
    assert "--universal --generate-hashes" in locked
    assert "--no-config" in locked
    assert re.findall(r"https?://\S+", locked) == []
    uv.unlink()
    with pytest.raises(FileNotFoundError, match="pip install uv"):
        lock_requirements.lock("9.8.7")
