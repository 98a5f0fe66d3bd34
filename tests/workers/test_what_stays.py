"""What processed.json says of a segment is true, and no result is lost before its next is there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from matting.background import COLOUR
from matting.errors import SegmentsFailedError
from matting.infer import infer
from matting.options import FormatName, OutputKind
from matting.project.paths import MattedFolder
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.scripted_executor import ExecutorScript
from tests.support.scripted_job import NAMES, ScriptedJob
from tests.support.stages import composites, matting_options, processed, with_output

BLUE = (0, 71, 187)


@pytest.fixture
def job(matted_job: ScriptedJob) -> ScriptedJob:
    return matted_job


def say_undone(folder: MattedFolder, name: str) -> None:
    done = processed(folder) | {name: False}
    folder.processed.write_text(json.dumps(done), encoding="utf-8")


def test_a_composite_that_is_whole_is_delivered_though_its_matte_is_gone(job: ScriptedJob) -> None:
    job.delete(4, kinds=[OutputKind.MATTE])
    job.deliver(FormatName.GREEN)
    assert job.script.matted == []
    assert processed(job.folder) == dict.fromkeys(NAMES, True)
    assert NAMES[4] in job.run()  # the matte is wanted still
    assert job.wrong() == []


def test_without_the_network_what_cannot_be_made_is_not_said_to_be_done(job: ScriptedJob) -> None:
    job.delete(4)
    with pytest.raises(SegmentsFailedError):
        job.deliver(FormatName.GREEN)
    assert processed(job.folder) == dict.fromkeys(NAMES, True) | {NAMES[4]: False}


def test_what_is_done_by_other_options_is_still_said_to_be_done(job: ScriptedJob) -> None:
    job.delete(4, kinds=[OutputKind.MATTE])
    job.options = with_output(job.options, background=BLUE)
    with pytest.raises(SegmentsFailedError):
        job.deliver(FormatName.GREEN)
    assert processed(job.folder) == dict.fromkeys(NAMES, True)


def test_a_segment_that_somebody_wants_again_is_matted_when_it_comes_back(
    job: ScriptedJob,
) -> None:
    (job.segments / "segments.json").unlink()
    job.run()
    say_undone(job.folder, NAMES[5])
    last = (job.segments / NAMES[5]).rename(job.segments / "kept")
    job.run()
    assert NAMES[5] not in processed(job.folder)
    last.rename(job.segments / NAMES[5])
    assert job.run() == [NAMES[5]]
    assert job.run() == []


class NamedAnew:
    """Two separate videos that are matted, and a third, by which their results get other names.

    That of `a.mkv` is to be called as that of `a.mkv.mov` is.
    """

    def __init__(self, folder: Path, light_checkpoint: Path) -> None:
        self.clips = folder / "clips"
        self.clips.mkdir()
        self.script = ExecutorScript()
        self.options = matting_options(light_checkpoint)
        first = make_clip(self.clips / "a.mkv", 2)
        make_clip(self.clips / "a.mkv.mov", 3)
        self.run()
        shutil.copyfile(first, self.clips / "a.mp4")
        self.run()
        self.options = with_output(self.options, background=BLUE)

    def run(self) -> MattedFolder:
        self.script.matted.clear()
        return infer(self.clips, self.options, None, Recorder(), self.script.executor)

    @property
    def results(self) -> dict[str, bytes]:
        folder = MattedFolder.of(self.clips)
        return {path.name: path.read_bytes() for path in composites(folder)}


def test_a_result_is_made_anew_before_another_takes_its_name(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    job = NamedAnew(tmp_path, light_checkpoint)
    before = job.results
    folder = job.run()
    made = job.script.matted
    assert made.index("outputs of a.mkv.mov") < made.index("outputs of a.mkv")
    assert all(processed(folder).values())
    assert job.results["a.mkv.mp4"] != before["a.mkv.mp4"]
    job.run()
    assert job.script.matted == []


def test_what_would_have_stayed_is_made_anew_where_another_takes_its_name(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    """Of one, the composite is lost; of the other, only what is asked for now is lacking."""
    job = NamedAnew(tmp_path, light_checkpoint)
    kinds = (OutputKind.COMPOSITE, OutputKind.ALPHA)
    job.options = with_output(job.options, background=COLOUR, kinds=kinds)
    folder = MattedFolder.of(job.clips)
    stays = job.results["a.mkv.mp4"]
    (folder.output_folder(OutputKind.COMPOSITE) / "a.mp4").unlink()
    job.run()
    assert all(processed(folder).values())
    assert job.results["a.mkv.mov.mp4"] == stays
    job.run()
    assert job.script.matted == []


def test_no_result_takes_the_name_of_one_that_could_not_be_made_anew(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    job = NamedAnew(tmp_path, light_checkpoint)
    before = job.results
    job.script.failing = {"a.mkv.mov"}
    with pytest.raises(SegmentsFailedError) as failure:
        job.run()
    assert {line.split(":")[0].strip() for line in failure.value.details} == {"a.mkv", "a.mkv.mov"}
    # What is done by the options before stays, of both.
    stayed = {name: job.results[name] for name in ("a.mp4", "a.mkv.mp4")}
    assert stayed == {name: before[name] for name in stayed}
    job.script.failing = set()
    job.run()
    assert job.results["a.mkv.mp4"] != before["a.mkv.mp4"]
