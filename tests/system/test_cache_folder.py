"""Where downloaded weights and what is known of this computer are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.errors import InputError, MissingError
from matting.inference.precision_record import PrecisionTrial, known_trial, remember_trial
from matting.inference.weights import find_checkpoint
from matting.system.cache_folder import cache_folder
from tests.support.recorder import Recorder
from tests.support.repository import ROOT


def test_unpacked_it_is_the_programs_own_folder() -> None:
    assert cache_folder(environment={}) == ROOT


def test_installed_it_is_the_users_cache_by_the_rules_of_the_system(tmp_path: Path) -> None:
    def folder(platform: str, **environment: str) -> Path:
        return cache_folder(is_installed=True, environment=environment, platform=platform)

    home, name = Path.home(), "rvm-segments"
    assert folder("linux") == home / ".cache" / name
    assert folder("linux", XDG_CACHE_HOME=str(tmp_path)) == tmp_path / name
    assert folder("linux", XDG_CACHE_HOME="relative") == home / ".cache" / name
    assert folder("darwin") == home / "Library" / "Caches" / name
    assert folder("win32", LOCALAPPDATA=str(tmp_path)) == tmp_path / name
    assert folder("win32") == home / "AppData" / "Local" / name


def test_a_variable_names_another_which_is_made_when_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "of my own" / "cache"
    monkeypatch.setenv("RVM_CACHE", str(named))
    assert cache_folder() == cache_folder(is_installed=True) == named
    assert not named.exists()
    trial = PrecisionTrial(machine="here", times_as_long=2.0)
    remember_trial(trial)
    assert known_trial("here", "") == trial
    assert [path.name for path in named.iterdir()] == [".precision.json"]


def test_weights_are_downloaded_into_a_folder_that_is_not_there_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: Recorder
) -> None:
    weights = tmp_path / "cache" / "rvm-segments" / "weights.pth"
    monkeypatch.setattr("matting.inference.weights.default_path", lambda _=None: weights)
    with pytest.raises(MissingError, match="cannot be downloaded"):  # tests have no internet
        find_checkpoint(None, progress)
    assert weights.parent.is_dir()
    assert not list(weights.parent.iterdir())


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(InputError) as caught:
        cache_folder(is_installed=True, environment={}, platform="linux")
    assert "RVM_CACHE" in caught.value.hint
