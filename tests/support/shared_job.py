"""A job of several shots that plain `infer` has matted, for others to matte."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from distributed import Client

from benchmarks.cluster.in_process import InProcessCluster
from matting.infer import infer
from matting.options import MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.paths import MattedFolder
from matting.workers.cluster.cluster_executor import ClusterExecutor
from matting.workers.cluster.dask_engine import DaskEngine
from matting.workers.executor import WorkerSetup
from tests.support.recorder import Recorder
from tests.support.stages import processed

KINDS = (OutputKind.COMPOSITE, OutputKind.MATTE)


@dataclass(frozen=True)
class Job:
    """A folder of segments, and what is to come of it."""

    segments: Path
    options: MattingOptions
    plain: dict[str, bytes]

    def run_on(self, cluster: InProcessCluster, progress: Recorder) -> dict[str, bytes]:
        """Have the workers of a cluster in this process matte it; return the results."""
        return self.run_over(cluster.client, progress)

    def run_over(
        self, connect: Callable[[], AbstractContextManager[Client]], progress: Recorder
    ) -> dict[str, bytes]:
        """Have the workers of a scheduler matte it; return the results.

        Args:
            connect: connects to the scheduler.
        """

        def executor(setup: WorkerSetup, folder: Path, progress: Progress) -> ClusterExecutor:
            return ClusterExecutor(setup, folder, progress, lambda: DaskEngine(connect))

        return results(infer(self.segments, self.options, None, progress, executor))


def results(folder: MattedFolder) -> dict[str, bytes]:
    assert all(processed(folder).values())
    assert not list(folder.root.rglob("*.partial"))
    files = [path for kind in KINDS for path in folder.output_folder(kind).iterdir()]
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in files}


def once(act: Callable[[], object]) -> Callable[[], None]:
    """Return a callback that acts when it is called first."""
    pending = [act]

    def call() -> None:
        if pending:
            pending.pop()()

    return call
