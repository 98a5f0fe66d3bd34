"""Which worker has which unit, what is settled of it, and what goes where next."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import count

from matting.workers.cluster.runs import KnownWorker, Run, is_whole
from matting.workers.cluster.units import NumberedTask, Unit
from matting.workers.executor import Failure, Outcome, SavedState
from matting.workers.supervisor import TRIES


class Assignments:
    """What is to be done, and who does it.

    Attributes:
        workers: who takes part, by their addresses.
    """

    def __init__(self) -> None:
        self.workers: dict[str, KnownWorker] = {}
        self._waiting: list[Unit] = []  # the longest last
        self._runs: dict[str, Run] = {}
        self._settled: set[int] = set()
        self._states: dict[str, SavedState] = {}  # at the ends of settled segments, by their names
        self._lost: Counter[int] = Counter()  # how often a worker broke over a segment
        self._avoided: dict[int, set[str]] = {}  # by unit: who could not do it
        self._numbers = count()

    def add(self, units: Collection[Unit]) -> None:
        """Take units that are to be done."""
        self._waiting += units
        self._waiting.sort(key=lambda unit: unit.frames)

    def join(self, worker: str, name: str) -> None:
        self.workers[worker] = KnownWorker(name)

    def leave(self, worker: str) -> list[Run]:
        """Forget a worker; what it had waits again. Return that, as it was."""
        known = self.workers.pop(worker, None)
        if known is None:
            return []
        runs = [self._runs.pop(key) for key in known.keys]
        if runs and not runs[0].is_second:  # the others had not been begun
            rest = self._rest(runs[0])
            if rest is not None:
                self._lost[rest.segments[0].number] += 1
        for run in runs:
            self._wait_again(run)
        return runs

    def end(self, key: str, avoid: str = "") -> Run | None:
        """Take a unit from its worker; what is not settled of it waits again.

        Args:
            avoid: a worker that is not to have it again.
        """
        run = self._runs.pop(key, None)
        if run is None:
            return None
        self.workers[run.worker].keys.remove(key)
        if avoid:
            self._avoided.setdefault(run.unit.number, set()).add(avoid)
        self._wait_again(run)
        return run

    def run_of(self, key: str) -> Run | None:
        return self._runs.get(key)

    def may_try_elsewhere(self, run: Run, number: int) -> bool:
        """Return whether a segment that broke its worker is to be tried at another."""
        self._lost[number] += 1
        tried = self._avoided.get(run.unit.number, set()) | {run.worker}
        return self._lost[number] < TRIES and bool(self.workers.keys() - tried)

    def settle(self, run: Run, index: int, outcome: Outcome | Failure) -> bool:
        """Take notice of what came of a task; return whether it is the first that did."""
        segment = run.segment(index)
        if segment is None:
            return False
        known, now = self.workers[run.worker], time.monotonic()
        if is_whole(outcome):
            known.frames += outcome.frames
            known.seconds += now - known.busy_since
        known.busy_since = now
        if segment.number in self._settled:
            return False
        self._settled.add(segment.number)
        task = segment.task
        if is_whole(outcome) and task.end_state is not None:
            self._states[task.item.name] = SavedState(task.end_state, outcome.ends_exact)
        return True

    def given_up(self) -> Iterator[NumberedTask]:
        """Yield, once, the segments over which too many workers were lost; units do without."""
        for unit in list(self._waiting):
            first = unit.segments[0]
            if self._lost[first.number] < TRIES:
                continue
            self._settled.add(first.number)
            self._waiting.remove(unit)
            if len(unit.segments) > 1:
                self.add([unit.after(1, None)])
            yield first

    def leave_to(self, first: Run) -> list[Run]:
        """Take a unit from all but the worker that has settled a segment of it first.

        The state from which another began may be needed no more, and be gone.
        """
        number = first.unit.number
        others = [r for r in self._runs.values() if r.unit.number == number and r is not first]
        for run in others:
            self.end(run.key)
        first.is_second = False
        return others

    def reclaim(self) -> list[Run]:
        """Take units back that wait behind others, where somebody else has nothing to do."""
        idle = sum(not known.keys for known in self.workers.values())
        if self._waiting or not idle:
            return []
        queued = [self._runs[key] for known in self.workers.values() for key in known.keys[1:]]
        queued.sort(key=lambda run: -run.unit.frames)
        for run in queued[:idle]:
            self.end(run.key)
        return queued[:idle]

    def hand_out(self) -> Iterator[Run]:
        """Yield what is to be begun now, each at its worker."""
        for depth in range(2):
            for worker, known in self.workers.items():
                # A second waits at a worker so that it has no gap, while there are many.
                enough = not depth or len(self._waiting) > len(self.workers)
                if len(known.keys) == depth and enough and (unit := self._next(worker)) is not None:
                    yield self._begin(unit, worker)
        if not self._waiting:
            yield from self._seconds()

    def _next(self, worker: str) -> Unit | None:
        """Take the longest unit that a worker may have."""
        for index in range(len(self._waiting) - 1, -1, -1):
            avoided = self._avoided.get(self._waiting[index].number, set())
            # Where nobody else is left, one that could not do it may try again.
            if worker not in avoided or not self.workers.keys() - avoided:
                return self._waiting.pop(index)
        return None

    def _begin(self, unit: Unit, worker: str, *, is_second: bool = False) -> Run:
        known = self.workers[worker]
        if not known.keys:
            known.busy_since = time.monotonic()
        run = Run(f"{unit.name} ({next(self._numbers)})", unit, worker, is_second)
        self._runs[run.key] = run
        known.keys.append(run.key)
        return run

    def _seconds(self) -> Iterator[Run]:
        """Yield units that another, faster worker may well end sooner than the one that has it."""
        idle = {
            worker: rate
            for worker, known in self.workers.items()
            if not known.keys and (rate := known.frames_per_second) is not None
        }
        # This is asked at each event: runs are looked at once, and not once for each idle worker.
        late = self._late_runs(max(idle.values())) if idle else []
        for worker, rate in idle.items():
            known = self.workers[worker]
            for left, run in late:
                if run.unit.number in known.was_second_for or run.frames_left / rate >= left:
                    continue
                rest = self._rest(run)
                if rest is not None:
                    late.remove((left, run))
                    known.was_second_for.add(rest.number)
                    yield self._begin(rest, worker, is_second=True)
                break

    def _late_runs(self, rate: float) -> list[tuple[float, Run]]:
        """Return what a worker would end sooner that began with the rest of it now.

        Args:
            rate: the worker's frames per second.
        Returns:
            units that one worker has, each with how long that is likely to be busy with it; the
            one that takes longest first.
        """
        taken = Counter(run.unit.number for run in self._runs.values())
        late: list[tuple[float, Run]] = []
        for run in self._runs.values():
            run.pass_over(self._settled)
            if taken[run.unit.number] == 1 and run.done < len(run.unit.segments):
                left = self._seconds_left(run)
                if run.frames_left / rate < left:
                    late.append((left, run))
        return sorted(late, key=lambda one: -one[0])

    def _seconds_left(self, run: Run) -> float:
        """Return how long a worker is likely to be busy with a unit."""
        known = self.workers[run.worker]
        busy = time.monotonic() - known.busy_since  # with the segment that it is at
        if known.frames_per_second is None:
            return busy
        return max(run.frames_left / known.frames_per_second - busy, busy / 2)

    def _rest(self, run: Run) -> Unit | None:
        """Return what is not settled of a unit; None: nothing is left."""
        run.pass_over(self._settled)
        segments, done = run.unit.segments, run.done
        if done == len(segments):
            return None
        before = segments[done - 1].task.item.name if done else ""
        return run.unit.after(done, self._states.get(before))

    def _wait_again(self, run: Run) -> None:
        """Have what is not settled of a unit wait, unless another worker has it, too."""
        rest = self._rest(run)
        others = (other.unit.number == run.unit.number for other in self._runs.values())
        if rest is not None and not any(others):
            self.add([rest])
