"""A cluster on this computer, for as long as a run lasts: a scheduler, and a process a device."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from multiprocessing.process import BaseProcess

from distributed import Client, LocalCluster, Security

from matting.errors import MachineUnusableError, MattingError
from matting.progress import Progress
from matting.system.lifetimes import end_with_parent
from matting.system.subprocesses import process_context, start
from matting.workers.cluster.session import Node
from matting.workers.cluster.worker_names import local_names
from matting.workers.cluster.worker_node import serve_node
from matting.workers.supervisor import TRIES

HOST = "127.0.0.1"
STOP_SECONDS = 10.0
# A worker that ends sooner has not begun: Python and Dask are there after seconds, on a busy
# computer after half a minute.
BEGUN_SECONDS = 60.0


@dataclass
class _LocalWorker:
    """A device of this computer, and the process that serves it.

    Attributes:
        started: when that was started, in seconds of a monotonic clock.
        ended: how many processes have ended by themselves before they had begun, in a row.
    """

    node: Node
    process: BaseProcess | None = None
    started: float = 0.0
    ended: int = 0


@dataclass
class LocalWorkers:
    """The workers of one run on this computer's devices."""

    devices: Sequence[str]
    threads: int | None
    progress: Progress
    _workers: list[_LocalWorker] = field(default_factory=list)
    _address: str = ""
    _security: Security | None = None

    @contextmanager
    def connect(self) -> Iterator[Client]:
        """Start the scheduler and the workers, for as long as the block lasts."""
        # Without encryption, other users of this computer could have their code run by this one.
        self._security = Security.temporary()
        with LocalCluster(
            n_workers=0,
            host=HOST,
            protocol="tls",
            security=self._security,
            dashboard_address=f"{HOST}:0",
            silence_logs=False,
        ) as cluster:
            self._address = cluster.scheduler_address
            if find_spec("bokeh") is not None:
                self.progress.say(f"What goes on, in a browser: {cluster.dashboard_link}")
            self._workers = [
                _LocalWorker(Node(name, device, threads=self.threads))
                for name, device in zip(local_names(self.devices), self.devices, strict=True)
            ]
            try:
                for worker in self._workers:
                    self._start(worker)
                with Client(cluster, security=self._security) as client:
                    yield client
            finally:
                self._stop()

    def watch(self) -> MattingError | None:
        """Start again what has ended; return why there can be no workers any more."""
        for worker in self._workers:
            if worker.process is not None and not worker.process.is_alive():
                worker.process.join()
                worker.process.close()
                worker.process = None
                had_begun = time.monotonic() - worker.started > BEGUN_SECONDS
                worker.ended = 0 if had_begun else worker.ended + 1
                if worker.ended < TRIES:
                    self._start(worker)
                else:
                    self.progress.say(
                        f"{worker.node.name} takes no part: its process ends as soon as it begins."
                    )
        if all(worker.process is None for worker in self._workers):
            return MachineUnusableError(
                f"The workers on {', '.join(self.devices)} end as soon as they begin.",
                "Restart the computer; what is done stays done.",
            )
        return None

    def _start(self, worker: _LocalWorker) -> None:
        process = process_context().Process(
            target=serve_local, args=(worker.node, self._address, self._security)
        )
        start(process)
        worker.process, worker.started = process, time.monotonic()

    def _stop(self) -> None:
        processes = [worker.process for worker in self._workers if worker.process is not None]
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(STOP_SECONDS)
            if process.is_alive():
                process.kill()
                process.join(STOP_SECONDS)
        self._workers = []


def serve_local(node: Node, address: str, secured_by: Security) -> None:
    """Be a worker for as long as the process that started this one is there."""
    end_with_parent()
    serve_node(node, address, secured_by, Progress())
