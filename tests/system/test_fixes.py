"""Commands that fix a computer, in the words of its system."""

from __future__ import annotations

import sys
from pathlib import Path

from matting.system import fixes


def test_commands_are_quoted_for_their_system() -> None:
    path = Path("a folder", "x.pth")
    assert fixes.delete_file(path, "linux") == f"rm '{path}'"
    assert fixes.delete_file(path, "win32") == f'del "{path}"'
    assert fixes.unset_variable("A", "linux") == "unset A"
    assert fixes.torch_for_old_gpus("linux").startswith(sys.executable)


def test_the_python_that_setup_made_is_known(tmp_path: Path) -> None:
    assert fixes.own_python("linux", tmp_path) is None
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert fixes.own_python("linux", tmp_path) == Path(".venv/bin/python")
