"""Which executor a run has: the supervisor of this computer, or the workers that it asks for."""

from __future__ import annotations

from pathlib import Path

from matting.progress import Progress
from matting.workers.executor import Executor, WorkerSetup


def make_executor(setup: WorkerSetup, folder: Path, progress: Progress) -> Executor:
    """Return the executor that a run's options ask for.

    Args:
        folder: the matted folder.
    Raises:
        MissingError: a package for several workers is missing.
        InputError: the scheduler's address or certificates cannot be used.
    """
    if not setup.options.compute.cluster.is_asked_for:
        from matting.workers.supervisor import Supervisor

        return Supervisor(setup, folder, progress)
    # Dask is an extra, which is loaded only where it is asked for.
    from matting.workers.cluster.installed import require_dask

    require_dask()
    from matting.workers.cluster.cluster_executor import ClusterExecutor
    from matting.workers.cluster.engines import make_engine

    return ClusterExecutor(setup, folder, progress, lambda: make_engine(setup, progress))
