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
