"""In which order the recurrent step sees the frames of shots, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unittest.mock import create_autospec

import pytest
import torch

from matting.imaging.frame_parts import FrameParts, whole_frames
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.base import FrameFeatures, RecurrentOutput
from matting.inference.run_up import FeatureBatch, RunUp
from matting.inference.session import MattingSession

RESET = -1


class Seen:
    """A session that notes the numbers of the frames it is given, and where it was reset."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        session = create_autospec(MattingSession, instance=True)
        session.reset.side_effect = lambda: self.frames.append(RESET)
        session.run_recurrent.side_effect = self._run
        self.session: MattingSession = session

    def _run(
        self, frames: Sequence[FrameParts[FrameFeatures]]
    ) -> list[FrameParts[RecurrentOutput]]:
        self.frames += [int(n) for own in frames for n in own.whole.tensors[0]]
        return [own.made_into(_output) for own in frames]


def _output(features: FrameFeatures) -> RecurrentOutput:
    return RecurrentOutput(features.source, 1.0, features.tensors)


def batch(numbers: range, *, starts_shot: bool = False, ahead: bool = False) -> FeatureBatch:
    tensor = torch.tensor(numbers)
    planes = Planes(SampleFormat(), torch.zeros(len(numbers), 3, 1, 1, dtype=torch.uint8))
    features = FrameFeatures(planes, 1.0, (tensor,))
    return FeatureBatch([whole_frames(planes, features)], tuple(numbers), starts_shot, ahead)


def outputs(run_up: RunUp, batches: Iterable[FeatureBatch]) -> list[int]:
    """Return the times of what comes of the batches and of the end, in order."""
    results = [one for given in batches for one in run_up.feed(given)]
    return [pts for one in (*results, *run_up.end()) for pts in one.pts]


def shot(first: int, frames: int, size: int) -> list[FeatureBatch]:
    """Return a shot in batches of `size` frames."""
    stop = first + frames
    return [
        batch(range(at, min(at + size, stop)), starts_shot=at == first)
        for at in range(first, stop, size)
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 8, 12])
@pytest.mark.parametrize("frames", [1, 2, 8, 9, 10, 30])
def test_a_shot_is_run_up_backwards_and_then_goes_forwards(frames: int, size: int) -> None:
    seen = Seen()
    first, second = shot(0, frames, size), shot(frames, 10, size)
    assert outputs(RunUp(seen.session), [*first, *second]) == [*range(frames + 10)]
    last = frames - 1
    forwards = [
        [RESET, *range(min(8, last), 0, -1), *range(frames)],
        [RESET, *range(frames + 8, frames, -1), *range(frames, frames + 10)],
    ]
    assert seen.frames == [*forwards[0], *forwards[1]]


def test_frames_within_a_shot_do_not_wait() -> None:
    seen = Seen()
    run_up = RunUp(seen.session)
    run_up.begin()
    for number in range(3):
        (output,) = run_up.feed(batch(range(number, number + 1)))
        assert output.pts == (number,)
    assert seen.frames == [0, 1, 2]


@pytest.mark.parametrize("frames", [1, 5, 8])
def test_frames_ahead_are_seen_and_give_no_output(frames: int) -> None:
    seen = Seen()
    ahead = [batch(range(frames, 9), ahead=True)]
    assert outputs(RunUp(seen.session), [*shot(0, frames, 1), *ahead]) == [*range(frames)]
    assert seen.frames == [RESET, *range(8, 0, -1), *range(frames)]


def test_what_a_failed_segment_left_waiting_is_forgotten() -> None:
    seen = Seen()
    run_up = RunUp(seen.session)
    assert not [*run_up.feed(batch(range(3), starts_shot=True))]
    run_up.begin()
    assert outputs(run_up, [batch(range(20, 22))]) == [20, 21]
    assert seen.frames == [RESET, 20, 21]


def test_a_segment_may_begin_as_a_shot_does() -> None:
    seen = Seen()
    run_up = RunUp(seen.session)
    run_up.begin(starts_shot=True)
    assert outputs(run_up, [batch(range(3))]) == [0, 1, 2]
    assert seen.frames == [RESET, 2, 1, 0, 1, 2]
