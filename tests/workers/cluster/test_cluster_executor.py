"""Several workers make of a job what one makes of it, whatever becomes of them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from matting.errors import MachineUnusableError
from matting.network_choice import Shots
from matting.options import MattingOptions
from matting.workers.cluster import units
from tests.support.recorder import Recorder
from tests.support.scripted_engine import ClusterScript
from tests.support.scripted_job import COUNT, NAMES, ScriptedJob
from tests.support.stages import processed, with_matte, with_shots
from tests.workers.conftest import cut  # noqa: F401 - a fixture

LOSSES = 0.15  # with each task

MakeJob = Callable[..., tuple[ScriptedJob, ClusterScript]]


@pytest.fixture
def make_job(cut: Path, tmp_path: Path) -> MakeJob:  # noqa: F811
    """Return what makes a job in a folder of its own, with shots that start at some frames."""
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"of no use here")

    def make(name: str, script: ClusterScript, *shots: int) -> tuple[ScriptedJob, ClusterScript]:
        segments = Path(shutil.copytree(cut, tmp_path / name / "clip_segments"))
        with_shots(segments, shots)
        job = ScriptedJob(segments, weights)
        job.options = with_matte(job.options, shots=Shots.AUTO)
        job.script = script
        return job, script

    return make


def begun_segments(script: ClusterScript) -> list[str]:
    return sorted(name for _, names in script.begun for name in names)


def test_shots_go_to_all_workers_and_their_results_are_those_of_one_pass(make_job: MakeJob) -> None:
    job, script = make_job("a", ClusterScript(random=Random(1)), 6, 12, 18)
    job.run()
    assert job.wrong() == []
    assert all(processed(job.folder).values())
    assert set(begun_segments(script)) == set(NAMES)
    assert {worker for worker, _ in script.begun} == {"worker 1", "worker 2", "worker 3"}
    assert not list(job.folder.root.rglob("*.partial"))


def test_a_unit_may_begin_with_the_end_of_a_segment_in_which_a_shot_starts(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "MOST_TWICE", 0.5)
    job, script = make_job("a", ClusterScript(random=Random(1)), 5, 13)
    job.run()
    assert job.wrong() == []
    for_state = {f"state after {NAMES[index]}" for index in (2, 6)}
    assert set(script.matted) == {*NAMES, *for_state}


@pytest.mark.parametrize("seed", range(40))
def test_workers_are_lost_and_nothing_else_is(
    make_job: MakeJob, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(seed)
    monkeypatch.setattr(units, "MOST_TWICE", random.choice([0.1, 1.0]))
    script = ClusterScript(
        random=random,
        workers=random.randint(1, 4),
        loss=LOSSES,
        refusal=random.choice([0, 0.05]),
        scheduler_loss=random.choice([0, 0.05]),
    )
    starts = sorted(random.sample(range(1, 2 * COUNT), random.randint(0, 5)))
    job, _ = make_job("a", script, *starts)
    runs = 0
    while not job.folder.processed.exists() or not all(processed(job.folder).values()):
        runs += 1
        assert runs < 20
        script.failing = {"no segment of its own"}  # some may, by the loss of three workers
        with suppress(MachineUnusableError):
            job.run()
    script.failing = set()
    script.loss = script.refusal = script.scheduler_loss = 0
    job.run()  # what had to begin without the state of a segment that had failed
    assert job.wrong() == []
    assert not list(job.folder.root.rglob("*.partial"))


def test_what_was_recorded_before_a_loss_is_not_done_again(make_job: MakeJob) -> None:
    script = ClusterScript(random=Random(3), workers=2, loss=LOSSES)
    job, _ = make_job("a", script)  # one shot: one worker has all of it
    job.run()
    assert script.lost
    matted = Counter(name for name in script.matted if name in NAMES)
    assert matted.total() <= COUNT + script.lost
    assert job.wrong() == []


def test_a_long_shot_is_split_where_that_is_asked_for_and_called_inexact(
    make_job: MakeJob,
) -> None:
    job, script = make_job("a", ClusterScript(random=Random(1)))
    job.options = with_longest_run(job, Fraction(8, 30))
    job.run()
    assert len({worker for worker, _ in script.begun}) == 3
    assert job.wrong() == NAMES[4:]
    assert job.run() == []  # as asked for, and not to be done again
    job.options = with_longest_run(job, None)
    job.run()
    assert job.wrong() == []


def with_longest_run(job: ScriptedJob, seconds: Fraction | None) -> MattingOptions:
    compute = job.options.compute
    cluster = replace(compute.cluster, longest_run_seconds=seconds)
    return replace(job.options, compute=replace(compute, cluster=cluster))


def test_progress_counts_each_frame_once(make_job: MakeJob) -> None:
    job, _ = make_job("a", ClusterScript(random=Random(5), loss=LOSSES), 8, 16)
    progress = Recorder()
    job.run(progress)
    assert progress.done == 2 * COUNT
