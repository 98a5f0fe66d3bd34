"""Threads that work at once: in order, bounded, and all of them end when one breaks."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from matting.workers.held_bytes import held_bytes
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


def test_what_waits_stays_within_its_bytes() -> None:
    stages = Stages()
    most, sizes = 1000, [300, 300, 300, 300, 900, 100, 100, 0, 5000, 5000, 10, 10, 10, 10, 10]
    items: Channel[torch.Tensor] = Channel(stages, most_bytes=most)
    lock, held, seen = threading.Lock(), 0, []

    def fill() -> None:
        nonlocal held
        for size in sizes:
            item = torch.zeros(size, dtype=torch.uint8)
            items.put(item)
            with lock:
                held += size
                seen.append(held)

    stages.start("filler", fill)
    for size in sizes:
        assert held_bytes(items.get()) == size
        with lock:
            held -= size
    stages.close()
    # What `get` has returned is taken off a moment later, and what is put is added as late.
    assert max(seen) <= max(most, *sizes) + max(sizes)


@pytest.mark.parametrize(
    ("sizes", "waiting"),
    [([300] * 5, 3), ([10] * 9, DEPTH), ([1000, 1], 1), ([5000, 5000, 0], 1), ([0, 5000], 1)],
)
def test_no_more_wait_than_fit(sizes: list[int], waiting: int) -> None:
    stages = Stages()
    items: Channel[torch.Tensor] = Channel(stages, most_bytes=1000)
    for size in sizes:
        items.offer(torch.zeros(size, dtype=torch.uint8))
    for size in sizes[:waiting]:
        assert held_bytes(items.get()) == size
    items.offer(torch.zeros(7, dtype=torch.uint8))
    assert held_bytes(items.get()) == 7
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


def test_all_that_was_put_is_waited_for() -> None:
    stages = Stages()
    numbers: Channel[int] = Channel(stages)
    over: list[int] = []

    def work() -> None:
        while True:
            number = numbers.get()
            over.append(number)
            numbers.task_done()

    numbers.join()
    for number in range(3):
        numbers.put(number)
    stages.start("worker", work)
    numbers.join()
    assert over == [0, 1, 2]
    stages.close()


def test_a_stop_ends_waiting_for_work_that_goes_on() -> None:
    stages = Stages()
    numbers: Channel[int] = Channel(stages)
    numbers.put(0)
    assert numbers.get() == 0
    threading.Timer(0.2, stages.stop).start()
    with pytest.raises(StoppedError):
        numbers.join()
