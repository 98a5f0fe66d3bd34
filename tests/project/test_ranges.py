"""Which frames a range holds, by the times that players show, and how far each is in it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from matting.errors import InputError
from matting.options import CuttingOptions
from matting.project import records
from matting.project.inputs import InputFolder, read_inputs
from matting.project.range_frames import RangeFrames, range_frames
from matting.project.ranges import MattingRange, RangePart, RangeStatus, ranges_in
from matting.range_options import RangeOptions, Rectangle
from matting.segment import segment
from matting.system.fingerprint import Fingerprint
from tests.support.clips import make_clip
from tests.support.recorder import Recorder

SOURCE = Fingerprint(1, "0" * 64)
OTHER = Fingerprint(1, "1" * 64)
RATE = 10
# Of ten frames, in thousandths of a second: the third stays for a second.
TIMES = [0, 100, 200, 1200, 1300, 1400, 1500, 1600, 1700, 1800]
DELAY = 300


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> InputFolder:
    """A clip of a variable rate whose audio starts before its picture; it has one cut."""
    clip = make_clip(
        tmp_path_factory.mktemp("ranges") / "clip.mkv",
        len(TIMES),
        gop=5,
        rate=Fraction(RATE),
        pts=[time + DELAY for time in TIMES],
        time_base=Fraction(1, 1000),
        audio=True,
    )
    segments = segment(clip, CuttingOptions(seconds=Fraction(1)), None, Recorder())
    path = segments / "segments.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["shots"] = [7]
    path.write_text(json.dumps(plan), encoding="utf-8")
    return read_inputs(segments)


def held(inputs: InputFolder, start: float, end: float | None) -> tuple[list[int], RangeFrames]:
    """Return the numbers of the frames between two times in milliseconds, and the range."""
    stop = None if end is None else Fraction(end) / 1000
    frames = range_frames(inputs, RangeOptions(Fraction(start) / 1000, stop), None)
    numbers = [
        part.item.first_frame + part.first + number
        for part in frames.parts
        for number in range(part.frames)
    ]
    return numbers, frames


@pytest.mark.parametrize(
    ("start", "end", "numbers"),
    [
        (0, 400, [0]),
        (300, 500, [0, 1]),
        (300.4, 500.4, [0, 1]),  # players round
        (350, 402, [1]),
        (600, 900, [2]),  # no frame begins then, but one is shown
        (500, 1602, [2, 3, 4]),
        (1500, None, [3, 4, 5, 6, 7, 8, 9]),
        (2100, 2900, [9]),
    ],
)
def test_a_range_holds_the_frames_that_begin_in_it(
    start: float, end: float | None, numbers: list[int], inputs: InputFolder
) -> None:
    assert len(inputs.inputs) > 1
    assert held(inputs, start, end)[0] == numbers


def test_neighbouring_ranges_share_no_frame_and_leave_none_out(inputs: InputFolder) -> None:
    for time in range(410, 2100, 103):
        before, after = held(inputs, 0, time)[0], held(inputs, time, None)[0]
        gap = 500 < time < 1500  # then the frame that is shown is in none of them, or in both
        assert before + after == list(range(len(TIMES))) or gap


@pytest.mark.parametrize(("start", "end"), [(4000, None), (2200, 2300), (500, 4000)])
def test_what_leaves_the_video_is_refused(
    start: float, end: float | None, inputs: InputFolder
) -> None:
    with pytest.raises(InputError, match="after the end"):
        held(inputs, start, end)


def test_shots_that_start_and_end_with_a_range_are_noticed(inputs: InputFolder) -> None:
    edges = {
        (start, end): (frames.starts_shot, frames.ends_shot)
        for start, end in ((0, 500), (500, 1900), (1900, 2000), (1600, None))
        for _, frames in [held(inputs, start, end)]
    }
    assert edges == {
        (0, 500): (True, False),
        (500, 1900): (False, True),
        (1900, 2000): (True, False),
        (1600, None): (False, True),
    }


def a_range(**changes: object) -> MattingRange:
    parts = {"a": RangePart(6, 2, SOURCE), "b": RangePart(0, 3, SOURCE)}
    values: dict[str, object] = {
        "number": 1,
        "parts": parts,
        "status": RangeStatus.WHOLE,
        **changes,
    }
    return MattingRange(**values)  # type: ignore[arg-type]


def test_a_range_is_named_by_the_times_that_it_has() -> None:
    start, end = Fraction(2), Fraction(5, 2)
    assert str(a_range(start_seconds=start, end_seconds=end)) == "1 (0:00:02.000 to 0:00:02.500)"
    assert str(a_range(start_seconds=start, end_seconds=None)) == "1 (from 0:00:02.000 on)"
    assert str(a_range(start_seconds=None, end_seconds=None)) == "1 (all frames)"


def test_a_range_is_blended_in_and_out_over_its_segments() -> None:
    own = a_range(blend_in=2, blend_out=1)
    assert own.weights("a") == (1 / 3, 2 / 3)
    assert own.weights("b") == (1, 1, 1 / 2)
    short = a_range(parts={"a": RangePart(0, 3, SOURCE)}, blend_in=4, blend_out=4)
    assert short.weights("a") == (1 / 5, 2 / 5, 1 / 5)
    assert a_range().weights("a") == (1, 1)


def test_a_range_counts_in_segments_that_are_what_they_were() -> None:
    whole, begun = a_range(), a_range(number=2, status=RangeStatus.BEGUN)
    assert ranges_in([whole, begun], "a", SOURCE) == [whole]
    assert ranges_in([whole], "a", OTHER) == ranges_in([whole], "c", SOURCE) == []


def test_a_range_is_recorded_and_read_and_no_part_of_it_is_outside(tmp_path: Path) -> None:
    path = tmp_path / "range.json"
    own = a_range(start_seconds=Fraction(1, 3), keep_out=(Rectangle(1, 2, 3, 4),))
    records.write(path, own)
    assert records.read(path, MattingRange, "") == own
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields["keep_out"][0][0] = -1
    path.write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(InputError, match="rectangles"):
        records.read(path, MattingRange, "")
