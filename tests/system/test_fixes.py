"""Commands that fix a computer, in the words of its system."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from matting.system import fixes, invocation


def test_commands_are_quoted_for_their_system() -> None:
    path = Path("a folder", "x.pth")
    assert fixes.delete_file(path, "linux") == f"rm '{path}'"
    assert fixes.delete_file(path, "win32") == f'del "{path}"'
    assert fixes.unset_variable("A", "linux") == "unset A"
    assert fixes.torch_for_old_gpus("linux").startswith(sys.executable)


def test_what_pip_installed_is_mended_by_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fixes.torch_for_gpus("linux") == fixes.setup("linux")
    monkeypatch.setattr(invocation, "IS_INSTALLED", True)
    words = shlex.split(fixes.setup("linux"))
    assert words[:5] == [sys.executable, "-m", "pip", "install", "--upgrade"]
    assert Path(words[-1]).is_file()
    assert fixes.setup("win32") == fixes.setup("linux")
    assert shlex.split(fixes.torch_for_gpus("linux"))[-2:] == ["--force-reinstall", "torch"]
    assert "https://pytorch.org/" in fixes.torch_for_gpus("win32")


def test_the_python_that_setup_made_is_known(tmp_path: Path) -> None:
    assert fixes.own_python("linux", tmp_path) is None
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert fixes.own_python("linux", tmp_path) == Path(".venv/bin/python")
