"""What was chosen for a video, in a file beside it, counts as if it had been typed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from matting.cli import option_values, parser
from matting.errors import InputError
from matting.network_choice import Model, Subject
from matting.options import MattingOptions
from matting.project.clip_settings import (
    ClipSettings,
    read_settings,
    settings_path,
    with_clip_settings,
    write_settings,
)
from tests.support.recorder import Recorder

CHOSEN = ClipSettings(downsample_ratio=0.2, subject=Subject.PORTRAIT, model=Model.RESNET50)


def asked(*words: str) -> MattingOptions:
    return option_values.matting_options(parser.parse(["run", "clip.mp4", *words]))


def used(folder: Path, words: Sequence[str] = ()) -> tuple[MattingOptions, list[str]]:
    listener = Recorder()
    options = with_clip_settings(asked(*words), Path("clip.mp4"), (folder,), listener)
    return options, listener.said


@pytest.mark.parametrize("settings", [CHOSEN, ClipSettings()])
def test_settings_are_read_as_written(settings: ClipSettings, tmp_path: Path) -> None:
    path = settings_path(tmp_path / "clip.mp4")
    assert read_settings(path) is None
    write_settings(path, settings)
    assert read_settings(path) == settings


def test_they_count_as_if_typed_and_it_is_said(tmp_path: Path) -> None:
    write_settings(settings_path(tmp_path / "clip.mp4"), CHOSEN)
    options, said = used(tmp_path)
    words = ("--downsample-ratio", "0.2", "--subject", "portrait", "--model", "resnet50")
    assert options == asked(*words)
    assert len(said) == 1
    assert "clip_settings.toml" in said[0]
    assert " ".join(words) in said[0]


def test_what_is_typed_goes_before(tmp_path: Path) -> None:
    write_settings(settings_path(tmp_path / "clip.mp4"), CHOSEN)
    options, _ = used(tmp_path, ["--downsample-ratio", "0.5"])
    assert (options.matte.ratio, options.matte.subject) == (0.5, Subject.PORTRAIT)
    options, _ = used(tmp_path, ["--subject", "full-body"])
    assert (options.matte.ratio, options.matte.subject) == (None, Subject.FULL_BODY)
    options, _ = used(tmp_path, ["--checkpoint", "own.pth"])
    assert options.matte.model is None


def test_without_the_file_nothing_changes(tmp_path: Path) -> None:
    assert used(tmp_path) == (asked(), [])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("downsample_ratio = 2", "downsample_ratio"),
        ('subject = "cat"', "subject"),
        ("downsampling = 0.5", "downsampling"),
        ("subject =", "Invalid value"),
        (f"# {'x' * 100_000}", "larger"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(text: str, named: str, tmp_path: Path) -> None:
    path = settings_path(tmp_path / "clip.mp4")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=named) as refused:
        used(tmp_path)
    assert str(path) in refused.value.what
