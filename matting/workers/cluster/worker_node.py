"""A worker of a Dask cluster that mattes: what runs in it, and what keeps it in the cluster.

Dask connects, secures and watches; what is matted where, the run decides. The network itself runs
in a process of its own, under a supervisor, so that a crash or a hang of it costs one segment.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import distributed
from distributed import Security, Status, get_worker

from matting.errors import InputError
from matting.progress import Progress
from matting.workers.cluster.certificates import listening, require_safe_address, security
from matting.workers.cluster.dask_log import dask_log
from matting.workers.cluster.loop_thread import POLL_SECONDS, LoopThread
from matting.workers.cluster.messages import Message
from matting.workers.cluster.portable_paths import PathMapping, dumps, loads
from matting.workers.cluster.reachability import require_scheduler
from matting.workers.cluster.sentences import Sentences
from matting.workers.cluster.session import Node, Session
from matting.workers.cluster.worker_names import name_here

# A session takes a thread, and so does each unit, which only waits.
THREADS = 16
JOIN_SECONDS, REJOIN_SECONDS, LEAVE_SECONDS = 30.0, 2.0, 10.0
NODE = "matting_node"  # the attribute of Dask's worker
# The sessions that are served in this process, by the keys of their tasks. For a moment, a run can
# have two at one worker: where it took the worker for gone, and the first has not noticed yet.
SESSIONS: dict[str, Session] = {}
CONFIG = {
    "distributed.worker.profile.enabled": False,  # it would look at waiting threads all the time
    "distributed.worker.memory.target": False,  # what is large is in another process
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
}


def serve_worker(
    address: str,
    *,
    device: str,
    checkpoint: Path | None,
    mapping: PathMapping,
    certificates: Path | None,
    threads: int | None,
    progress: Progress,
) -> None:
    """Be a worker of a scheduler until Ctrl-C; where the scheduler goes, wait for it to come back.

    Args:
        device: by a name that `choose_device` takes.
        checkpoint, mapping, threads: as of `Node`.
        certificates: the folder with them; None: only on this computer.
    Raises:
        InputError: the address or the certificates cannot be used.
        KeyboardInterrupt: always, at the end.
    """
    address = require_safe_address(address, certificates)
    node = Node(name_here(device), device, checkpoint, mapping, threads)

    def why_not() -> str:
        try:
            require_scheduler(address, certificates)
        except InputError as error:
            return str(error).replace("\n", " ")
        return ""

    serve_node(node, address, security(certificates, address), progress, why_not)


def serve_node(
    node: Node,
    address: str,
    secured_by: Security,
    progress: Progress,
    why_not: Callable[[], str] = str,
) -> None:
    """Be a worker until Ctrl-C, or until the process ends.

    Args:
        address: a safe one.
        why_not: returns in a sentence why the scheduler cannot be joined; "": it seems to be fine.
    """
    sentences = Sentences(progress)
    with dask_log(sentences.detail), dask.config.set(CONFIG), LoopThread("worker") as loop:
        stop = threading.Event()
        staying = loop.start(Stay(node, address, secured_by, sentences, stop, why_not).stay())
        try:
            while not staying.done():
                sentences.show_next()
            staying.result()
        finally:
            stop.set()
            with suppress(concurrent.futures.TimeoutError):
                staying.exception(LEAVE_SECONDS)


@dataclass
class Stay:
    """A worker that joins, and joins again when the connection was lost, until it is to stop."""

    node: Node
    address: str
    secured_by: Security
    sentences: Sentences
    stop: threading.Event
    why_not: Callable[[], str]
    said: str = ""

    async def stay(self) -> None:
        while not self.stop.is_set():
            # Dask tries for half a minute before it gives up, and does not say why.
            why = await asyncio.to_thread(self.why_not)
            if not why:
                await self._join_once()
                why = f"The connection to {self.address} was lost."
            if not self.stop.is_set():
                self._say(f"{why} Trying again until it works.")
                await asyncio.sleep(REJOIN_SECONDS)

    async def _join_once(self) -> None:
        """Be a worker until the connection is lost, or it is to stop."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the disk is slow, as it is on a busy computer
            worker = distributed.Worker(
                self.address,
                nthreads=THREADS,
                security=self.secured_by,
                memory_limit=0,
                **listening(self.address),
            )
        setattr(worker, NODE, self.node)
        try:
            await asyncio.wait_for(worker.start(), JOIN_SECONDS)
            self._say(f"{self.node.name} is ready for the jobs of {self.address}. Ctrl-C ends it.")
            while not self.stop.is_set() and worker.status == Status.running:
                await asyncio.sleep(POLL_SECONDS)
        except (OSError, asyncio.TimeoutError, RuntimeError) as error:
            self.sentences.detail(f"{self.address}: {error}")
        finally:
            with suppress(OSError, asyncio.TimeoutError, RuntimeError):
                await worker.close(timeout=LEAVE_SECONDS / 2, executor_wait=False, reason="left")

    def _say(self, text: str) -> None:
        if text != self.said:
            self.sentences.say(text)
        self.said = text


def serve_session(topic: str, request: bytes) -> None:
    """Serve a run in this worker, as long as it wants: a task that runs for all that time.

    Args:
        topic: of what the run is told.
    """
    worker = get_worker()
    node = getattr(worker, NODE)
    task = str(worker.get_current_task())
    session = Session(node, _loaded(request, node), _sender(worker, topic, node))
    SESSIONS[task] = session
    try:
        session.serve(lambda: _is_wanted(worker, task))
    finally:
        del SESSIONS[task]


def run_unit(session: str, key: str, tasks: bytes) -> None:
    """Have a session go through a unit: a task that lasts until the unit is at its end.

    Args:
        session: the key of its task.
        key: the unit's.
    """
    worker = get_worker()
    task = str(worker.get_current_task())
    own = SESSIONS.get(session)
    if own is not None:  # else the session is over, as the run is told
        unit = _loaded(tasks, getattr(worker, NODE))
        own.host.run(key, unit, lambda: _is_wanted(worker, task))


def _loaded(data: bytes, node: Node) -> Any:
    return loads(data, node.mapping)


def _sender(worker: Any, topic: str, node: Node) -> Callable[[Message], None]:
    def send(message: Message) -> None:
        with suppress(OSError):  # the connection is lost, and so is the session
            worker.log_event(topic, (worker.address, dumps(message, node.mapping)))

    return send


def _is_wanted(worker: Any, task: str) -> bool:
    """Return whether a task is still wanted by whoever started it, and the scheduler there."""
    state = worker.state.tasks.get(task)
    is_there = worker.status in {Status.running, Status.paused}
    return is_there and state is not None and state.state == "executing"
