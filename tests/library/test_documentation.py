"""The examples of docs/library.md are run as they stand, in their order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rvm_segments as rvm
from matting.inference.precision_record import PrecisionTrial, remember_trial, this_machine
from tests.support.clips import make_clip
from tests.support.repository import ROOT

PAGE = ROOT / "docs" / "library.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEMO = ROOT / "demo" / "demo_checkpoint.pth"
FRAMES = 6
CALL = 'rvm.matte_video("clip.mp4")'


def test_the_examples_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RVM_CHECKPOINT", str(DEMO))
    monkeypatch.setenv("RVM_CACHE", str(tmp_path / "cache"))
    remember_trial(PrecisionTrial(machine=this_machine(), times_as_long=None))  # saves the trial
    make_clip(tmp_path / "clip.mp4", FRAMES, audio=True)
    text = PAGE.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    examples = list(EXAMPLE.finditer(text))
    for example in examples:
        line = text.count("\n", 0, example.start()) + 1  # so that a traceback names it
        exec(compile("\n" * line + example[1], str(PAGE), "exec"), names)

    assert len(examples) == 6
    assert names["green"].shape == (2, 48, 64, 3)
    assert names["still"].alpha.dtype == np.float32
    results = Path("results").resolve()
    assert names["final"] == results / "clip_MATTED.mp4"
    assert names["stacked"].parent == results
    assert all(path.stat().st_size for path in (names["final"], names["stacked"]))
    assert names["messages"]
    assert names["job"].is_done
    printed = capsys.readouterr().out
    assert f"output_000.mp4 True {FRAMES} {results}" in printed
    assert str(tmp_path / "missing.mp4") in printed


def test_processes_that_load_the_examples_again_do_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # in which none of their files is
    examples = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__mp_main__"}
    exec(compile("".join(examples), str(PAGE), "exec"), names)
    assert names["messages"] == []


def test_a_script_that_starts_its_work_wherever_it_is_loaded_is_told_so(tmp_path: Path) -> None:
    """Its processes load it, too."""
    make_clip(tmp_path / "clip.mp4", 2)
    script = tmp_path / "unguarded.py"
    script.write_text(f"import rvm_segments as rvm\n{CALL}\n", encoding="utf-8")
    environment = {"PYTHONPATH": str(ROOT), "RVM_CHECKPOINT": str(DEMO), "RVM_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    last = done.stderr[done.stderr.rindex("InputError") :]
    assert "unguarded.py" in last
    assert 'if __name__ == "__main__":' in last
    assert "AttributeError" not in done.stderr


def test_a_job_is_read_by_its_video(tmp_path: Path) -> None:
    video = make_clip(tmp_path / "clip.mp4", 2)
    with pytest.raises(rvm.InputError, match="not matted yet"):
        rvm.read_job(video)


def test_a_format_may_stand_alone(tmp_path: Path) -> None:
    with pytest.raises(rvm.InputError, match="'no-such'"):
        rvm.deliver(tmp_path / "clip.mp4", "no-such")
    with pytest.raises(rvm.InputError, match="is not there|not matted|holds no"):
        rvm.deliver(tmp_path / "clip.mp4", rvm.FormatName.STACKED)
