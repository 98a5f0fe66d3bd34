"""Shots that start in one segment and go on in the next, as a worker takes them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from matting.options import CuttingOptions
from matting.project.entry import InitialState
from matting.project.inputs import Input, read_inputs
from matting.segment import segment
from matting.system.files import sha256
from matting.workers.executor import Outcome, SegmentTask, WorkerSetup
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.stages import matting_options, run_tasks, with_compute

FRAMES, OF_FIRST = 26, 15
START = 12  # of the second shot, whose run-up takes six frames of the second segment


class TwoShots:
    """A worker, and a video of two shots, as one segment and as two."""

    def __init__(self, folder: Path, checkpoint: Path) -> None:
        clip = make_clip(folder / "clip.mp4", FRAMES, gop=5)
        options = with_compute(matting_options(checkpoint), largest_chunk=1)
        self._setup = WorkerSetup(options, checkpoint, sha256(checkpoint), "cpu")
        self._folder = folder
        self.progress = Recorder()
        (self.whole,) = self._inputs(clip, 100, ((0, START),))
        self.first, self.second = self._inputs(clip, OF_FIRST, ((0, START), ()))

    def task(self, item: Input, before: Input | None = None) -> SegmentTask:
        after_first = (self.second,) if item is self.first else ()
        return SegmentTask(
            item,
            before,
            end_state=self.state(item),
            shot_starts=item.shot_starts or (),
            ahead=after_first,
            before_ahead=(self.second,) if before is self.first else (),
        )

    def run(self, *tasks: SegmentTask) -> list[Outcome]:
        """Run a worker on tasks, give their files names; return the outcomes."""
        return run_tasks(self._setup, tasks, self.progress)

    def state(self, item: Input) -> Path:
        return self._folder / f"{item.path.parent.parent.name}_{item.stem}.pt"

    def same_end(self) -> bool:
        """Return whether both ways to cut end with the same state, bit for bit."""
        states = [torch.load(self.state(i), weights_only=True) for i in (self.whole, self.second)]
        return all(map(torch.equal, *states))

    def _inputs(
        self, clip: Path, frames: int, starts: tuple[tuple[int, ...], ...]
    ) -> tuple[Input, ...]:
        cutting = CuttingOptions(seconds=Fraction(frames, 30))
        folder = segment(clip, cutting, self._folder / str(frames), self.progress)
        items = read_inputs(folder).inputs
        return tuple(replace(i, shot_starts=s) for i, s in zip(items, starts, strict=True))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path) -> TwoShots:
    both = TwoShots(tmp_path_factory.mktemp("shots"), light_checkpoint)
    both.run(both.task(both.whole))
    return both


def test_a_segment_that_ends_in_a_run_up_looks_ahead(two: TwoShots) -> None:
    two.progress.done = 0
    first, second = two.run(two.task(two.first), two.task(two.second, two.first))
    assert two.same_end()
    assert (first.exact, first.ends_exact, first.run_up_is_whole) == (True, True, True)
    assert (second.start_state, second.ends_exact) == (InitialState.CARRIED, True)
    assert two.progress.done == FRAMES  # those ahead do not count


def test_without_the_frames_ahead_the_result_is_another(two: TwoShots) -> None:
    away = two.second.path.rename(two.second.path.with_suffix(".away"))
    (first,) = two.run(two.task(two.first))
    assert (first.exact, first.ends_exact, first.run_up_is_whole) == (True, False, False)
    assert two.progress.mentions(f"{two.second.name} could not be read")
    away.rename(two.second.path)
    (first,) = two.run(two.task(two.first))
    assert first.ends_exact


def test_a_lost_state_is_warmed_up_from_the_start_of_its_shot(two: TwoShots) -> None:
    (second,) = two.run(two.task(two.second, two.first))
    assert (second.start_state, second.exact) == (InitialState.WARMED_UP, True)
    assert two.same_end()


def test_the_state_at_the_end_takes_the_last_shot_alone(two: TwoShots) -> None:
    wanted = two.task(two.first)
    with_frames_before = replace(wanted, end_state=two.state(two.first))
    two.run(replace(with_frames_before, item=replace(two.first, shot_starts=(START,))))
    two.run(two.task(two.second, two.first))
    assert two.same_end()


def test_a_segment_without_a_shots_start_is_warmed_up_as_ever(two: TwoShots) -> None:
    plain = replace(two.first, shot_starts=())
    task = replace(two.task(two.second, two.first), before=plain)
    (second,) = two.run(task)
    assert (second.start_state, second.exact) == (InitialState.WARMED_UP, False)
