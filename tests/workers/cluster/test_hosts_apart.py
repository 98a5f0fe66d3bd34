"""Workers on made-up hosts, behind a network that is slow, loses packets, and is cut for a while.

It takes network namespaces. The whole measurement is `python -m benchmarks.cluster`.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import Client

from benchmarks.cluster.in_process import free_address, staying_worker
from benchmarks.cluster.lossy_link import Link, linked_host, why_not_here
from matting.progress import Progress
from matting.workers.cluster.certificates import make_certificates, security
from matting.workers.cluster.scheduler_node import running_scheduler
from matting.workers.cluster.sentences import Sentences
from matting.workers.cluster.session import Node
from tests.support.recorder import Recorder
from tests.support.shared_job import Job, once

CUT_SECONDS = 3.0
SECONDS = 60.0


def cut_for_a_while(link: Link) -> None:
    link.cut()
    threading.Timer(CUT_SECONDS, link.mend).start()


def test_workers_behind_a_network_that_fails_make_what_plain_infer_makes(
    job: Job, tmp_path: Path
) -> None:
    if why := why_not_here():
        pytest.skip(why)
    certificates, port = tmp_path / "certificates", free_address().rpartition(":")[2]
    make_certificates(certificates)
    progress = Recorder()
    with ExitStack() as network:
        links = [network.enter_context(linked_host(number, 0.05, 0.01)) for number in range(2)]
        scheduler = f"tls://0.0.0.0:{port}"
        network.enter_context(running_scheduler(scheduler, certificates, Sentences(Progress())))
        for link in links:
            address = f"tls://{link.here}:{port}"
            node = Node(link.host, "cpu")
            network.enter_context(staying_worker(node, address, certificates, link.enter))
        address = f"tls://{links[0].here}:{port}"

        def connect() -> Client:
            secured_by = security(certificates, address)
            return Client(address, security=secured_by, timeout=SECONDS)

        progress.on_segment_end = once(lambda: cut_for_a_while(links[1]))
        assert job.run_over(connect, progress) == job.plain
    for link in links:
        assert progress.mentions(f"{link.host} takes part")
        assert link.passed
        assert link.lost
