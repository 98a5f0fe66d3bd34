"""What a message tells its reader to start can be done as it stands."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from matting.system import fixes, invocation
from matting.system.invocation import Command
from tests.support.repository import ROOT


def test_the_line_names_this_python_and_this_program_wherever_one_is(tmp_path: Path) -> None:
    line = invocation.program_line("--version")
    done = subprocess.run(
        line if os.name == "nt" else shlex.split(line),
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0
    assert shlex.split(invocation.pip_line("list"))[0] == sys.executable


@pytest.mark.skipif(os.name == "nt", reason="a symbolic link as a virtual environment")
def test_the_line_names_what_was_typed(tmp_path: Path) -> None:
    """As typed, if that is what runs; the full paths if a batch file did."""
    (tmp_path / "my python").symlink_to(sys.executable)
    program = os.path.relpath(ROOT / "inference_custom.py", tmp_path)

    def hint(**variables: str) -> str:
        done = subprocess.run(
            ["./my python", program, "segment"],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        return done.stderr.splitlines()[-1].partition("Help: ")[2]

    assert shlex.split(hint()) == ["./my python", program, "segment", "--help"]
    full = [str(tmp_path / "my python"), str(ROOT / "inference_custom.py"), "segment", "--help"]
    assert shlex.split(hint(RVM_BATCH="1_segment.bat")) == full


def test_steps_are_drops_for_whoever_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    def texts() -> list[str]:
        return [
            invocation.sentence(invocation.start(Command.INFER, "it", again=True)),
            invocation.start(Command.DEMO, "it"),  # has no batch file
            invocation.named(Command.COMBINE),
            invocation.give("the video"),
        ]

    monkeypatch.delenv("RVM_BATCH", raising=False)
    assert texts() == ["Run infer again on it.", "run demo on it", "combine", "Give the video."]
    monkeypatch.setenv("RVM_BATCH", "1_segment.bat")
    assert texts() == [
        "Drop it on 2_infer.bat again.",
        "run demo on it",
        "3_combine.bat",
        "Drop the video.",
    ]


def test_what_pip_installed_is_named_as_it_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command alone where that finds it; by this Python where a library is used."""
    script = tmp_path / "rvm-segments"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)

    def words(*typed: str, path: Path = tmp_path) -> tuple[str, ...]:
        monkeypatch.setattr(sys, "orig_argv", [*typed, "run", "clip.mp4"])
        monkeypatch.setattr(sys, "argv", ["-", "run", "clip.mp4"])
        monkeypatch.setenv("PATH", str(path))
        return invocation.program_words()

    monkeypatch.delenv("RVM_BATCH", raising=False)
    assert words(sys.executable, str(script)) == ("rvm-segments",)
    assert words(sys.executable, str(script), path=tmp_path / "none") == (str(script),)
    other = tmp_path / "other" / "rvm-segments.exe"
    assert words(sys.executable, str(other)) == (str(other),)
    assert shlex.split(invocation.pip_line("list"))[0] == sys.executable
    by_module = (sys.executable, "-m", "rvm_segments")
    assert words(*by_module) == by_module
    monkeypatch.setattr(invocation, "IS_INSTALLED", True)
    assert words(sys.executable, "pipeline.py") == by_module


def test_setup_is_named_by_its_path_unless_one_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert fixes.setup("linux") == "sh setup.sh"
    monkeypatch.chdir(tmp_path)
    assert shlex.split(fixes.setup("linux")) == ["sh", str(ROOT / "setup.sh")]
    assert fixes.setup("win32") == "double-click setup.bat"
