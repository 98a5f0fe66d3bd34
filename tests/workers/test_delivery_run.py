"""Which segments are delivered again, and which are not, whatever happens to a job."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from matting.errors import InputError, SegmentsFailedError
from matting.options import FormatName, OutputKind
from matting.project.entry import ProvenFile
from matting.project.ledger import Ledger
from tests.support.recorder import Recorder
from tests.support.scripted_job import COUNT, NAMES, ScriptedJob
from tests.support.stages import processed, with_matte, with_output

PRORES, PNG, MATTE = FormatName.PRORES, FormatName.PNG, FormatName.MATTE
BOTH = dict.fromkeys(NAMES, ("PNG", "PRORES4444"))


@pytest.fixture
def job(matted_job: ScriptedJob) -> ScriptedJob:
    return matted_job


def delivered(job: ScriptedJob, kind: OutputKind) -> dict[str, bytes]:
    """Return the files in a format, by their paths in its folder."""
    folder = job.folder.output_folder(kind)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_all_formats_of_a_segment_are_made_at_once_and_only_once(job: ScriptedJob) -> None:
    before = processed(job.folder)
    assert job.deliver(PRORES, PNG) == BOTH
    assert not job.script.loaded_network
    assert len(delivered(job, OutputKind.PRORES4444)) == COUNT
    assert len(delivered(job, OutputKind.PNG)) == COUNT
    assert job.progress.totals == [2 * COUNT] == [job.progress.done]
    assert job.deliver(PRORES, PNG) == {}
    # To others, nothing has changed.
    assert processed(job.folder) == before
    assert job.wrong() == []
    assert job.run() == []


def test_formats_that_are_there_are_not_made_again_for_others(job: ScriptedJob) -> None:
    job.deliver(PRORES)
    assert job.deliver(PRORES, PNG) == dict.fromkeys(NAMES, ("PNG",))


def test_an_interrupted_run_goes_on_where_it_stopped(job: ScriptedJob) -> None:
    progress = Recorder()
    job.interrupt_at(progress, 5, "outputs of ")
    with pytest.raises(KeyboardInterrupt):
        job.deliver(PRORES, progress=progress)
    rest = job.deliver(PRORES)
    assert set(rest) < set(NAMES)
    assert NAMES[0] not in rest
    assert len(delivered(job, OutputKind.PRORES4444)) == COUNT


def test_a_segment_that_fails_leaves_the_others(job: ScriptedJob) -> None:
    job.script.failing = {NAMES[3]}
    with pytest.raises(SegmentsFailedError, match=NAMES[3]) as failure:
        job.deliver(PRORES)
    assert failure.value.exit_code == 1
    job.script.failing = set()
    assert set(job.deliver(PRORES)) == {NAMES[3]}


@pytest.mark.parametrize("victim", ["missing", "damaged", "of another source", "unmatted"])
def test_a_matte_that_is_not_right_is_named_and_the_others_are_done(
    victim: str, job: ScriptedJob
) -> None:
    matte = job.result(OutputKind.MATTE, NAMES[4])
    if victim == "missing":
        matte.unlink()
    elif victim == "damaged":
        matte.write_bytes(matte.read_bytes()[::-1])
    elif victim == "of another source":
        job.change(4)
    else:
        done = processed(job.folder) | {NAMES[4]: False}
        job.folder.processed.write_text(json.dumps(done), encoding="utf-8")
    with pytest.raises(SegmentsFailedError) as failure:
        job.deliver(PRORES)
    assert [line for line in failure.value.details if NAMES[4] in line]
    assert "infer" in str(failure.value)
    assert set(job.script.delivered) == set(NAMES) - {NAMES[4]}
    # What the message says mends it.
    job.run()
    job.deliver(PRORES)
    assert NAMES[4] in job.script.delivered


def test_what_is_delivered_stays_though_its_matte_is_lost(job: ScriptedJob) -> None:
    job.deliver(PRORES)
    job.delete(2, kinds=[OutputKind.MATTE])
    assert job.deliver(PRORES) == {}


def test_other_settings_of_a_format_redo_that_format_only(job: ScriptedJob) -> None:
    job.deliver(PRORES, MATTE)
    job.options = with_output(job.options, background=(0, 71, 187))
    assert job.deliver(PRORES, MATTE) == {}  # neither shows it
    encoding = job.options.output.encoding
    job.options = with_output(job.options, encoding=type(encoding)(encoding.codec, quality=30))
    assert job.deliver(PRORES, MATTE) == dict.fromkeys(NAMES, ("MATTE_VIDEO",))
    job.options = with_output(job.options, key_cutoff=0.1)
    assert job.deliver(PRORES) == dict.fromkeys(NAMES, ("PRORES4444",))


def test_edges_for_keying_shape_composites_and_not_mattes(job: ScriptedJob) -> None:
    plain = job.options
    job.options = with_output(plain, key_contrast=2.0)
    assert job.run() == [f"outputs of {name}" for name in NAMES]
    assert job.wrong() == []
    job.options = plain
    assert job.run() == [f"outputs of {name}" for name in NAMES]
    assert job.wrong() == []


def test_another_green_takes_no_network_and_no_weights(job: ScriptedJob) -> None:
    blue = (0, 71, 187)
    job.options = with_output(with_matte(job.options, checkpoint=None), background=blue)
    job.deliver(FormatName.GREEN, PRORES)
    assert job.script.matted == 2 * [f"outputs of {name}" for name in NAMES]
    assert not job.script.loaded_network
    assert job.wrong() == []


def test_a_segment_without_a_matte_keeps_no_other_from_another_green(job: ScriptedJob) -> None:
    job.delete(4, kinds=[OutputKind.MATTE])
    job.options = with_output(job.options, background=(0, 71, 187))
    with pytest.raises(SegmentsFailedError) as failure:
        job.deliver(FormatName.GREEN, PRORES)
    assert len(delivered(job, OutputKind.PRORES4444)) == COUNT - 1
    assert [line for line in failure.value.details if NAMES[4] in line]
    assert job.wrong() == [NAMES[4]]
    assert job.run()[-1] == NAMES[4]  # after the states that lead to it
    assert job.wrong() == []


def test_what_is_made_of_another_matte_is_stale(job: ScriptedJob) -> None:
    job.deliver(PRORES)
    job.change(7)
    job.run()
    assert set(job.deliver(PRORES)) == set(NAMES[7:])
    assert job.deliver(PRORES) == {}


@pytest.mark.parametrize("renamed", [0, 1])
def test_what_a_kill_leaves_between_announcement_and_names_is_brought_to_its_end(
    renamed: int, job: ScriptedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_given = 0

    def give_name(file: ProvenFile) -> None:
        nonlocal names_given
        if names_given == renamed:
            raise KeyboardInterrupt
        names_given += 1
        original(file)

    original = ProvenFile.give_name
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ProvenFile, "give_name", give_name)
        job.deliver(PRORES, PNG)
    rest = job.deliver(PRORES, PNG)
    assert NAMES[0] not in rest
    assert len(delivered(job, OutputKind.PRORES4444)) == COUNT
    assert len(delivered(job, OutputKind.PNG)) == COUNT


def test_what_a_kill_and_a_loss_leave_is_known_and_made_again(
    job: ScriptedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One format has its name, and the other, which had not, is gone."""
    given: list[ProvenFile] = []

    def give_name(file: ProvenFile) -> None:
        if given:
            shutil.rmtree(file.temporary)
            raise KeyboardInterrupt
        given.append(file)
        original(file)

    original = ProvenFile.give_name
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ProvenFile, "give_name", give_name)
        job.deliver(PRORES, PNG)
    assert given[0].path.is_file()
    assert job.deliver(PRORES, PNG) == BOTH
    assert not job.progress.mentions("(found)")
    assert job.deliver(PRORES, PNG) == {}


