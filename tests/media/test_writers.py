"""What everything that writes frames promises, whatever it makes of them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from matting.errors import EncodeError, MachineError, StorageError
from tests.support.clips import RATE
from tests.support.fake_nvenc import put_x264_in_place_of_nvenc
from tests.support.file_size_limit import largest_file
from tests.support.open_files import open_files
from tests.support.recorder import carry_on
from tests.support.writers import FRAMES, WRITERS, WriterCase, make_sources

# The others are given a temporary name by what publishes them, and take no times or their source's.
PUBLISHING = [name for name, case in WRITERS.items() if case.publishes]
TIMED = [name for name, case in WRITERS.items() if not case.pictures and not case.publishes]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at files as Linux lists them")


@pytest.fixture(params=WRITERS)
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> WriterCase:
    put_x264_in_place_of_nvenc(monkeypatch)
    return WRITERS[request.param]


@pytest.fixture
def target(case: WriterCase, tmp_path: Path) -> Path:
    """Return the path to write to, in a folder of its own."""
    return make_sources(tmp_path) / ("frames" if case.pictures else "frames.mp4")


def raising_after(frames: int, error: BaseException) -> Iterator[int]:
    """Give the numbers of so many frames, then raise."""
    yield from range(frames)
    raise error


def test_every_frame_is_there_once_in_order_at_its_time(case: WriterCase, target: Path) -> None:
    case.write(target, range(FRAMES), carry_on)
    assert case.numbers(target) == list(range(FRAMES))
    if not case.pictures:
        assert case.times(target) == [number / RATE for number in range(FRAMES)]
    assert list(target.parent.iterdir()) == [target]


def test_every_frame_is_checked_and_told_of(case: WriterCase, target: Path) -> None:
    told: list[int] = []
    case.write(target, range(FRAMES), told.append)
    assert sum(told) == FRAMES


def test_what_was_there_is_replaced(case: WriterCase, target: Path) -> None:
    for _ in range(2):
        case.write(target, range(FRAMES), carry_on)
    assert case.numbers(target) == list(range(FRAMES))
    assert list(target.parent.iterdir()) == [target]


@on_linux
@pytest.mark.parametrize("frames", [0, 1, 5, FRAMES - 1])
@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt()])
def test_what_breaks_off_closes_its_files(
    frames: int, error: BaseException, case: WriterCase, target: Path
) -> None:
    threads = threading.active_count()
    with pytest.raises(type(error)) as raised:
        case.write(target, raising_after(frames, error), carry_on)
    assert raised.value is error
    assert open_files(target.parent) == []
    assert threading.active_count() == threads
    if case.publishes:
        assert list(target.parent.iterdir()) == []
    case.write(target, range(FRAMES), carry_on)
    assert case.numbers(target) == list(range(FRAMES))


@on_linux
def test_an_interrupted_check_closes_its_files(case: WriterCase, target: Path) -> None:
    def interrupt(_frames: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.write(target, range(FRAMES), interrupt)
    assert open_files(target.parent) == []
    if case.publishes:
        assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("case", PUBLISHING, indirect=True)
def test_nothing_has_its_name_before_all_is_checked(case: WriterCase, target: Path) -> None:
    seen: list[bool] = []

    def numbers() -> Iterator[int]:
        for number in range(FRAMES):
            seen.append(target.exists())
            yield number

    case.write(target, numbers(), lambda _: seen.append(target.exists()))
    assert len(seen) > FRAMES
    assert not any(seen)
    assert target.exists()


@pytest.mark.parametrize("case", PUBLISHING, indirect=True)
def test_what_was_there_stays_until_all_is_checked(case: WriterCase, target: Path) -> None:
    case.write(target, range(FRAMES), carry_on)
    with pytest.raises(KeyboardInterrupt):
        case.write(target, raising_after(5, KeyboardInterrupt()), carry_on)
    assert case.numbers(target) == list(range(FRAMES))
    assert list(target.parent.iterdir()) == [target]


@on_linux
@pytest.mark.parametrize("size_bytes", [0, 200, 300])
def test_a_full_disk_is_named(size_bytes: int, case: WriterCase, target: Path) -> None:
    with largest_file(size_bytes), pytest.raises(StorageError) as raised:
        case.write(target, range(FRAMES), carry_on)
    assert "full" in raised.value.what
    assert str(target) in raised.value.what
    # PyAV closes a file whose header it could not write when it lets go of it; a video's has room
    # for that at its beginning, which these disks do not have.
    if size_bytes and case.pictures:
        assert open_files(target.parent) == []
    if case.publishes:
        assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("case", TIMED, indirect=True)
def test_frames_whose_times_do_not_rise_are_refused(case: WriterCase, target: Path) -> None:
    with pytest.raises((EncodeError, MachineError)) as raised:
        case.write(target, [0, 1, 2, 2, 3], carry_on)
    assert str(target) in raised.value.what
