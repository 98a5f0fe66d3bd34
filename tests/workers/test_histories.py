"""Whatever happens to a job, what is proven stays, and it ends as one uncut run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.errors import InputError
from matting.network_choice import Shots
from matting.options import CuttingOptions, OutputKind
from matting.project.ledger import Ledger
from matting.project.mixture import require_one_setting
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.scripted_job import COUNT, NAMES, ScriptedJob
from tests.support.stages import processed, with_matte, with_output, with_shots

RATIOS, BACKGROUNDS = (1.0, 0.5), ((120, 255, 155), (0, 0, 0))
INDEXES = st.integers(0, COUNT - 1)
Act = Callable[[ScriptedJob], None]


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = make_clip(tmp_path_factory.mktemp("cut") / "clip.mp4", 2 * COUNT, gop=2)
    return segment(clip, CuttingOptions(seconds=Fraction(2, 30)), None, Recorder())


def delete_result(index: int) -> Act:
    def act(job: ScriptedJob) -> None:
        path = job.folder.output_folder(OutputKind.COMPOSITE) / NAMES[index]
        path.unlink(missing_ok=True)

    return act


def delete_state(index: int) -> Act:
    return lambda job: job.folder.state(NAMES[index]).unlink(missing_ok=True)


def change_content(index: int) -> Act:
    return lambda job: job.change(index)


def ask_for(ratio: float, background: tuple[int, int, int]) -> Act:
    def act(job: ScriptedJob) -> None:
        job.options = with_output(with_matte(job.options, ratio=ratio), background=background)

    return act


def run(failing: set[int], interrupted_at: int | None) -> Act:
    """Run, while some segments fail, until some of the others are recorded."""

    def act(job: ScriptedJob) -> None:
        job.script.failing = {NAMES[index] for index in failing}
        progress, recorded = Recorder(), [0]

        def count() -> None:
            recorded[0] += 1
            if recorded[0] == interrupted_at:
                raise KeyboardInterrupt

        progress.on_segment_end = count
        with suppress(KeyboardInterrupt):
            job.run(progress)
        job.script.failing = set()

    return act


def ask_for_shots(shots: Shots) -> Act:
    def act(job: ScriptedJob) -> None:
        job.options = with_matte(job.options, shots=shots)

    return act


SHOTS = st.builds(ask_for_shots, st.sampled_from(Shots))
OPTIONS = st.builds(ask_for, st.sampled_from(RATIOS), st.sampled_from(BACKGROUNDS))
RUNS = st.builds(run, st.just(set()), st.none() | st.integers(1, COUNT))
FAILING_RUNS = st.builds(run, st.sets(INDEXES, max_size=2), st.none() | st.integers(1, COUNT))
DELETIONS = st.builds(delete_result, INDEXES) | st.builds(delete_state, INDEXES)
CHANGES = st.builds(change_content, INDEXES)


def play(cut: Path, acts: list[Act], after_each: Callable[[ScriptedJob, set[str]], None]) -> None:
    """Let things happen to a new job; then run it until nothing is left to do."""
    with tempfile.TemporaryDirectory() as name:
        weights = Path(name) / "weights.pth"
        weights.write_bytes(b"of no use here")
        segments = shutil.copytree(cut, Path(name) / "clip_segments")
        job = ScriptedJob(Path(segments), weights)
        for act in acts:
            whole = set(whole_results(job))
            act(job)
            after_each(job, whole)
            require_nothing_mixed(job)
        job.run()
        job.run()  # what had to begin without a lost state that is there now
        assert job.wrong() == []
        assert all(processed(job.folder).values())
        assert job.run() == []


def whole_results(job: ScriptedJob) -> list[str]:
    ledger = Ledger(job.folder)
    return [name for name in NAMES if ledger.is_done(name)]


def require_nothing_mixed(job: ScriptedJob) -> None:
    """Require that what would be joined was made by one setting."""
    ledger = Ledger(job.folder)
    with suppress(InputError):
        require_one_setting(ledger)
        outputs = job.folder.output_folder(OutputKind.COMPOSITE)
        texts = [(outputs / name).read_text(encoding="utf-8") for name in whole_results(job)]
        made_by = {text.partition(" by ")[2].partition(" after ")[0] for text in texts}
        assert len(made_by) < 2, made_by


@settings(max_examples=8)
@given(acts=st.lists(OPTIONS | RUNS, min_size=3, max_size=7))
def test_other_options_and_interruptions_lose_nothing(cut: Path, acts: list[Act]) -> None:
    def nothing_is_lost(job: ScriptedJob, whole: set[str]) -> None:
        assert whole <= set(whole_results(job))
        assert not whole or all(processed(job.folder)[name] for name in whole)

    play(cut, acts, nothing_is_lost)


def nothing_false_is_true(job: ScriptedJob, _whole: set[str]) -> None:
    ledger = Ledger(job.folder)
    outputs = job.folder.output_folder(OutputKind.COMPOSITE)
    for name in NAMES:
        there = (outputs / name).is_file()
        assert not (ledger.says_done(name) and there) or ledger.is_done(name)


@settings(max_examples=10)
@given(acts=st.lists(OPTIONS | FAILING_RUNS | DELETIONS | CHANGES, min_size=3, max_size=8))
def test_whatever_happens_a_job_ends_as_one_uncut_run(cut: Path, acts: list[Act]) -> None:
    play(cut, acts, nothing_false_is_true)


@settings(max_examples=10)
@given(
    acts=st.lists(SHOTS | OPTIONS | FAILING_RUNS | DELETIONS | CHANGES, min_size=3, max_size=8),
    starts=st.sets(st.integers(1, 2 * COUNT - 1), max_size=5),
)
def test_whatever_happens_every_shot_ends_as_if_it_were_alone(
    cut: Path, acts: list[Act], starts: set[int]
) -> None:
    def cut_into_shots(job: ScriptedJob) -> None:
        with_shots(job.segments, tuple(sorted(starts)))

    play(cut, [cut_into_shots, ask_for_shots(Shots.AUTO), *acts], nothing_false_is_true)


def test_going_back_costs_what_was_replaced(cut: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"of no use here")
    job = ScriptedJob(Path(shutil.copytree(cut, tmp_path / "clip_segments")), weights)
    job.run()
    first = job.options
    for replaced in range(0, COUNT, 3):
        job.options = replace(first, matte=replace(first.matte, ratio=0.5))
        run(set(), replaced)(job) if replaced else None
        job.options = first
        assert [name for name in job.run() if "state" not in name] == NAMES[:replaced]
        assert job.wrong() == []
