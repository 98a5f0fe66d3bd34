"""What is matted again where shots start inside a job, and what is not."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from matting.errors import InputError
from matting.network_choice import Shots
from matting.options import CuttingOptions, OutputKind
from matting.project.ledger import Ledger
from matting.project.mixture import require_one_setting
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.scripted_job import COUNT, NAMES, ScriptedJob
from tests.support.stages import with_matte, with_shots

# Of segments of two frames: one starts inside the second, one with the sixth, one inside the
# seventh, which is run up over five segments, and none after that.
SHOTS = (3, 10, 13)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = make_clip(tmp_path_factory.mktemp("cut") / "clip.mp4", 2 * COUNT, gop=2)
    folder = segment(clip, CuttingOptions(seconds=Fraction(2, 30)), None, Recorder())
    return with_shots(folder, SHOTS)


@pytest.fixture
def job(cut: Path, tmp_path: Path) -> ScriptedJob:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"of no use here")
    job = ScriptedJob(Path(shutil.copytree(cut, tmp_path / "clip_segments")), weights)
    job.options = with_matte(job.options, shots=Shots.AUTO)
    return job


def states_after(*indices: int) -> list[str]:
    return [f"state after {NAMES[index]}" for index in indices]


def test_a_job_that_nothing_happens_to(job: ScriptedJob) -> None:
    assert job.run() == NAMES
    assert job.wrong() == []
    assert job.run() == []


@pytest.mark.parametrize(
    ("changed", "redone"),
    [
        (0, [0, 1]),  # to the end of its shot, in the middle of the second
        (1, [0, 1, 2, 3, 4]),  # the first shot is run up over its first frame
        (4, [1, 2, 3, 4]),
        (5, [5, 6]),
        (6, [5, 6, 7, 8, 9, 10, 11]),
        (10, [6, 7, 8, 9, 10, 11]),
        (11, [11]),
    ],
)
def test_what_changes_is_felt_within_its_shot_alone(
    changed: int, redone: list[int], job: ScriptedJob
) -> None:
    job.run()
    job.change(changed)
    again = [name for name in job.run() if not name.startswith("state after")]
    assert again == [NAMES[index] for index in redone]
    assert job.wrong() == []
    assert job.run() == []


def test_why_a_segment_before_one_that_changed_is_done_again_is_said(job: ScriptedJob) -> None:
    job.run()
    job.change(10)
    job.run()
    assert job.progress.mentions(f"{NAMES[6]} and the 3 after it are done again: the frames after")


def test_what_failed_is_felt_until_the_next_shot_alone(job: ScriptedJob) -> None:
    job.script.failing = {NAMES[3]}
    job.run()
    assert job.wrong() == [NAMES[index] for index in (1, 2, 3, 4)]
    assert job.run() == [NAMES[3]]  # as long as it fails, only it is tried again
    job.script.failing = set()
    job.run()
    job.run()
    assert job.wrong() == []
    assert job.run() == []


def test_no_state_is_kept_that_nothing_continues(job: ScriptedJob) -> None:
    job.run()
    assert job.states() == [NAMES[index] for index in (7, 11)]  # of every eighth, and the last


@pytest.mark.parametrize(
    ("victim", "restored"), [(2, [1]), (4, [1, 2, 3]), (1, [0]), (6, [5]), (5, []), (9, [])]
)
def test_a_lost_state_is_computed_again_from_the_start_of_its_shot(
    victim: int, restored: list[int], job: ScriptedJob
) -> None:
    job.run()
    job.delete(victim)
    if victim == 9:
        restored = [8]  # from the state that is kept
    assert job.run() == [*states_after(*restored), NAMES[victim]]
    assert job.wrong() == []
    assert job.run() == []


def test_one_whose_state_before_it_is_wrong_ends_right_all_the_same(job: ScriptedJob) -> None:
    job.script.failing = {NAMES[0]}
    job.run()
    assert job.wrong() == [NAMES[0], NAMES[1]]
    job.script.failing = set()
    assert job.run() == [NAMES[0], NAMES[1]]
    assert job.wrong() == []


def test_shots_are_an_option_like_others(job: ScriptedJob) -> None:
    job.run()
    job.options = with_matte(job.options, shots=Shots.OFF)
    assert job.run() == NAMES
    assert job.wrong() == []
    assert job.run() == []
    job.options = with_matte(job.options, shots=Shots.AUTO)
    assert job.run() == NAMES
    assert job.wrong() == []


def test_results_with_and_without_shots_are_not_joined(job: ScriptedJob) -> None:
    job.run()
    require_one_setting(Ledger(job.folder))
    job.options = with_matte(job.options, shots=Shots.OFF)
    progress = Recorder()
    job.interrupt_at(progress, 3)
    with pytest.raises(KeyboardInterrupt):
        job.run(progress)
    with pytest.raises(InputError, match="--shots off .* --shots auto"):
        require_one_setting(Ledger(job.folder))


def test_a_job_of_the_version_before_goes_on_as_one_shot(job: ScriptedJob) -> None:
    job.options = with_matte(job.options, shots=Shots.OFF)
    progress = Recorder()
    job.interrupt_at(progress, 5)
    with pytest.raises(KeyboardInterrupt):
        job.run(progress)
    manifest = json.loads(job.folder.manifest.read_text(encoding="utf-8"))
    del manifest["options"]["shots"]
    for entry in manifest["segments"].values():
        assert entry["lineage"] is None or entry["lineage"].pop("ahead") is None
    job.folder.manifest.write_text(json.dumps(manifest), encoding="utf-8")
    job.options = with_matte(job.options, shots=Shots.AUTO)
    assert job.run() == NAMES[5:]
    assert not job.progress.mentions("--shots")
    job.options = with_matte(job.options, shots=Shots.OFF)
    assert job.wrong() == []


def test_other_shots_of_the_same_segments_are_matted_again(job: ScriptedJob) -> None:
    job.run()
    with_shots(job.segments, (3, 10, 19))
    # The shot of the sixth is longer now, and so its run-up.
    assert job.run() == [NAMES[index] for index in (5, 6, 7, 8, 9, 10, 11)]
    assert job.wrong() == []


def test_outputs_of_stored_mattes_need_no_network(job: ScriptedJob) -> None:
    job.run()
    job.delete(*range(COUNT), kinds=[OutputKind.COMPOSITE])
    assert job.run() == [f"outputs of {name}" for name in NAMES]
    assert not job.script.loaded_network
    assert job.wrong() == []


def test_a_new_job_on_segments_of_the_version_before_is_told_of_shots(job: ScriptedJob) -> None:
    plan = json.loads((job.segments / "segments.json").read_text(encoding="utf-8"))
    del plan["shots"]
    (job.segments / "segments.json").write_text(json.dumps(plan), encoding="utf-8")
    assert job.run() == NAMES
    assert job.progress.mentions("--overwrite")
    assert job.wrong() == []
    job.options = with_matte(job.options, shots=Shots.OFF)
    assert job.run() == []  # it was no other matte
    assert not job.progress.mentions("--overwrite")
