"""Threads that work at once: in order, bounded, and all of them end when one breaks."""

from __future__ import annotations

import threading
import time

import pytest

from matting.workers.pipeline import DEPTH, Channel, Stages, StoppedError


def test_everything_arrives_in_order() -> None:
    stages = Stages()
    numbers: Channel[int] = Channel(stages)

    def count() -> None:
        for number in range(100):
            numbers.put(number)

    stages.start("counter", count)
    assert [numbers.get() for _ in range(100)] == list(range(100))
    stages.close()


def test_no_more_than_a_few_wait() -> None:
    stages = Stages()
    numbers: Channel[int] = Channel(stages)
    for number in range(DEPTH + 5):
        numbers.offer(number)
    assert [numbers.get() for _ in range(DEPTH)] == list(range(DEPTH))
    numbers.offer(7)
    assert numbers.get() == 7
    stages.close()


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_thread_that_breaks_stops_the_others(error: BaseException) -> None:
    threads = threading.active_count()
    stages = Stages()
    numbers: Channel[int] = Channel(stages)

    def fill() -> None:
        while True:
            numbers.put(0)

    def breaks() -> None:
        raise error

    stages.start("filler", fill)
    stages.start("breaker", breaks)
    with pytest.raises(StoppedError):
        while True:
            numbers.get()
    stages.close()
    assert threading.active_count() == threads
    assert stages.error is error


def test_the_first_error_is_kept() -> None:
    stages = Stages()
    first = ValueError("first")
    stages.stop(first)
    stages.stop(ValueError("second"))
    assert stages.error is first


def test_a_stop_is_no_error() -> None:
    stages = Stages()
    stages.stop()
    stages.stop(ValueError("after it was stopped"))
    assert stages.error is None


@pytest.mark.parametrize("waits", ["put", "get", "offer"])
def test_whoever_waits_notices_a_stop(waits: str) -> None:
    stages = Stages()
    numbers: Channel[int] = Channel(stages, 1)
    if waits == "put":
        numbers.put(0)
    threading.Timer(0.2, stages.stop).start()
    began = time.monotonic()
    with pytest.raises(StoppedError):
        while True:
            numbers.get() if waits == "get" else getattr(numbers, waits)(0)
    assert time.monotonic() - began < 10
