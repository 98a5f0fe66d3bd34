"""What a run is told of its workers, and what it keeps of what it asks of them.

A stand-in for Dask's client does nothing by itself. As the real one does, it gives up what nobody
holds on to.
"""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import pytest
from distributed import Client

from matting.errors import MattingError, MediaError
from matting.project.inputs import Input
from matting.workers.cluster import dask_engine
from matting.workers.cluster.dask_engine import DaskEngine
from matting.workers.cluster.messages import (
    Event,
    Joined,
    Left,
    Message,
    Refused,
    SchedulerLost,
    SessionEnded,
    UnitEnded,
)
from matting.workers.cluster.portable_paths import dumps
from matting.workers.executor import SegmentTask, WorkerSetup
from tests.support.stages import matting_options

TASKS = [SegmentTask(Input("a.mp4", Path("a.mp4"), "a"))]


class Asked:
    """A future."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.status = "pending"
        self._acts: list[Callable[[Asked], object]] = []

    def cancel(self) -> None:
        self.status = "cancelled"

    def done(self) -> bool:
        return self.status != "pending"

    def add_done_callback(self, act: Callable[[Asked], object]) -> None:
        self._acts.append(act)

    def exception(self) -> Exception:
        return ValueError("a fault")

    def end(self, status: str) -> None:
        self.status = status
        for act in self._acts:
            act(self)


class StandIn:
    """A client of a scheduler that has these workers."""

    def __init__(self) -> None:
        self.status = "running"
        self.workers: set[str] = set()
        self.asked: weakref.WeakValueDictionary[str, Asked] = weakref.WeakValueDictionary()
        self.take: Callable[[tuple[float, tuple[str, bytes]]], object] = str

    def submit(self, _work: object, *_: object, key: str, **__: object) -> Asked:
        own = Asked(key)
        self.asked[key] = own
        return own

    def cancel(self, futures: Iterable[Asked]) -> None:
        for future in futures:
            future.cancel()

    def subscribe_topic(self, _: str, take: Callable[..., object]) -> None:
        self.take = take

    @property
    def scheduler(self) -> StandIn:
        return self

    def sync(self, asked: Callable[..., object], **given: object) -> object:
        return asked(**given)

    def identity(self, n_workers: int) -> dict[str, dict[str, None]]:
        return {"workers": dict.fromkeys(self.workers)}

    def tell(self, worker: str, message: Message) -> None:
        self.take((0.0, (worker, dumps(message))))

    def wanted(self) -> set[str]:
        """Return the first words of the keys of what is still wanted."""
        gc.collect()
        pending = [key for key, own in self.asked.items() if own.status == "pending"]
        return {" ".join(key.split()[:3]) for key in pending}


@pytest.fixture
def client() -> StandIn:
    return StandIn()


@pytest.fixture
def engine(
    client: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DaskEngine]:
    monkeypatch.setattr(dask_engine, "WATCH_SECONDS", -1.0)  # at each event
    monkeypatch.setattr(dask_engine, "LET_GO_SECONDS", 0.05)
    own = DaskEngine(lambda: nullcontext(cast(Client, client)))
    own.open(WorkerSetup(matting_options(None), None, "", "cpu", needs_network=False), tmp_path)
    yield own
    own.close()


def admit_all(engine: DaskEngine) -> None:
    engine.admit(WorkerSetup(matting_options(None), None, "", "cpu"))


def told(engine: DaskEngine, count: int) -> list[Event | None]:
    return [engine.next_event(0) for _ in range(count)]


def test_that_a_worker_is_there_is_not_told_after_it_has_gone(
    engine: DaskEngine, client: StandIn
) -> None:
    admit_all(engine)
    client.workers = {"a", "b"}
    assert told(engine, 1) == [None]
    client.workers = {"b"}
    client.tell("a", Joined("a"))  # it was on its way
    assert told(engine, 3) == [None, Event("a", Left()), None]
    client.tell("a", Joined("a"))  # that it has gone is known already
    client.tell("b", Joined("b"))
    assert told(engine, 3) == [None, Event("b", Joined("b")), None]
    client.workers = {"a", "b"}  # it comes back
    assert told(engine, 1) == [None]
    client.tell("a", Joined("a"))
    assert told(engine, 1) == [Event("a", Joined("a"))]


def test_one_worker_gets_ready_before_all_others_and_where_it_cannot_the_next(
    engine: DaskEngine, client: StandIn
) -> None:
    client.workers = {"a", "b", "c"}
    told(engine, 2)
    assert client.wanted() == {"session of a"}
    (first,) = client.asked.values()
    first.end("finished")  # it has told that it takes no part
    del first
    told(engine, 2)
    assert client.wanted() == {"session of b"}
    admit_all(engine)
    assert client.wanted() == {"session of b", "session of c"}


def test_what_is_asked_for_is_wanted_until_it_is_dropped_or_its_worker_has_gone(
    engine: DaskEngine, client: StandIn
) -> None:
    admit_all(engine)
    client.workers = {"a", "b"}
    told(engine, 1)
    engine.start("a", "unit 1 (0)", "unit 1", TASKS)
    engine.start("b", "unit 2 (1)", "unit 2", TASKS)
    sessions = {"session of a", "session of b"}
    assert client.wanted() == {"unit 1 (0)", "unit 2 (1)", *sessions}
    engine.drop("unit 1 (0)")
    engine.drop("unit 1 (0)")  # it may be at its end by then
    assert client.wanted() == {"unit 2 (1)", *sessions}
    client.workers = {"b"}
    assert told(engine, 1) == [Event("a", Left())]
    assert client.wanted() == {"unit 2 (1)", "session of b"}
    engine.close()
    assert client.wanted() == set()


def test_the_end_waits_for_workers_that_may_still_write(
    engine: DaskEngine, client: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_engine, "LET_GO_SECONDS", 1000.0)
    admit_all(engine)
    client.workers = {"a", "b", "c"}
    told(engine, 1)
    for worker in "abc":
        engine.start(worker, f"unit of {worker}", worker, TASKS)
    client.tell("b", UnitEnded("unit of b"))  # it is waited for no more
    told(engine, 1)
    engine.drop("unit of b")
    engine.drop("unit of c")  # who knows whether it has begun
    ended: list[str] = []

    def end(worker: str) -> None:
        ended.append(worker)
        client.tell(worker, SessionEnded())

    timers = [threading.Timer(0.05, end, [worker]) for worker in "ac"]
    for timer in timers:
        timer.start()
    engine.close()
    assert sorted(ended) == ["a", "c"]
    for timer in timers:
        timer.join()


def test_a_fault_of_a_session_is_told_and_the_worker_counts_as_gone(
    engine: DaskEngine, client: StandIn
) -> None:
    client.workers = {"a"}
    told(engine, 1)
    (session,) = client.asked.values()
    session.end("error")
    refused, left, nothing = told(engine, 3)
    assert refused is not None
    assert isinstance(refused.message, Refused)
    assert "ValueError('a fault')" in str(refused.message.error)
    assert (left, nothing) == (Event("a", Left()), None)


@pytest.mark.parametrize("reason", [None, MediaError("why")])
def test_nothing_is_asked_of_a_scheduler_that_is_gone(
    client: StandIn,
    reason: MattingError | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dask_engine, "WATCH_SECONDS", -1.0)
    monkeypatch.setattr(dask_engine, "LET_GO_SECONDS", 0.05)
    reasons: list[MattingError | None] = [None]
    own = DaskEngine(lambda: nullcontext(cast(Client, client)), lambda: reasons[-1])
    client.workers = {"a"}
    own.open(WorkerSetup(matting_options(None), None, "", "cpu", needs_network=False), tmp_path)
    own.start("a", "unit 1 (0)", "unit 1", TASKS)
    wanted = [*client.asked.values()]
    if reason is None:
        client.status = "closed"
    reasons.append(reason)
    event = own.next_event(0)
    assert event is not None
    assert isinstance(event.message, SchedulerLost)
    assert reason is None or event.message.error is reason
    if reason is None:
        own.drop("unit 1 (0)")
    own.close()
    assert all(future.status == "pending" for future in wanted) is (reason is None)
