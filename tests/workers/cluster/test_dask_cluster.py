"""Real workers of Dask make of a job what plain `infer` makes of it, whatever becomes of them."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dask
import pytest
from distributed import Client

from benchmarks.cluster.in_process import (
    InProcessCluster,
    cluster_in_process,
    free_address,
    staying_worker,
)
from matting.cluster_options import ClusterOptions
from matting.infer import infer
from matting.progress import Progress
from matting.workers.cluster import dask_engine, worker_node
from matting.workers.cluster.dask_engine import present_workers
from matting.workers.cluster.portable_paths import PathMapping
from matting.workers.cluster.scheduler_node import running_scheduler
from matting.workers.cluster.sentences import Sentences
from matting.workers.cluster.session import Node
from tests.support.recorder import Recorder
from tests.support.shared_job import Job, once, results
from tests.support.stages import with_compute


@pytest.fixture
def cluster() -> Iterator[InProcessCluster]:
    with cluster_in_process() as own:
        yield own


class Listener(Recorder):
    """Acts, once for each, when a sentence with certain words is said."""

    def __init__(self, acts: dict[str, Callable[[], object]]) -> None:
        super().__init__()
        self.acts = acts

    def say(self, text: str) -> None:
        super().say(text)
        for words in [words for words in self.acts if words in text]:
            self.acts.pop(words)()


def test_workers_that_do_not_fit_are_refused_by_name_and_others_take_part(
    cluster: InProcessCluster, job: Job, tmp_path: Path, random_checkpoint: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    elsewhere = PathMapping.parse([f"{job.segments.parent}={tmp_path / 'elsewhere'}"])
    cluster.add(Node("old", "cpu", checkpoint=random_checkpoint))
    progress = Listener(
        {
            "old takes no part": lambda: cluster.add(Node("far", "cpu", mapping=elsewhere)),
            "far takes no part": lambda: [cluster.add(Node(name, "cpu")) for name in ("a", "b")],
        }
    )
    assert job.run_on(cluster, progress) == job.plain
    assert progress.mentions("old takes no part: This computer differs from the job in the network")
    assert progress.mentions("far takes no part: The job's folder is not seen here")
    assert progress.mentions("a takes part")
    assert progress.mentions("b takes part")


def test_a_worker_whose_connection_is_lost_comes_back_to_the_same_run(
    cluster: InProcessCluster, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_node, "REJOIN_SECONDS", 0.05)
    progress = Recorder()
    progress.on_segment_end = once(cluster.disconnect_workers)
    with staying_worker(Node("one", "cpu"), cluster.address):
        assert job.run_on(cluster, progress) == job.plain
    assert progress.mentions("one is gone")
    assert sum("one takes part" in text for text in progress.said) == 2


def test_no_worker_is_missed_whatever_else_asks_for_them(cluster: InProcessCluster) -> None:
    often = {"distributed.client.scheduler-info-interval": "1ms"}  # Dask's client itself
    address = cluster.add(Node("one", "cpu"))
    with dask.config.set(often), cluster.client() as client:
        assert all(present_workers(client) == {address} for _ in range(300))


def test_a_worker_that_was_taken_for_gone_takes_part_again(
    cluster: InProcessCluster, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add(Node("one", "cpu"))
    missed: list[set[str]] = []
    progress = Recorder()
    progress.on_segment_end = once(lambda: missed.append(set()))
    monkeypatch.setattr(dask_engine, "WATCH_SECONDS", 0.0)
    monkeypatch.setattr(
        dask_engine,
        "present_workers",
        lambda client: missed.pop() if missed else present_workers(client),
    )
    assert job.run_on(cluster, progress) == job.plain
    assert progress.mentions("one is gone")
    assert not progress.mentions("takes no part")
    assert sum("one takes part" in text for text in progress.said) == 2


def test_what_workers_write_after_an_interruption_is_removed(
    cluster: InProcessCluster, job: Job
) -> None:
    for name in ("a", "b"):
        cluster.add(Node(name, "cpu"))

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    progress = Recorder()
    progress.on_advance = interrupt
    with pytest.raises(KeyboardInterrupt):
        job.run_on(cluster, progress)
    while worker_node.SESSIONS:
        time.sleep(0.01)
    assert not list(job.segments.parent.rglob("*.partial"))


def test_a_worker_joins_again_when_its_scheduler_has_gone_and_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_node, "REJOIN_SECONDS", 0.05)
    address = free_address()
    progress = Recorder()
    with staying_worker(Node("one", "cpu"), address, progress=progress) as sentences:
        for times in (1, 2):
            with running_scheduler(address, None, Sentences(Progress())) as scheduler:
                while sum("ready for the jobs" in text for text in progress.said) < times:
                    sentences.show_next()
                assert len(scheduler.workers) == 1
            while sum("was lost" in text for text in progress.said) < times:
                sentences.show_next()


def test_a_cluster_on_this_computer_outlives_the_death_of_a_worker(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(multiprocessing.active_children())
    progress = Recorder()
    seen: set[str] = set()
    missed: set[str] = set()  # who was there before the death, until one of them is gone

    def kill_the_first_that_took_part() -> None:
        first = next(text for text in progress.said if "takes part" in text)
        processes = set(multiprocessing.active_children()) - before
        in_order = sorted(processes, key=lambda process: int(process.name.rpartition("-")[2]))
        in_order[("cpu (1)", "cpu (2)").index(first.removesuffix(" takes part."))].kill()
        missed.update(seen)

    def see(client: Client) -> set[str]:
        """Notice the death at once: a small job may be done within the second it may take."""
        while missed and missed <= present_workers(client):
            continue
        missed.clear()
        seen.clear()
        seen.update(present_workers(client))
        return set(seen)

    monkeypatch.setattr(dask_engine, "WATCH_SECONDS", 0.0)
    monkeypatch.setattr(dask_engine, "present_workers", see)
    progress.on_segment_end = once(kill_the_first_that_took_part)
    both = with_compute(job.options, cluster=ClusterOptions(devices=("cpu", "cpu")))
    assert results(infer(job.segments, both, None, progress)) == job.plain
    assert progress.mentions("is gone")
    assert sum("takes part" in text for text in progress.said) >= 2
    assert not set(multiprocessing.active_children()) - before
