"""The door to Dask for whoever runs a job: who is there, and what passes to and from them.

Dask connects, secures and watches workers. Which unit goes where is decided in `assignments`:
Dask's own queue would begin a lost unit from its first segment again, and knows neither how long
units are nor what is left of them.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import cast
from uuid import uuid4

import dask
from distributed import Client, Future

from matting.errors import MachineUnusableError, MattingError
from matting.workers.cluster import worker_node
from matting.workers.cluster.compatibility import own_identity, write_probe
from matting.workers.cluster.dask_log import dask_log
from matting.workers.cluster.messages import (
    Event,
    Joined,
    Left,
    Message,
    Refused,
    Said,
    SchedulerLost,
    SessionEnded,
    UnitEnded,
)
from matting.workers.cluster.portable_paths import dumps, loads
from matting.workers.cluster.session import SessionRequest
from matting.workers.executor import SegmentTask, WorkerSetup

WATCH_SECONDS = 1.0
# How long workers that are at a unit may take to let go of it: they ask every second.
LET_GO_SECONDS = 5.0
CONFIG = {
    "distributed.client.heartbeat": "2s",
    "distributed.client.scheduler-info-interval": "10s",
}


class DaskEngine:
    """The workers of a scheduler, as `Engine`."""

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Client]],
        watch: Callable[[], MattingError | None] = lambda: None,
        most_workers: int | None = None,
    ) -> None:
        """
        Args:
            connect: connects to the scheduler for as long as the block lasts.
            watch: called once a second; returns why there can be no workers any more.
            most_workers: as of `Engine`.
        """
        self.most_workers = most_workers
        self._connect = connect
        self._watch = watch
        self._open = ExitStack()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._name = f"matting-{uuid4().hex}"  # of the session at each worker, and of the topic
        self._client: Client | None = None
        self._request: SessionRequest | None = None
        self._first = ""  # the worker that gets ready before all others
        self._admits_all = False
        self._sessions: dict[str, Future[None]] = {}  # by the addresses of their workers
        self._units: dict[str, Future[None]] = {}
        self._busy: dict[str, str] = {}  # by the keys of units that may not be at their end: where
        self._watched = 0.0

    def open(self, setup: WorkerSetup, folder: Path) -> None:
        """Connect, and have workers get ready, as `Engine.open`."""
        identity = own_identity(setup.checkpoint_sha256 if setup.needs_network else "")
        probe = write_probe(folder)
        self._open.callback(probe.remove)
        self._open.enter_context(dask.config.set(CONFIG))
        self._open.enter_context(dask_log(self._log))
        self._request = SessionRequest(setup, folder, identity, probe)
        self._client = self._open.enter_context(self._connect())
        self._open.callback(self._let_go)
        self._client.subscribe_topic(self._name, self._take)
        self._watch_workers()

    def admit(self, setup: WorkerSetup) -> None:
        """Have all others get ready, too, as `Engine.admit`."""
        if self._request is not None:
            self._request = replace(self._request, setup=setup)
        self._admits_all = True
        self._watch_workers()

    def start(self, worker: str, key: str, name: str, tasks: Sequence[SegmentTask]) -> None:
        """Have a worker go through tasks, as `Engine.start`."""
        session = self._sessions.get(worker)
        if session is not None:  # else it is gone, as will be told
            self._busy[key] = worker
            self._units[key] = self._submit(
                worker_node.run_unit,
                worker,
                f"{key} {self._name}",
                session.key,
                key,
                dumps(tuple(tasks)),
            )

    def drop(self, key: str) -> None:
        """Want a unit no more, as `Engine.drop`."""
        future = self._units.pop(key, None)
        if future is not None and self._is_connected:
            future.cancel()

    def next_event(self, seconds: float) -> Event | None:
        """Wait for what comes next, as `Engine.next_event`."""
        if time.monotonic() - self._watched > WATCH_SECONDS:
            self._watch_workers()
        try:
            event = self._events.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(event.message, UnitEnded):
            self._busy.pop(event.message.key, None)
        # That one is there can be told after it was seen to be gone, and it would never go again.
        is_late = isinstance(event.message, Joined) and event.worker not in self._sessions
        return None if is_late else event

    def close(self) -> None:
        """End all work, and let go of the workers."""
        self._open.close()

    def _let_go(self) -> None:
        """Want nothing any more: sessions end at that, and with them what they work on.

        Then the folder can be swept: a worker may write new files until it notices.
        """
        futures = [*self._units.values(), *self._sessions.values()]
        busy = self._sessions.keys() & self._busy.values()
        self._units.clear()
        self._sessions.clear()
        if self._client is not None and self._is_connected:
            self._client.cancel(futures)
            self._await_ends(busy)

    def _await_ends(self, busy: set[str]) -> None:
        """Return when the sessions of some workers have ended, or do not say so for long."""
        until = time.monotonic() + LET_GO_SECONDS
        while busy and self._is_connected and (left := until - time.monotonic()) > 0:
            with suppress(queue.Empty):
                event = self._events.get(timeout=left)
                if isinstance(event.message, SessionEnded):
                    busy.discard(event.worker)

    @property
    def _is_connected(self) -> bool:
        return self._client is not None and self._client.status == "running"

    def _submit(
        self, work: Callable[..., None], worker: str, key: str, *given: object
    ) -> Future[None]:
        if self._client is None:
            raise ValueError("the engine is not open")
        return self._client.submit(
            work,
            *given,
            key=key,
            workers=[worker],
            allow_other_workers=False,
            pure=False,
        )

    def _watch_workers(self) -> None:
        """See who has come and who has gone."""
        self._watched = time.monotonic()
        error = self._watch()
        present = None if error else self._addresses()
        if present is None:
            self._events.put(Event("", SchedulerLost(error or _lost())))
            return
        for address in self._sessions.keys() - present:
            self._sessions.pop(address).cancel()
            self._events.put(Event(address, Left()))
        for address in sorted(present - self._sessions.keys()):
            first = self._sessions.get(self._first)
            if self._admits_all or first is None or first.done():  # then it takes no part
                self._first = address
                self._begin_session(address)

    def _addresses(self) -> set[str] | None:
        """Return the addresses of all workers that can matte; None: the scheduler is gone."""
        if self._client is None or not self._is_connected:
            return None
        try:
            return present_workers(self._client)
        except (OSError, TimeoutError):
            return None

    def _begin_session(self, address: str) -> None:
        key = f"session of {address} {uuid4().hex}"
        session = self._submit(
            worker_node.serve_session, address, key, self._name, dumps(self._request)
        )
        self._sessions[address] = session
        session.add_done_callback(lambda future: self._note_end(address, future))

    def _note_end(self, address: str, session: Future[None]) -> None:
        """Tell of a session that ended by a fault; of others, the worker has told."""
        if session.status == "error":
            what = f"A fault there: {session.exception()!r}"
            self._events.put(Event(address, Refused(address, MachineUnusableError(what))))
            self._events.put(Event(address, Left()))

    def _take(self, event: tuple[float, tuple[str, bytes]]) -> None:
        """Take a message of a worker; Dask calls this in a thread of its own."""
        worker, data = event[1]
        self._events.put(Event(worker, cast(Message, loads(data))))

    def _log(self, line: str) -> None:
        self._events.put(Event("", Said(line, is_detail=True)))


def present_workers(client: Client) -> set[str]:
    """Return the addresses of a scheduler's workers.

    What the client itself remembers of them, as `scheduler_info`, is of no use: now and then it
    asks for none of them, and remembers that.

    Raises:
        OSError, TimeoutError: the scheduler does not answer.
    """
    if client.scheduler is None:
        raise OSError("the client is closed")
    return set(client.sync(client.scheduler.identity, n_workers=-1)["workers"])


def _lost() -> MattingError:
    return MachineUnusableError(
        "The connection to the scheduler was lost, and with it the workers.",
        "Look whether it still runs. What is done stays done.",
        retry=True,
    )
