"""The worker's end: takes units, and has a supervisor on this computer go through them.

Units follow each other without a gap: the next one begins while the last segment of the one before
is only finished.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matting.errors import MattingError
from matting.inference.precision_record import PrecisionChoice
from matting.progress import Notice, Progress
from matting.workers.cluster.messages import FramesDone, Message, Said, TaskDone, UnitEnded
from matting.workers.executor import Executor, Failure, Outcome, SegmentTask

# How often a worker tells what is done, and asks whether it is still wanted.
PULSE_SECONDS = 1.0
# Of a state that another computer has given its name, until a network drive shows it here. Windows
# keeps for 10 s what is in a folder, Linux for up to 60.
SEEN_AFTER_SECONDS, LOOK_SECONDS = 120.0, 0.2
TRIAL = -1  # the number of one, which has none

Send = Callable[[Message], None]
IsWanted = Callable[[], bool]


class UnwantedError(Exception):
    """Nobody waits any more for what is being worked on."""


@dataclass
class _HostedUnit:
    """A unit on its way through.

    Attributes:
        is_wanted: whether anybody still waits for it.
        remaining: how many of its tasks have no outcome.
    """

    key: str
    is_wanted: IsWanted
    remaining: int
    ended: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class _HostedTask:
    unit: _HostedUnit
    index: int
    task: SegmentTask


class UnitHost:
    """Goes through units in the thread that calls `serve`; others hand them in."""

    def __init__(
        self, make_executor: Callable[[Progress], Executor], send: Send, *, network: bool
    ) -> None:
        """
        Args:
            make_executor: makes what runs the network, and reports to the progress it is given.
            send: passes a message on to the run.
            network: whether anything is to be matted.
        """
        self._make_executor = make_executor
        self._send = send
        self._network = network
        self._executor: Executor | None = None
        self._choice: PrecisionChoice | None = None
        self._turn = threading.Condition()
        self._waiting: deque[_HostedTask] = deque()
        self._in_flight: dict[int, _HostedTask] = {}  # by the executor's numbers, in order
        self._closed = False

    def run(self, key: str, tasks: Sequence[SegmentTask], is_wanted: IsWanted) -> None:
        """Have a unit gone through, from any thread; return when it is at its end."""
        unit = _HostedUnit(key, is_wanted, len(tasks))
        with self._turn:
            if self._closed:
                return
            self._waiting += [_HostedTask(unit, index, task) for index, task in enumerate(tasks)]
            self._turn.notify()
        unit.ended.wait()

    def serve(
        self, is_wanted: IsWanted, on_ready: Callable[[PrecisionChoice | None], None]
    ) -> None:
        """Go through units until the run is not there any more.

        Args:
            is_wanted: whether it is.
            on_ready: called when everything is loaded, with what the network computes in.
        Raises:
            MattingError: what all units would meet.
        """
        try:
            self._ready_executor()
            on_ready(self._choice)
            while self._await_work(is_wanted):
                try:
                    self._take_next()
                except UnwantedError:
                    self._begin_anew()
        except MattingError as error:
            for key in {hosted.unit.key for hosted in self._close()}:
                self._send(UnitEnded(key, error))
            raise
        finally:
            self._close()

    def await_state(self, task: SegmentTask) -> None:
        """Return when the state at the start of a task in flight is seen here, or will not be.

        Raises:
            UnwantedError: nobody waits for what is worked on first.
        """
        until = time.monotonic() + SEEN_AFTER_SECONDS
        state = task.start_state
        while state is not None and not state.path.exists() and time.monotonic() < until:
            self._current(task.item.name)
            own = (h for h in self._in_flight.values() if h.task.item.name == task.item.name)
            if not any(hosted.unit.is_wanted() for hosted in own):
                return
            time.sleep(LOOK_SECONDS)

    def _ready_executor(self) -> Executor:
        if self._executor is None:
            self._executor = self._make_executor(_HostProgress(self._send, self._current))
            self._choice = self._executor.prepare(network=self._network)
        return self._executor

    def _await_work(self, is_wanted: IsWanted) -> bool:
        """Wait until there is something to do; return whether there is, and the run is there."""
        while is_wanted():
            with self._turn:
                if self._in_flight or self._waiting:
                    return True
                self._turn.wait(PULSE_SECONDS)
        return False

    def _take_next(self) -> None:
        """Submit what there is room for, and wait for one outcome."""
        executor = self._ready_executor()
        while executor.has_room and (own := self._pop()) is not None:
            if own.task.only_frames is not None:
                self._in_flight[TRIAL] = own
                trial = executor.trial(own.task)
                self._tell(self._in_flight.pop(TRIAL), trial)
            else:
                self._in_flight[executor.submit(own.task)] = own
        if self._in_flight:
            number, outcome = executor.outcome()
            self._tell(self._in_flight.pop(number), outcome)

    def _pop(self) -> _HostedTask | None:
        """Take the next task that is wanted, if there is one; a trial goes alone."""
        with self._turn:
            while self._waiting:
                own = self._waiting[0]
                if own.task.only_frames is not None and self._in_flight:
                    return None
                self._waiting.popleft()
                if own.unit.is_wanted():
                    return own
                own.unit.ended.set()
        return None

    def _tell(self, own: _HostedTask, outcome: Outcome | Failure) -> None:
        self._send(TaskDone(own.unit.key, own.index, outcome))
        own.unit.remaining -= 1
        if not own.unit.remaining:
            self._send(UnitEnded(own.unit.key))
            own.unit.ended.set()

    def _current(self, name: str) -> tuple[str, int]:
        """Return the unit's key and the index of the task in flight on a segment of that name.

        Raises:
            UnwantedError: nobody waits for what is worked on first.
        """
        first = next(iter(self._in_flight.values()), None)
        if first is not None and not first.unit.is_wanted():
            raise UnwantedError
        own = (h for h in self._in_flight.values() if h.task.item.name == name)
        return next(((hosted.unit.key, hosted.index) for hosted in own), ("", 0))

    def _begin_anew(self) -> None:
        """Break off what is not wanted; what else had been begun is begun again."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.close()
        begun = list(self._in_flight.values())
        self._in_flight.clear()
        with self._turn:
            self._waiting.extendleft(reversed(begun))

    def _close(self) -> list[_HostedTask]:
        """End all work, and take no more; return what is not done."""
        with self._turn:
            self._closed = True
            left = [*self._in_flight.values(), *self._waiting]
            self._in_flight.clear()
            self._waiting.clear()
        executor, self._executor = self._executor, None
        try:
            if executor is not None:
                executor.close()
        finally:
            for hosted in left:
                hosted.unit.ended.set()
        return left


class _HostProgress(Progress):
    """Tells the run what is done, once a second, and breaks off what it does not want."""

    def __init__(self, send: Send, current: Callable[[str], tuple[str, int]]) -> None:
        """
        Args:
            current: as `UnitHost._current`.
        """
        self._send = send
        self._current = current
        self._name = ""
        self._frames: Counter[str] = Counter()  # not told yet, by segments
        self._pulsed = time.monotonic()

    def say(self, text: str) -> None:
        self._send(Said(text))

    def detail(self, text: str) -> None:
        self._send(Said(text, is_detail=True))

    def notice(self, kind: Notice, text: str) -> None:
        self._send(Said(text, notice=kind))

    def begin_segment(self, name: str) -> None:
        self._name = name

    def advance(self, units: int) -> None:
        self._frames[self._name] += units
        self.alive()

    def alive(self) -> None:
        now = time.monotonic()
        if now - self._pulsed < PULSE_SECONDS:
            return
        self._pulsed = now
        for name, frames in self._frames.items():
            key, index = self._current(name)
            if key and frames:
                self._send(FramesDone(key, index, frames))
        self._frames.clear()
        self._current(self._name)  # even where there are no frames: it may not be wanted any more
