"""Which workers a run asks for: those of a running scheduler, or one for each of its devices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from distributed import Client

from matting.cluster_options import CERTIFICATES_OPTION, ClusterOptions
from matting.progress import Progress
from matting.system.invocation import program_line
from matting.workers.cluster.certificates import security
from matting.workers.cluster.dask_engine import DaskEngine, present_workers
from matting.workers.cluster.local_workers import LocalWorkers
from matting.workers.cluster.reachability import require_scheduler
from matting.workers.executor import WorkerSetup

CONNECT_SECONDS = 30.0


def make_engine(setup: WorkerSetup, progress: Progress) -> DaskEngine:
    """Return the engine that a run's options ask for, not opened yet."""
    compute = setup.options.compute
    cluster = compute.cluster
    if cluster.scheduler:
        return DaskEngine(lambda: _connected(cluster, progress))
    workers = LocalWorkers(cluster.devices, compute.threads, progress)
    return DaskEngine(workers.connect, workers.watch, len(cluster.devices))


@contextmanager
def _connected(cluster: ClusterOptions, progress: Progress) -> Iterator[Client]:
    """Connect to a running scheduler for as long as the block lasts.

    Raises:
        InputError: nothing answers there, or the certificates cannot be used.
    """
    address = require_scheduler(cluster.scheduler, cluster.certificates)
    secured_by = security(cluster.certificates, address)
    with Client(address, security=secured_by, timeout=CONNECT_SECONDS) as client:
        if not present_workers(client):
            given = cluster.certificates
            options = [] if given is None else [CERTIFICATES_OPTION, given]
            progress.say(
                f"{address} has no workers yet. To start one, on any computer: "
                f"{program_line('worker', address, *options)}"
            )
        yield client
