"""A folder of videos from the command line to the finished files, and once more."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from matting.cli import video_turn
from matting.cli.main import main
from matting.cli.option_values import matting_options
from matting.cli.parser import parse
from matting.delivery.finished_video import finished_file
from matting.options import CuttingOptions, MattingOptions
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder, segments_folder
from matting.system.atomic_files import write_json
from tests.support.clips import make_clip, numbers
from tests.support.commands import TINY

CUTTING = CuttingOptions()


def no_work(*_: object, **__: object) -> None:
    raise AssertionError("what is done is done again")


def test_a_folder_is_matted_and_known_to_be_done(
    tmp_path: Path,
    opaque_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    clip = make_clip(folder / "c.mp4", 20, audio=True)
    (folder / "b.mp4").write_bytes(clip.read_bytes()[:2000])
    typed = ["--checkpoint", str(opaque_checkpoint), *TINY]
    assert main(["run", str(folder), *typed, "--clean", "yes"]) == 0
    final = folder / "c_MATTED.mp4"
    assert numbers(final) == list(range(20))
    out = capsys.readouterr().out
    assert "Left out" in out and "b.mp4" in out
    monkeypatch.setattr(video_turn, "run_command", no_work)
    # The working files are deleted: only the records say what is done.
    assert main(["run", str(folder), *typed]) == 0
    assert main(["run", str(folder / "queue.txt"), *typed]) == 0
    assert capsys.readouterr().out.count(f"Done before: {final}") == 2

    options = _options(["run", "c.mp4", *typed])
    assert finished_file(clip, CUTTING, options, None) == final
    others = _options(["run", "c.mp4", *typed, "--background", "red"])
    assert finished_file(clip, CUTTING, others, None) is None
    anew = replace(CUTTING, overwrite=True, seconds=Fraction(3))
    assert finished_file(clip, anew, options, None) is None
    assert finished_file(folder / "b.mp4", CUTTING, options, None) is None
    for changed in (clip, final):
        content = changed.read_bytes()
        changed.write_bytes(content[:-1])
        assert finished_file(clip, CUTTING, options, None) is None
        changed.write_bytes(content)
        assert finished_file(clip, CUTTING, options, None) == final
    final.unlink()
    assert finished_file(clip, CUTTING, options, None) is None


def test_a_segment_that_is_to_be_done_again_is(tmp_path: Path, opaque_checkpoint: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", 20)
    typed = ["--checkpoint", str(opaque_checkpoint), *TINY]
    assert main(["run", str(clip), *typed, "--clean", "no"]) == 0
    options = _options(["run", "a.mp4", *typed])
    assert finished_file(clip, CUTTING, options, None) == tmp_path / "a_MATTED.mp4"
    job = MattedFolder.of(segments_folder(clip))
    write_json(job.processed, dict.fromkeys(Ledger(job).names, False))
    assert finished_file(clip, CUTTING, options, None) is None


def _options(words: list[str]) -> MattingOptions:
    return matting_options(parse(words))
