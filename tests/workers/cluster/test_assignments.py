"""What is left of a unit goes to whoever is there, and is found without going through it anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.project.entry import InitialState
from matting.project.inputs import Input
from matting.system.fingerprint import Fingerprint
from matting.workers.cluster.assignments import Assignments
from matting.workers.cluster.runs import Run
from matting.workers.cluster.units import NumberedTask, Unit
from matting.workers.executor import Outcome, SegmentTask

DONE = Outcome(Fingerprint(0, ""), InitialState.FRESH, True, True, 1, {})


def unit(number: int, count: int) -> Unit:
    numbers = range(number, number + count)
    items = [Input(f"{n}.mp4", Path(f"{n}.mp4"), str(n)) for n in numbers]
    tasks = [NumberedTask(n, SegmentTask(i), 1) for n, i in zip(numbers, items, strict=True)]
    return Unit(number, tuple(tasks))


@pytest.fixture
def assignments() -> Assignments:
    own = Assignments()
    for worker in ("a", "b"):
        own.join(worker, worker)
    return own


def begin(assignments: Assignments) -> list[Run]:
    return list(assignments.hand_out())


def test_a_unit_goes_back_to_who_could_not_do_it_where_nobody_else_is_left(
    assignments: Assignments,
) -> None:
    assignments.add([unit(0, 2)])
    (run,) = begin(assignments)
    assert assignments.may_try_elsewhere(run, 0)
    assignments.end(run.key, avoid=run.worker)
    (other,) = begin(assignments)
    assert {run.worker, other.worker} == {"a", "b"}
    assignments.leave(other.worker)
    assert [again.worker for again in begin(assignments)] == [run.worker]


def test_what_is_left_of_a_long_unit_is_found_by_looking_at_each_segment_once(
    assignments: Assignments,
) -> None:
    count = 2000
    looked_at = 0

    class Settled(set[int]):
        def __contains__(self, number: object) -> bool:
            nonlocal looked_at
            looked_at += 1
            return super().__contains__(number)

    assignments._settled = Settled()
    assignments.add([unit(0, count), unit(count, 1)])
    runs = {run.unit.number: run for run in begin(assignments)}
    assignments.settle(runs[count], 0, DONE)  # its worker is fast, and has nothing more to do
    assignments.end(runs[count].key)
    seconds: list[Run] = []
    for index in range(count):
        assignments.settle(runs[0], index, DONE)
        seconds += begin(assignments)
        assignments.reclaim()
    assert looked_at < 10 * count


def with_rates(assignments: Assignments, rates: dict[str, float]) -> list[Run]:
    """Have the workers take part, each busy with a unit of its own, and known to be so fast."""
    assignments.workers.clear()
    for worker in rates:
        assignments.join(worker, worker)
    assignments.add([unit(10 * index, 10) for index in range(len(rates))])
    runs = begin(assignments)
    for worker, rate in rates.items():
        assignments.workers[worker].frames, assignments.workers[worker].seconds = 100, 100 / rate
    return runs


def finish(assignments: Assignments, run: Run) -> None:
    for index in range(len(run.unit.segments)):
        assignments.settle(run, index, DONE)
    assignments.end(run.key)


def test_who_has_nothing_to_do_takes_what_would_last_longest_as_a_second(
    assignments: Assignments,
) -> None:
    rates = {"slowest": 0.001, "slow": 0.01, "fast": 1e6, "faster": 1e7, "lame": 0.0001}
    runs = {run.worker: run for run in with_rates(assignments, rates)}
    for worker in ("fast", "faster", "lame"):
        finish(assignments, runs[worker])
    assignments.workers["lame"].seconds = 1e9
    seconds = begin(assignments)
    assert [(run.worker, run.unit.number) for run in seconds] == [
        ("fast", runs["slowest"].unit.number),
        ("faster", runs["slow"].unit.number),
    ]
    assert all(run.is_second for run in seconds)
    assert begin(assignments) == []  # the lame one would not be sooner
    assignments.end(seconds[0].key)
    assert begin(assignments) == []  # nobody is a second for the same unit twice
    finish(assignments, runs["slowest"])
    assert [run for run in begin(assignments) if run.unit.number == seconds[0].unit.number] == []


def test_idle_workers_do_not_make_an_event_costly(
    assignments: Assignments, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 64
    runs = with_rates(assignments, {f"worker {index}": 1.0 for index in range(count)})
    for run in runs[: count // 2]:
        finish(assignments, run)
        assignments.workers[run.worker].seconds = 1e9  # none of them would be sooner
    asked: list[Run] = []
    seconds_left = Assignments._seconds_left

    def ask(self: Assignments, run: Run) -> float:
        asked.append(run)
        return seconds_left(self, run)

    monkeypatch.setattr(Assignments, "_seconds_left", ask)
    assert begin(assignments) == []
    assert len(asked) <= count
