"""Overlapped work: in order, nothing lost, and everything stops when one stage fails."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from matting.pipeline import overlap


def count(total: int, closed: list[bool]) -> Generator[int, None, None]:
    try:
        yield from range(total)
    finally:
        closed.append(True)


def test_everything_arrives_in_order() -> None:
    closed: list[bool] = []
    written: list[int] = []
    overlap(lambda: count(100, closed), lambda item: item * 2, written.append)
    assert written == [item * 2 for item in range(100)]
    assert closed == [True]


def test_nothing_to_do() -> None:
    written: list[int] = []
    overlap(lambda: count(0, []), lambda item: item, written.append)
    assert written == []


@pytest.mark.parametrize("stage", ["read", "compute", "write"])
@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_failing_stage_stops_the_others(stage: str, error: BaseException) -> None:
    threads = threading.active_count()
    closed: list[bool] = []

    def read() -> Generator[int, None, None]:
        for item in count(10_000, closed):
            if stage == "read" and item == 7:
                raise error
            yield item

    def compute(item: int) -> int:
        if stage == "compute" and item == 7:
            raise error
        return item

    def write(item: int) -> None:
        if stage == "write" and item == 7:
            raise error

    with pytest.raises(type(error)):
        overlap(read, compute, write)
    assert threading.active_count() == threads
    assert closed == [True]


def test_the_stages_overlap() -> None:
    """Reading goes on while the first item is still being written."""
    read_on = threading.Event()

    def read() -> Generator[int, None, None]:
        yield 0
        read_on.set()
        yield 1

    def write(_item: int) -> None:
        assert read_on.wait(10)

    overlap(read, lambda item: item, write)
