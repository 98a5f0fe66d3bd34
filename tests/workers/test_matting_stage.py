"""With which state a segment begins, whatever is left of the one before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from matting.network_choice import Shots
from matting.project.entry import InitialState
from matting.project.inputs import read_inputs
from matting.system.files import sha256
from matting.view import StereoLayout
from matting.workers.executor import Outcome, SavedState, SegmentTask, WorkerSetup
from tests.support.recorder import Recorder
from tests.support.stages import cut, matting_options, run_tasks


class TwoSegments:
    """A worker, and two segments of which only the states are wanted."""

    def __init__(self, folder: Path, checkpoint: Path, progress: Recorder) -> None:
        options = matting_options(checkpoint)
        # With shots, a warm-up would reach the start of these, and be exact.
        uncut = replace(options, matte=replace(options.matte, shots=Shots.OFF))
        self._setup = WorkerSetup(uncut, checkpoint, sha256(checkpoint), "cpu")
        self.progress = progress
        self.first, self.second = read_inputs(cut(folder, progress, 40)).inputs
        self.states = [folder / "first.pt", folder / "second.pt"]

    def first_task(self) -> SegmentTask:
        return SegmentTask(self.first, end_state=self.states[0])

    def second_task(self, start: SavedState | None) -> SegmentTask:
        return SegmentTask(self.second, self.first, start, self.states[1])

    def run(self, *tasks: SegmentTask) -> Outcome:
        """Run a worker on tasks, and give files their names; return the last outcome."""
        return run_tasks(self._setup, tasks, self.progress)[-1]

    def last_state(self) -> list[torch.Tensor]:
        return list(torch.load(self.states[1], weights_only=True))


@pytest.fixture
def two(tmp_path: Path, light_checkpoint: Path, progress: Recorder) -> TwoSegments:
    return TwoSegments(tmp_path, light_checkpoint, progress)


@pytest.mark.parametrize("exact", [True, False])
def test_a_saved_state_is_as_good_as_one_that_is_held(exact: bool, two: TwoSegments) -> None:
    held = two.run(two.first_task(), two.second_task(None))
    assert (held.start_state, held.exact) == (InitialState.CARRIED, True)
    expected = two.last_state()
    saved = two.run(two.second_task(SavedState(two.states[0], exact)))
    assert (saved.start_state, saved.exact) == (InitialState.CARRIED, exact)
    assert all(map(torch.equal, expected, two.last_state()))


def test_what_continues_an_inexact_state_is_inexact(two: TwoSegments) -> None:
    two.run(two.first_task())
    began_wrong = SegmentTask(two.first, two.second, SavedState(two.states[0], exact=False))
    outcome = two.run(began_wrong, two.second_task(None))
    assert (outcome.start_state, outcome.exact) == (InitialState.CARRIED, False)


def test_a_lost_state_is_warmed_up(two: TwoSegments) -> None:
    two.run(two.first_task(), two.second_task(None))
    carried = two.last_state()
    outcome = two.run(two.second_task(None))
    assert (outcome.start_state, outcome.exact) == (InitialState.WARMED_UP, False)
    for a, b in zip(carried, two.last_state(), strict=True):
        assert (a - b).abs().max() < 0.01


@pytest.mark.parametrize("content", ["text", {"a": 1}, [torch.zeros(1)], [torch.zeros(2)] * 4])
def test_a_broken_state_is_warmed_up(content: object, two: TwoSegments) -> None:
    if isinstance(content, str):
        two.states[0].write_text(content, encoding="utf-8")
    else:
        torch.save(content, two.states[0])
    outcome = two.run(two.second_task(SavedState(two.states[0], exact=True)))
    assert (outcome.start_state, outcome.exact) == (InitialState.WARMED_UP, False)


@pytest.mark.parametrize("spoil", ["no number", "another size"])
def test_a_state_that_cannot_be_right_is_named_and_warmed_up(spoil: str, two: TwoSegments) -> None:
    """Also where its file is what was recorded; to begin anew would give other pictures."""
    two.run(two.first_task())
    tensors = [r.clone() for r in torch.load(two.states[0], weights_only=True)]
    if spoil == "no number":
        tensors[1][0, 3, 1, 2] = torch.nan
    else:
        tensors = [r[..., :-1] for r in tensors]
    torch.save(tuple(r.contiguous() for r in tensors), two.states[0])
    outcome = two.run(two.second_task(SavedState(two.states[0], exact=True)))
    assert (outcome.start_state, outcome.exact) == (InitialState.WARMED_UP, False)
    assert two.progress.mentions(f"{two.states[0]} is damaged")


def test_a_state_of_the_picture_as_one_is_none_of_its_eyes(two: TwoSegments) -> None:
    two.run(two.first_task())
    two.first, two.second = (
        replace(item, apart=StereoLayout.LEFT_RIGHT) for item in (two.first, two.second)
    )
    outcome = two.run(two.second_task(SavedState(two.states[0], exact=True)))
    assert (outcome.start_state, outcome.exact) == (InitialState.WARMED_UP, False)
    assert two.progress.mentions(f"{two.states[0]} is damaged")
    two.run(two.first_task())
    outcome = two.run(two.second_task(SavedState(two.states[0], exact=True)))
    assert (outcome.start_state, outcome.exact) == (InitialState.CARRIED, True)


def test_without_the_segment_before_it_begins_afresh(two: TwoSegments) -> None:
    two.first.path.unlink()
    outcome = two.run(two.second_task(None))
    assert (outcome.start_state, outcome.exact) == (InitialState.FRESH, False)