def test_what_was_not_made_here_is_not_overwritten(job: ScriptedJob) -> None:
    job.deliver(PRORES)
    other = job.folder.output_folder(OutputKind.FFV1) / "output_000.mkv"
    other.parent.mkdir()
    other.write_bytes(b"somebody's own")
    with pytest.raises(InputError, match="in the way"):
        job.deliver(FormatName.FFV1)
    assert other.read_bytes() == b"somebody's own"


def test_records_of_what_is_delivered_outlive_the_outputs(job: ScriptedJob) -> None:
    job.deliver(PRORES)
    job.options = with_output(job.options, background=(0, 71, 187))
    job.run()
    known = {path for path, _ in Ledger(job.folder).recorded_files()}
    folder = job.folder.output_folder(OutputKind.PRORES4444)
    assert {folder / f"{Path(name).stem}.mov" for name in NAMES} <= known
    assert job.deliver(PRORES) == {}


def test_segments_that_come_back_are_delivered_and_stay_known(job: ScriptedJob) -> None:
    (job.segments / "segments.json").unlink()
    job.run()
    last = (job.segments / NAMES[-1]).rename(job.segments / "kept")
    job.run()
    last.rename(job.segments / NAMES[-1])
    assert set(job.deliver(PRORES)) == set(NAMES)
    assert processed(job.folder) == dict.fromkeys(NAMES, True)
    assert job.deliver(PRORES) == {}
    assert job.run() == []
