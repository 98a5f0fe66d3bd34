"""The scheduler listens where it is told to, says how it is reached, and ends with Ctrl-C."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from distributed import Client, Scheduler, Worker

from matting.errors import InputError, MattingError
from matting.progress import Progress
from matting.workers.cluster.certificates import make_certificates, security
from matting.workers.cluster.scheduler_node import running_scheduler, serve_scheduler
from matting.workers.cluster.sentences import Sentences
from tests.support.own_loop import run_apart


class Listener(Progress):
    """Keeps what is said, and interrupts where it is told to."""

    def __init__(self, interrupting: str = "") -> None:
        self.said: list[str] = []
        self.details: list[str] = []
        self._interrupting = interrupting

    def say(self, text: str) -> None:
        self.said.append(text)
        if self._interrupting and self._interrupting in text:
            raise KeyboardInterrupt

    def detail(self, text: str) -> None:
        self.details.append(text)


@pytest.fixture
def address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def join_and_leave(scheduler: Scheduler, certificates: Path | None) -> None:
    """Be a worker and a job for a moment."""

    async def run() -> None:
        own = security(certificates, scheduler.address)
        async with (
            Worker(scheduler.address, security=own, dashboard_address="127.0.0.1:0", nthreads=1),
            Client(scheduler.address, security=own, asynchronous=True, timeout=10) as client,
        ):
            assert await client.submit(sum, [1, 2]) == 3

    run_apart(run())


def until(condition: Callable[[], bool], sentences: Sentences) -> None:
    """Show news until a condition holds."""
    for _ in range(100):
        if condition():
            return
        sentences.show_next()
    pytest.fail("no such news")


@pytest.mark.parametrize("encrypted", [False, True])
def test_who_comes_and_goes_is_told(encrypted: bool, address: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys" if encrypted else None
    if keys is not None:
        make_certificates(keys)
        address = address.replace("tcp", "tls")
    before = {name: logging.getLogger(name).handlers[:] for name in ("distributed", "tornado")}
    listener = Listener()
    sentences = Sentences(listener)
    with running_scheduler(address, keys, sentences) as scheduler:
        assert scheduler.address == address
        page = scheduler.services["dashboard"]
        assert page.address == "127.0.0.1"
        others = threading.Thread(target=join_and_leave, args=(scheduler, keys))
        others.start()
        until(lambda: any("has left" in text for text in listener.said), sentences)
        others.join()
    assert [text.split(",")[0] for text in listener.said] == [
        "A worker has joined",
        "A worker has left",
    ]
    assert "1 worker now" in listener.said[0]
    assert "0 workers now" in listener.said[1]
    assert any("distributed.scheduler" in text for text in listener.details)
    assert scheduler.status.name == "closed"
    assert before == {name: logging.getLogger(name).handlers for name in before}


def test_it_says_how_it_is_reached_and_ends_when_it_is_interrupted(address: str) -> None:
    listener = Listener("/status")
    with pytest.raises(KeyboardInterrupt):
        serve_scheduler(address, None, listener)
    assert address in listener.said[0]
    lines = [text for text in listener.said if text.startswith("  ")]
    assert any(f"worker {address}" in line for line in lines)
    assert any(f"--workers {address}" in line for line in lines)
    assert "scheduler" not in {thread.name for thread in threading.enumerate()}
    with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))):
        pass  # its port is free again


def refusal(address: str, certificates: Path | None = None) -> MattingError:
    with pytest.raises(MattingError) as info:
        serve_scheduler(address, certificates, Progress())
    return info.value


def test_a_port_in_use_is_said_to_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        error = refusal(f"tcp://127.0.0.1:{server.getsockname()[1]}")
    assert isinstance(error, InputError)
    assert "in use" in error.what


def test_an_address_of_another_computer_is_said_to_be(tmp_path: Path) -> None:
    make_certificates(tmp_path / "keys")
    error = refusal("tcp://192.0.2.77:8786", tmp_path / "keys")  # for documentation only
    assert isinstance(error, InputError)
    assert "no address of this computer" in error.what


def test_the_network_is_not_listened_to_without_certificates() -> None:
    assert refusal("tcp://0.0.0.0:8786").option == "--certificates"
