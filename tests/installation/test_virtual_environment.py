"""`.venv`: real ones, created and broken; nothing is downloaded."""

from __future__ import annotations

import shutil
import sys
import zipfile
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


def test_looking_for_packages_installs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the user's own settings of pip name a folder that has them."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "rvm_lies_here-1.0-py3-none-any.whl", "w") as wheel:
        info = "rvm_lies_here-1.0.dist-info/"
        wheel.writestr(
            f"{info}METADATA", "Metadata-Version: 2.1\nName: rvm-lies-here\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}RECORD", "")
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[install]\nfind-links = {wheels}\n", encoding="utf-8")
    environment = VirtualEnvironment(tmp_path, sys.platform, SubprocessRunner())
    environment.create(sys.executable)
    for name, value in (("PIP_FIND_LINKS", wheels), ("PIP_CONFIG_FILE", settings)):
        with monkeypatch.context() as own:
            own.setenv(name, str(value))
            assert not environment.has_installed(["rvm-lies-here"])
            assert not environment.has_installed(["rvm-lies-here"])
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    environment.install(["rvm-lies-here"], "it")
    assert environment.has_installed(["rvm-lies-here"])
