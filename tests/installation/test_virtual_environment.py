"""`.venv`: real ones, created and broken; nothing is downloaded."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.hostile_folder import HostileFolder
from installation.commands import SubprocessRunner
from installation.virtual_environment import VirtualEnvironment


def test_a_broken_venv_is_recognised_and_created_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, then without pip, then without its Python; in a folder of hostile files."""
    hostile = HostileFolder(tmp_path / "hostile")
    monkeypatch.chdir(hostile.path)
    environment = VirtualEnvironment(tmp_path, sys.platform, SubprocessRunner())
    assert not environment.exists()
    assert not environment.is_usable()
    environment.create(sys.executable)
    assert environment.is_usable()
    assert not environment.has_installed(["no-such-package-rvm>=1"])
    assert environment.has_installed(["pip>=1"])
    assert not environment.check_torch().version
    assert "No module named 'torch'" in environment.check_torch().problem
    [pip] = (tmp_path / ".venv").glob("[Ll]ib/**/site-packages/pip")
    shutil.rmtree(pip)
    assert not environment.is_usable()
    environment.create(sys.executable)
    assert environment.is_usable()
    Path(environment.python).unlink()
    assert environment.exists()
    assert not environment.is_usable()
    assert not hostile.executed
