"""Through which frames the network goes for a range: from its shot's start, or warmed up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import pytest

from matting.options import CuttingOptions
from matting.project.inputs import InputFolder, read_inputs
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.project.range_frames import range_frames
from matting.project.ranges import MattingRange, RangePart
from matting.range_options import RangeOptions
from matting.segment import segment
from matting.system.fingerprint import Fingerprint
from matting.workers import range_run
from matting.workers.executor import SegmentTask
from matting.workers.range_run import range_tasks
from tests.support.clips import make_clip
from tests.support.recorder import Recorder

FRAMES, OF_SEGMENT, RATE = 40, 10, 10
SOURCE = Fingerprint(1, "0" * 64)


@pytest.fixture(scope="module")
def segments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = tmp_path_factory.mktemp("range_run") / "clip.mp4"
    make_clip(clip, FRAMES, gop=OF_SEGMENT, rate=Fraction(RATE))
    return segment(clip, CuttingOptions(seconds=Fraction(1)), None, Recorder())


def inputs_with(segments: Path, shots: Sequence[int]) -> InputFolder:
    path = segments / "segments.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**plan, "shots": shots}), encoding="utf-8")
    return read_inputs(segments)


def tasks_of(
    inputs: InputFolder, first: int, stop: int, *, runs_up: bool = True
) -> list[SegmentTask]:
    """Return the tasks for the frames from `first` to before `stop`; shots count if they are near.

    What is near is 12 frames, and a warm-up takes 6.
    """
    asked = RangeOptions(Fraction(first, RATE), Fraction(stop, RATE))
    parts = {
        part.item.name: RangePart(part.first, part.frames, SOURCE)
        for part in range_frames(inputs, asked, None).parts
    }
    ledger = Ledger(MattedFolder.of(inputs.path))
    with patch.multiple(range_run, NEAR_FRAMES=12, WARM_UP_FRAMES=6):
        own = MattingRange(number=1, parts=parts)
        return list(range_tasks(inputs, own, ledger, runs_up=runs_up))


def spans(tasks: list[SegmentTask]) -> list[tuple[int, int, int]]:
    """Return of each task the first frame and the last in the video, and the first wanted."""
    there = []
    for task in tasks:
        assert task.span is not None
        begin = task.item.first_frame + task.span.first
        there.append((begin, begin + task.span.frames - 1, begin + task.span.lead))
    return there


@pytest.mark.parametrize(
    ("shots", "first", "stop", "expected"),
    [
        ([], 5, 8, [(0, 7, 5)]),
        ([], 18, 22, [(12, 19, 18), (20, 21, 20)]),
        ([], 23, 25, [(17, 19, 20), (20, 24, 23)]),
        ([14], 23, 25, [(14, 19, 20), (20, 24, 23)]),
        ([22], 23, 25, [(22, 24, 23)]),
        ([23, 24], 23, 31, [(23, 29, 23), (30, 30, 30)]),
    ],
)
def test_it_begins_with_a_shot_that_starts_near_or_else_is_warmed_up(
    shots: list[int],
    first: int,
    stop: int,
    expected: list[tuple[int, int, int]],
    segments: Path,
) -> None:
    tasks = tasks_of(inputs_with(segments, shots), first, stop)
    assert spans(tasks) == expected
    assert [task.before for task in tasks] == [None, *(task.item for task in tasks[:-1])]
    assert [bool(task.targets) for task in tasks] == [lead <= end for _, end, lead in expected]


def test_a_run_up_takes_frames_after_the_range(segments: Path) -> None:
    inputs = inputs_with(segments, [24])
    (task,) = tasks_of(inputs, 24, 26)
    assert task.span is not None
    assert (task.shot_starts, task.span.ahead) == ((4,), 4)
    assert [item.name for item in task.ahead] == ["output_003.mp4"]
    (before_cut,) = tasks_of(inputs_with(segments, [24, 27]), 24, 26)
    assert before_cut.span is not None
    assert before_cut.span.ahead == 1
    (without,) = tasks_of(inputs, 24, 26, runs_up=False)
    assert without.span is not None
    assert (without.shot_starts, without.span.ahead, without.ahead) == ((), 0, ())


def test_what_is_not_there_before_a_range_is_done_without(segments: Path) -> None:
    inputs = inputs_with(segments, [])
    gone = segments / "output_001.mp4"
    away = gone.rename(segments / "away")
    try:
        assert spans(tasks_of(inputs, 23, 25)) == [(20, 24, 23)]
    finally:
        away.rename(gone)
