"""What is matted again, and what is not, whatever happens to a job."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from matting.combine import combine
from matting.errors import InputError
from matting.job_option import JobOption
from matting.options import CuttingOptions, OutputKind, OutputOptions
from matting.project.ledger import Ledger
from matting.segment import segment
from matting.workers import schedule
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.scripted_job import COUNT, NAMES, ScriptedJob
from tests.support.stages import interrupt_after, processed, with_output


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = make_clip(tmp_path_factory.mktemp("cut") / "clip.mp4", 2 * COUNT, gop=2)
    return segment(clip, CuttingOptions(seconds=Fraction(2, 30)), None, Recorder())


def outputs_of(start: int = 0) -> list[str]:
    """Return what is done to segments that keep their mattes and get other outputs."""
    return [f"outputs of {name}" for name in NAMES[start:]]


def restored(end: int, start: int = 0) -> list[str]:
    """Return what is matted of segments of which only the state is computed."""
    return [f"state after {name}" for name in NAMES[start:end]]


@pytest.fixture
def job(cut: Path, tmp_path: Path) -> ScriptedJob:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"of no use here")
    segments = shutil.copytree(cut, tmp_path / "clip_segments")
    return ScriptedJob(Path(segments), weights)


def test_a_job_that_nothing_happens_to(job: ScriptedJob) -> None:
    assert job.run() == NAMES
    assert job.wrong() == []
    assert job.run() == []


@pytest.mark.parametrize("victim", [0, 1, 7, 11])
def test_what_descends_from_a_failed_segment_is_redone_once_that_is_mended(
    victim: int, job: ScriptedJob
) -> None:
    job.script.failing = {NAMES[victim]}
    job.run()
    assert job.wrong() == NAMES[victim:]
    # As long as it fails, only it is tried again.
    assert job.run() == [NAMES[victim]]
    assert job.run() == [NAMES[victim]]
    job.script.failing = set()
    assert job.run() == NAMES[victim:]
    assert job.wrong() == []
    assert job.progress.totals == [2 * (COUNT - victim)] == [job.progress.done]
    assert job.run() == []


def test_why_segments_are_done_again_is_said(job: ScriptedJob) -> None:
    job.script.failing = {NAMES[3]}
    job.run()
    job.script.failing = set()
    job.run()
    assert job.progress.mentions(
        f"{NAMES[4]} and the 7 after it are done again: it had to begin without the segment before"
    )
    job.change(9)
    job.run()
    assert job.progress.mentions(
        "1 segment is done again, for these have changed: the segment itself."
    )
    assert job.progress.mentions(
        f"{NAMES[10]} and the 1 after it are done again: what it continues"
    )


def test_two_failed_segments_are_mended_one_by_one(job: ScriptedJob) -> None:
    job.script.failing = {NAMES[2], NAMES[6]}
    job.run()
    job.script.failing = {NAMES[2]}
    # What follows the mended one cannot be right as long as the other fails.
    assert job.run() == [NAMES[2], NAMES[6]]
    job.script.failing = {NAMES[6]}
    # The next is under way already when the other fails; no more than that.
    assert job.run() == NAMES[2:8]
    assert job.wrong() == NAMES[6:]
    job.script.failing = set()
    assert job.run() == NAMES[6:]
    assert job.wrong() == []


@pytest.mark.parametrize("victim", [0, 5, 11])
def test_what_descends_from_changed_content_is_redone(victim: int, job: ScriptedJob) -> None:
    job.run()
    job.change(victim)
    assert job.run() == [*restored(victim, 8 if victim > 8 else 0), *NAMES[victim:]]
    assert job.wrong() == []
    assert job.run() == []


def test_a_result_that_is_made_once_more_changes_nothing_after_it(job: ScriptedJob) -> None:
    job.run()
    job.delete(4)
    assert job.run() == [*restored(4), NAMES[4]]
    assert job.wrong() == []
    job.delete(10)
    assert job.run() == [*restored(10, 8), NAMES[10]]
    assert job.wrong() == []


def test_only_states_that_can_be_needed_are_kept(job: ScriptedJob) -> None:
    stopping = Recorder()
    interrupt_after(stopping, job.folder, NAMES[5])
    with pytest.raises(KeyboardInterrupt):
        job.run(stopping)
    assert job.states() == [NAMES[5]]
    assert job.run() == NAMES[6:]
    assert job.states() == [NAMES[7], NAMES[11]]
    job.delete(3)
    job.run()
    assert job.states() == [NAMES[7], NAMES[11]]


def test_a_lost_state_is_computed_again_where_it_is_needed(job: ScriptedJob) -> None:
    job.run()
    job.lose(7)
    assert job.run() == []  # nobody needs it
    job.delete(4)
    assert job.run() == [*restored(4), NAMES[4]]
    assert job.progress.totals == [10] == [job.progress.done]
    assert job.progress.mentions("only the network's state at the end is computed again")
    assert job.wrong() == []
    job.change(8)
    assert job.run() == [*restored(8), *NAMES[8:]]
    assert job.wrong() == []
    assert job.states() == [NAMES[7], NAMES[11]]


def test_where_too_many_states_are_lost_nothing_right_is_lost(
    job: ScriptedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.run()
    job.lose(7)
    monkeypatch.setattr(schedule, "MOST_RESTORED", 8)
    job.delete(9)
    assert job.run() == [NAMES[9]]
    assert job.wrong() == [NAMES[9]]
    assert job.progress.mentions(f"{NAMES[9]} had to begin without the network's state")
    assert job.run() == []
    # The state of one before it is there again: now all can be.
    job.delete(8)
    assert job.run() == [*restored(8), NAMES[8], NAMES[9]]
    assert job.wrong() == []


def test_a_state_that_cannot_be_restored_is_no_endless_task(job: ScriptedJob) -> None:
    job.run()
    job.delete(5)
    job.script.failing = {NAMES[4]}
    assert job.run() == [*restored(5), NAMES[5]]
    assert job.wrong() == [NAMES[5]]
    assert processed(job.folder)[NAMES[4]]  # its result stays
    assert job.run() == restored(5)
    job.script.failing = set()
    assert job.run() == [*restored(5), NAMES[5]]
    assert job.wrong() == []


def test_a_state_that_cannot_be_read_is_computed_again(job: ScriptedJob) -> None:
    job.run()
    job.delete(8)
    job.script.unreadable = {NAMES[7]}
    assert job.run() == [NAMES[8]]
    assert job.wrong() == [NAMES[8]]
    assert job.run() == [*restored(8), NAMES[8]]
    assert job.wrong() == []
    assert job.run() == []


@pytest.mark.parametrize("last", [3, 4, 8])
def test_an_interruption_while_descendants_are_redone(last: int, job: ScriptedJob) -> None:
    job.script.failing = {NAMES[3]}
    job.run()
    job.script.failing = set()
    stopping = Recorder()

    def interrupt() -> None:
        if NAMES[last] in job.script.matted:
            raise KeyboardInterrupt

    stopping.on_segment_end = interrupt
    with pytest.raises(KeyboardInterrupt):
        job.run(stopping)
    done = processed(job.folder)
    assert done[NAMES[last]]
    assert not done[NAMES[last + 1]]
    job.run()
    assert job.wrong() == []
    assert all(processed(job.folder).values())
    assert job.run() == []


def test_other_output_kinds_alone(job: ScriptedJob) -> None:
    both = OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA))
    job.script.failing = {NAMES[1]}
    job.run()
    job.options = replace(job.options, output=replace(job.options.output, kinds=both.kinds))
    assert job.run() == [f"outputs of {NAMES[0]}", *NAMES[1:]]
    job.script.failing = set()
    assert job.run() == NAMES[1:]
    assert job.wrong() == []
    one = replace(job.options.output, kinds=(OutputKind.COMPOSITE,))
    job.options = replace(job.options, output=one)
    assert job.run() == []


def test_settings_that_are_changed_and_changed_back(job: ScriptedJob) -> None:
    job.run()
    first = job.options
    stopping = Recorder()
    job.options = other = replace(first, matte=replace(first.matte, ratio=0.5))
    job.interrupt_at(stopping, 4)
    with pytest.raises(KeyboardInterrupt):
        job.run(stopping)
    assert all(processed(job.folder).values())
    assert job.wrong() == NAMES[4:]
    with pytest.raises(InputError, match=r" 4 with .* 0\.5 .* 8 with .* 1\.0 "):
        combine(job.folder.root, None, Recorder())
    job.options = first
    assert job.run() == NAMES[:4]
    assert job.wrong() == []
    job.options = other
    job.script.failing = {NAMES[2]}
    job.run()
    assert all(processed(job.folder).values())  # what failed has its earlier result
    job.script.failing = set()
    assert job.run() == NAMES[2:]
    assert job.wrong() == []


def test_a_failed_replacement_keeps_what_was_there(job: ScriptedJob) -> None:
    job.run()
    first = job.options
    job.options = replace(first, output=replace(first.output, background=(1, 2, 3)))
    job.script.failing = set(NAMES)
    assert job.run() == outputs_of()
    assert all(processed(job.folder).values())
    assert Ledger(job.folder).entry(NAMES[3]).error == f"{NAMES[3]} cannot be rendered."
    job.options = first
    assert job.run() == []
    assert job.wrong() == []


def test_segments_that_are_deleted_once_they_are_matted(job: ScriptedJob) -> None:
    job.run()
    (job.segments / NAMES[2]).unlink()
    assert job.run() == []


def test_records_of_the_version_before_are_taken_as_they_are(job: ScriptedJob) -> None:
    job.run()
    job.without_lineages()
    assert job.run() == []
    job.without_lineages()
    job.change(8)
    assert job.run() == NAMES[8:]
    assert job.wrong() == []


def test_a_job_of_the_version_before_is_resumed(job: ScriptedJob) -> None:
    stopping = Recorder()
    interrupt_after(stopping, job.folder, NAMES[6])
    with pytest.raises(KeyboardInterrupt):
        job.run(stopping)
    job.without_lineages()
    assert job.run() == NAMES[7:]
    assert job.wrong() == []


def test_a_seam_that_the_version_before_left_is_mended(job: ScriptedJob) -> None:
    job.script.failing = {NAMES[5]}
    job.run()
    job.without_lineages()
    job.script.failing = set()
    assert job.run() == NAMES[5:]
    assert job.wrong() == []


def test_other_options_are_asked_for_once(job: ScriptedJob) -> None:
    """Where nobody can be asked, nothing that is done is done again."""
    job.run()
    first = job.options
    other = (0, 0, 0)
    typed = frozenset({JobOption.BACKGROUND})
    job.options = replace(with_output(first, background=other), typed=typed, again=False)
    with pytest.raises(InputError, match="12 segments are done by other options") as caught:
        job.run()
    assert caught.value.option == "--again"
    question = job.progress.asked[0]
    assert "--background" in question and "less than a minute" in question
    refusing = Recorder()
    refusing.answer = False
    with pytest.raises(InputError, match="Nothing was changed"):
        job.run(refusing)
    assert job.wrong() == NAMES
    agreeing = Recorder()
    agreeing.answer = True
    job.interrupt_at(agreeing, 4, "outputs of ")
    with pytest.raises(KeyboardInterrupt):
        job.run(agreeing)
    # Dropped again, it goes on with the options that were agreed to, and these alone.
    job.options = replace(first, output=OutputOptions(), typed=frozenset(), again=False)
    assert job.run() == outputs_of(4)
    assert not job.progress.asked
    assert job.progress.mentions("own options: ") and job.progress.mentions("--background")
    job.options = with_output(first, background=other)
    assert job.wrong() == []


def test_what_is_no_result_of_this_folder_is_not_overwritten(job: ScriptedJob) -> None:
    own = job.folder.output_folder(OutputKind.COMPOSITE) / NAMES[3]
    own.parent.mkdir(parents=True)
    own.write_bytes(b"the user's own")
    with pytest.raises(InputError, match=rf"{NAMES[3]} is in the way"):
        job.run()
    assert not job.folder.processed.exists()
    elsewhere = own.rename(own.with_name("mine.mp4"))
    job.run()
    assert elsewhere.read_bytes() == b"the user's own"
    # In the place of a result that is on record: kept beside.
    shutil.copy(elsewhere, own)
    assert job.run() == [f"outputs of {NAMES[3]}"]
    assert own.with_name("output_003 (found).mp4").read_bytes() == b"the user's own"
    assert job.progress.mentions("(found)")
    assert job.wrong() == []
    # Another kind of result has another place.
    mine = job.folder.output_folder(OutputKind.ALPHA) / NAMES[5]
    mine.parent.mkdir()
    mine.write_bytes(b"the user's own")
    job.options = with_output(job.options, kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA))
    with pytest.raises(InputError, match="ALPHA.* is in the way"):
        job.run()
    assert all(processed(job.folder).values())


def test_what_an_earlier_version_left_half_way_is_its_own(job: ScriptedJob) -> None:
    job.run()
    manifest = json.loads(job.folder.manifest.read_text(encoding="utf-8"))
    settings = manifest["segments"][NAMES[2]]["settings"]
    manifest["segments"][NAMES[2]] = {"settings": settings}
    del manifest["options"]
    job.folder.manifest.write_text(json.dumps(manifest), encoding="utf-8")
    done = {**processed(job.folder), NAMES[2]: False}
    job.folder.processed.write_text(json.dumps(done), encoding="utf-8")
    assert NAMES[2] in job.run()
    assert job.wrong() == []
    job.folder.manifest.unlink()
    assert job.run() == NAMES


def test_results_of_segments_that_come_back_are_known(job: ScriptedJob) -> None:
    (job.segments / "segments.json").unlink()
    job.run()
    last = (job.segments / NAMES[-1]).rename(job.segments / "kept")
    job.run()
    last.rename(job.segments / NAMES[-1])
    assert list(processed(job.folder)) == NAMES[:-1]
    assert job.run() == []


def test_what_was_not_done_when_it_left_is_not_done_when_it_comes_back(job: ScriptedJob) -> None:
    (job.segments / "segments.json").unlink()
    job.run()
    job.delete(10, 11, kinds=(OutputKind.COMPOSITE,))
    stopping = Recorder()
    job.interrupt_at(stopping, 11, "outputs of ")
    with pytest.raises(KeyboardInterrupt):
        job.run(stopping)
    last = (job.segments / NAMES[-1]).rename(job.segments / "kept")
    job.run()
    last.rename(job.segments / NAMES[-1])
    ledger = Ledger(job.folder)
    ledger.recall(NAMES)
    assert not ledger.says_done(NAMES[-1])
    assert job.run() == [f"outputs of {NAMES[-1]}"]
    assert all(processed(job.folder).values())


def test_another_look_needs_no_network(job: ScriptedJob) -> None:
    """What is asked of the outputs alone is made from the stored mattes, and back again, too."""
    job.run()
    first = job.options
    assert job.script.loaded_network
    job.options = with_output(first, background=(1, 2, 3))
    assert job.run() == outputs_of()
    assert not job.script.loaded_network
    assert job.wrong() == []
    assert job.progress.mentions("12 segments get other outputs of their stored mattes")
    job.options = first
    assert job.run() == outputs_of()
    assert job.wrong() == []
    assert job.run() == []
    job.options = with_output(first, kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA))
    assert job.run() == outputs_of()
    assert job.wrong() == []
    job.delete(5, kinds=(OutputKind.ALPHA,))
    assert job.run() == [f"outputs of {NAMES[5]}"]
    assert job.wrong() == []


def test_a_result_alone_that_is_deleted_needs_no_network(job: ScriptedJob) -> None:
    job.run()
    job.delete(2, 7, kinds=(OutputKind.COMPOSITE,))
    assert job.run() == [f"outputs of {NAMES[2]}", f"outputs of {NAMES[7]}"]
    assert job.wrong() == []
    assert job.states() == [NAMES[7], NAMES[11]]


def test_an_output_that_is_lost_and_not_wanted_any_more_is_forgotten(job: ScriptedJob) -> None:
    first = job.options
    job.options = with_output(first, kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA))
    job.run()
    job.delete(5, kinds=(OutputKind.ALPHA,))
    job.options = first
    assert job.run() == [f"outputs of {NAMES[5]}"]
    assert job.run() == []
    # Those that are whole stay known.
    assert Ledger(job.folder).output(NAMES[5], OutputKind.ALPHA) is None
    assert Ledger(job.folder).output(NAMES[4], OutputKind.ALPHA) is not None
    assert job.wrong() == []


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_matte_that_is_not_whole_is_found_again(how: str, job: ScriptedJob) -> None:
    job.run()
    matte = job.result(OutputKind.MATTE, NAMES[3])
    if how == "missing":
        matte.unlink()
    else:
        matte.write_bytes(matte.read_bytes()[:-1] + b"x")
    assert job.run() == [*restored(3), NAMES[3]]
    assert job.wrong() == []


def test_what_somebody_says_is_not_done_is_matted_again(job: ScriptedJob) -> None:
    job.run()
    job.folder.processed.write_text(
        json.dumps({**processed(job.folder), NAMES[2]: False}), encoding="utf-8"
    )
    assert job.run() == [*restored(2), NAMES[2]]


def test_an_interruption_while_lost_outputs_are_made_costs_no_network_time(
    job: ScriptedJob,
) -> None:
    job.run()
    job.delete(2, 3, 4, kinds=(OutputKind.COMPOSITE,))
    stopping = Recorder()
    job.interrupt_at(stopping, 3, "outputs of ")
    with pytest.raises(KeyboardInterrupt):
        job.run(stopping)
    assert [name for name, done in processed(job.folder).items() if not done] == NAMES[3:5]
    assert job.run() == [f"outputs of {NAMES[3]}", f"outputs of {NAMES[4]}"]
    assert job.wrong() == []


def test_changed_content_is_matted_though_its_old_matte_is_there(job: ScriptedJob) -> None:
    job.run()
    job.change(9)
    job.options = with_output(job.options, background=(1, 2, 3))
    # Those after it go on from another state: only those before it have the right mattes.
    assert job.run() == [*outputs_of()[:9], *restored(9, 8), *NAMES[9:]]
    assert job.wrong() == []


def test_a_job_without_mattes_stays_one(job: ScriptedJob) -> None:
    job.options = with_output(job.options, keep_matte=False)
    job.run()
    assert not job.folder.output_folder(OutputKind.MATTE).exists()
    job.delete(4, kinds=(OutputKind.COMPOSITE,))
    assert job.run() == [*restored(4), NAMES[4]]
    assert job.wrong() == []


def test_a_job_of_the_version_before_goes_on_without_mattes(job: ScriptedJob) -> None:
    first = job.options
    job.options = with_output(first, keep_matte=False)
    job.run()
    manifest = json.loads(job.folder.manifest.read_text(encoding="utf-8"))
    del manifest["options"]["keep_matte"]
    job.folder.manifest.write_text(json.dumps(manifest), encoding="utf-8")
    job.options = first
    assert job.run() == []
    job.options = replace(first, typed=frozenset(), again=False)
    assert job.run() == []
