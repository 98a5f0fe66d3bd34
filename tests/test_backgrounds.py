"""A job with a picture or a video of the user's behind the people."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.background import BackgroundFile
from matting.cli import option_values, parser
from matting.deliver import deliver
from matting.delivery.formats import delivery_formats
from matting.errors import InputError
from matting.infer import infer
from matting.options import MattingOptions, OutputOptions
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.run import run
from tests.support.clips import make_clip, numbers
from tests.support.recorder import Recorder
from tests.support.stages import FAST, SECOND, composites, cut, matting_options, processed


def over(path: Path, checkpoint: Path) -> MattingOptions:
    return matting_options(checkpoint, OutputOptions(BackgroundFile(path), encoding=FAST))


def shown(folder: MattedFolder) -> list[int]:
    """Return the numbers of the pictures that are seen, of all segments in order."""
    return [number for path in composites(folder) for number in numbers(path)]


def typed_for(folder: Path, *words: str) -> MattingOptions:
    """Return what a command line asks for, with what `matting_options` has for tiny pictures."""
    arguments = parser.parse(["infer", str(folder), *words])
    return option_values.matting_options(arguments)


def test_a_video_goes_on_from_segment_to_segment(
    tmp_path: Path, progress: Recorder, empty_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 40)
    beach = make_clip(tmp_path / "beach.mp4", 7)
    folder = infer(segments, over(beach, empty_checkpoint), None, progress)
    assert len(composites(folder)) == 2
    assert shown(folder) == [number % 7 for number in range(40)]


def test_another_content_makes_the_outputs_again_and_them_alone(
    tmp_path: Path, progress: Recorder, empty_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 20)
    folder = infer(segments, matting_options(empty_checkpoint), None, progress)
    beach = tmp_path / "beach.mp4"
    for first in (0, 5):
        make_clip(beach, 3, first_number=first)
        again = Recorder()
        infer(segments, over(beach, empty_checkpoint), None, again)
        assert not again.mentions("Loading the network")
        assert all(processed(folder).values())
        assert shown(folder) == [first + number % 3 for number in range(20)]
        before = [path.stat().st_mtime_ns for path in composites(folder)]
        infer(segments, over(beach, empty_checkpoint), None, Recorder())
        assert [path.stat().st_mtime_ns for path in composites(folder)] == before


def test_the_job_remembers_its_file(
    tmp_path: Path, progress: Recorder, empty_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 10)
    beach = make_clip(tmp_path / "beach.mp4", 7)
    folder = infer(segments, over(beach, empty_checkpoint), None, progress)
    remembered = Ledger(folder).remembered
    assert remembered is not None
    assert remembered.applied_to(MattingOptions()).output.background == BackgroundFile(beach)
    assert str(beach) in remembered.in_words()
    beach.unlink()
    with pytest.raises(InputError, match=r"background .*beach\.mp4"):
        infer(segments, over(beach, empty_checkpoint), None, Recorder())
    assert all(processed(folder).values())


def test_formats_without_a_background_are_delivered_without_its_file(
    tmp_path: Path, progress: Recorder, empty_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 3)
    beach = make_clip(tmp_path / "beach.mp4", 2)
    options = over(beach, empty_checkpoint)
    folder = infer(segments, options, None, progress)
    beach.unlink()
    (alpha,) = deliver(folder.root, delivery_formats("matte"), options, None, progress)
    assert len(numbers(alpha)) == 3


def test_a_background_that_is_none_stops_a_run_before_it_cuts(
    tmp_path: Path, progress: Recorder, empty_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 10)
    (tmp_path / "words.mp4").write_text("no video")
    with pytest.raises(InputError, match=r"background .*words\.mp4"):
        run(video, SECOND, over(tmp_path / "words.mp4", empty_checkpoint), None, progress)
    assert not list(tmp_path.glob("clip_*"))


def test_on_the_command_line_a_colour_goes_before_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("beach.mp4", "red"):
        (tmp_path / name).touch()
    background = typed_for(tmp_path, "--background", "beach.mp4").output.background
    assert background == BackgroundFile(tmp_path / "beach.mp4")
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert typed_for(tmp_path, "--background", "../beach.mp4").output.background == background
    monkeypatch.chdir(tmp_path)
    assert typed_for(tmp_path, "--background", "red").output.background == (255, 0, 0)
    with pytest.raises(InputError, match=r"'beech\.mp4' is no colour, and no file"):
        typed_for(tmp_path, "--background", "beech.mp4")
