"""A scheduler of Dask, and workers, in threads of this process: a cluster that starts at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dask
from distributed import Client, Scheduler, Worker

from matting.progress import Progress
from matting.workers.cluster import worker_node
from matting.workers.cluster.certificates import listening, security
from matting.workers.cluster.loop_thread import LoopThread
from matting.workers.cluster.scheduler_node import running_scheduler
from matting.workers.cluster.sentences import Sentences
from matting.workers.cluster.session import Node

SECONDS = 60.0  # for each step, on a busy machine
# What each worker's computer does for Dask's pages takes turns here: with 64 workers, looking at
# the process and at the loop took 40 % of the processor time (169 -> 97 s for 1,280 segments).
CONFIG = {
    **worker_node.CONFIG,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "1s",
}


class InProcessCluster:
    """A scheduler that listens on this computer only, and the workers that were added."""

    def __init__(self, scheduler: Scheduler, loop: LoopThread) -> None:
        self.scheduler = scheduler
        self.address = str(scheduler.address)
        self._loop = loop
        self._workers: list[Worker] = []

    def add(self, node: Node) -> str:
        """Have one more worker join; return its address."""
        worker = self._loop.call(_start(self.address, node), SECONDS)
        self._workers.append(worker)
        return str(worker.address)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Connect, for as long as the block lasts."""
        with Client(self.address, timeout=SECONDS) as client:
            yield client

    def disconnect_workers(self) -> None:
        """Have the scheduler give up all workers, as where nothing was heard of them for long."""
        self.scheduler.loop.add_callback(
            self.scheduler.restart_workers,
            list(self.scheduler.workers),
            wait_for_workers=False,
            stimulus_id="given up",
        )

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            self._loop.call(worker.close(executor_wait=False), SECONDS)


@contextmanager
def cluster_in_process() -> Iterator[InProcessCluster]:
    """Run a scheduler, and the workers that are added, for as long as the block lasts."""
    with (
        dask.config.set(CONFIG),
        running_scheduler(free_address(), None, Sentences(Progress())) as scheduler,
        LoopThread("workers") as loop,
    ):
        cluster = InProcessCluster(scheduler, loop)
        try:
            yield cluster
        finally:
            cluster.close()


@contextmanager
def staying_worker(
    node: Node,
    address: str,
    certificates: Path | None = None,
    enter: Callable[[], object] = lambda: None,
    progress: Progress | None = None,
) -> Iterator[Sentences]:
    """Run a worker that joins again and again, in this process; yield what it says.

    Args:
        enter: called in its thread before anything else.
        progress: where that can be shown.
    """
    sentences = Sentences(progress or Progress())
    stop = threading.Event()
    secured_by = security(certificates, address)
    stay = worker_node.Stay(node, address, secured_by, sentences, stop, str)

    async def enter_and_stay() -> None:
        enter()
        await stay.stay()

    with dask.config.set(CONFIG), LoopThread("staying worker") as loop:
        staying = loop.start(enter_and_stay())
        try:
            yield sentences
        finally:
            stop.set()
            staying.result(SECONDS)


def free_address() -> str:
    """Return an address of this computer at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"


async def _start(address: str, node: Node) -> Worker:
    worker = Worker(address, nthreads=worker_node.THREADS, memory_limit=0, **listening(address))
    setattr(worker, worker_node.NODE, node)
    await worker.start()
    return worker
