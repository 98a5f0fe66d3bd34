"""A scheduler is tried once, and what is wrong is said, instead of trying for ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Scheduler

from matting.errors import InputError
from matting.workers.cluster.certificates import make_certificates, security
from matting.workers.cluster.reachability import require_scheduler
from tests.support.own_loop import run_apart

SECONDS = 0.5
LOOPBACK = "tcp://127.0.0.1:0"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("own", "other"):
        make_certificates(folder / name)
    yield folder


def tried(listening: Path | None, trying: Path | None) -> str:
    """Return why a scheduler with the first certificates is not reached with the second; "" for
    none.
    """

    async def run() -> str:
        protocol = "tcp" if listening is None else "tls"
        async with Scheduler(
            host="127.0.0.1",
            port=0,
            protocol=protocol,
            security=security(listening, "tcp://127.0.0.1:1"),
            dashboard=False,
            dashboard_address="127.0.0.1:0",  # it listens for other questions all the same
        ) as scheduler:
            address = scheduler.address.replace("tls://", "tcp://")
            try:
                used = await asyncio.to_thread(require_scheduler, address, trying, SECONDS)
            except InputError as error:
                return str(error)
            assert used == scheduler.address
            return ""

    return run_apart(run())


def test_one_that_fits_is_reached(keys: Path) -> None:
    assert tried(None, None) == ""
    assert tried(keys / "own", keys / "own") == ""


def test_other_certificates_are_said_to_be(keys: Path) -> None:
    assert "another certificate" in tried(keys / "own", keys / "other")


def test_one_without_encryption_is_said_to_be(keys: Path) -> None:
    assert "does not answer with encryption" in tried(None, keys / "own")


def test_one_that_waits_for_encryption_is_guessed(keys: Path) -> None:
    assert "without --certificates" in tried(keys / "own", None)


def test_nothing_that_listens_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(InputError, match="Nothing listens"):
        require_scheduler(f"127.0.0.1:{port}", None, SECONDS)


def test_a_listener_that_hangs_up_is_no_scheduler() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        port = server.getsockname()[1]

        async def run() -> None:
            trying = asyncio.to_thread(require_scheduler, f"127.0.0.1:{port}", None, 5.0)
            task = asyncio.create_task(trying)
            connection, _ = await asyncio.to_thread(server.accept)
            connection.close()
            await task

        with pytest.raises(InputError, match="hangs up"):
            run_apart(run())


def test_a_name_that_nobody_has_is_said_to_be(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(InputError, match="no computer render-pc"):
        require_scheduler("render-pc", keys / "own", SECONDS)
