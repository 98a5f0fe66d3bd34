"""Without encryption, nothing can be reached from outside of this computer."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
from distributed import Scheduler, Worker

from matting.workers.cluster.certificates import listening, make_certificates, security
from tests.support.own_loop import run_apart


def listened_to(host: str, protocol: str, certificates: Path | None) -> set[str]:
    """Return the addresses at which a worker listens in this process."""

    def listeners() -> set[tuple[str, int]]:
        every = psutil.Process(os.getpid()).net_connections("tcp")
        return {tuple(one.laddr) for one in every if one.status == psutil.CONN_LISTEN}

    async def run() -> set[str]:
        async with Scheduler(
            host=host,
            port=0,
            protocol=protocol,
            security=security(certificates, f"tcp://{host}:1"),
            dashboard_address="127.0.0.1:0",
            dashboard=False,
        ) as scheduler:
            before = listeners()
            own = security(certificates, scheduler.address)
            async with Worker(
                scheduler.address, security=own, nthreads=1, **listening(scheduler.address)
            ) as worker:
                assert worker.address.startswith(f"{protocol}://{host}:")
                return {ip for ip, _ in listeners() - before}

    return run_apart(run())


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_worker_without_encryption_listens_to_this_computer_alone(host: str) -> None:
    assert listened_to(host, "tcp", None) <= {"127.0.0.1", "::1"}


def test_a_worker_with_certificates_listens_to_others(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    assert listened_to("127.0.0.1", "tls", tmp_path) >= {"0.0.0.0"}
