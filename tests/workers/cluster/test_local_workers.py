"""Each device of this computer has a process, which is started again where that is of use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from matting.errors import MachineUnusableError
from matting.workers.cluster import local_workers
from matting.workers.cluster.local_workers import BEGUN_SECONDS, LocalWorkers
from matting.workers.cluster.session import Node
from matting.workers.supervisor import TRIES
from tests.support.recorder import Recorder


class Process:
    """A process that does nothing, and ends when it is told to."""

    def __init__(self, target: object, args: tuple[Node, str, object]) -> None:
        self.node = args[0]
        self.alive = True

    def is_alive(self) -> bool:
        return self.alive

    def terminate(self) -> None:
        self.alive = False

    def join(self, _seconds: float = 0) -> None: ...

    def close(self) -> None: ...


class Devices:
    """Two devices, of the same kind, with a clock that stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.started: list[Process] = []
        self.progress = Recorder()
        self.workers = LocalWorkers(("cpu", "cpu"), None, self.progress)
        cluster = SimpleNamespace(scheduler_address="tls://127.0.0.1:1", dashboard_link="")
        for name, replacement in (
            ("LocalCluster", lambda **_: nullcontext(cluster)),
            ("Client", lambda *_, **__: nullcontext()),
            ("Security", SimpleNamespace(temporary=lambda: None)),
            ("process_context", lambda: SimpleNamespace(Process=Process)),
            ("start", self.started.append),
            ("time", SimpleNamespace(monotonic=lambda: self.now)),
        ):
            monkeypatch.setattr(local_workers, name, replacement)

    def of(self, name: str) -> list[Process]:
        return [process for process in self.started if process.node.name == name]

    def end(self, name: str) -> None:
        """Have the process of a device end by itself."""
        self.of(name)[-1].alive = False


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> Iterator[Devices]:
    own = Devices(monkeypatch)
    with own.workers.connect():
        yield own
    assert not any(process.alive for process in own.started)


def test_what_ends_before_it_has_begun_is_started_a_few_times_only(devices: Devices) -> None:
    for _ in range(TRIES):
        assert devices.workers.watch() is None
        devices.now += BEGUN_SECONDS / (TRIES + 1)
        devices.end("cpu (1)")
    assert devices.workers.watch() is None  # the other one goes on
    assert len(devices.of("cpu (1)")) == TRIES
    assert len(devices.of("cpu (2)")) == 1
    for _ in range(TRIES):
        assert devices.workers.watch() is None
        devices.end("cpu (2)")
    error = devices.workers.watch()
    assert isinstance(error, MachineUnusableError)
    assert len(devices.started) == 2 * TRIES


def test_that_a_device_is_given_up_is_said_once(devices: Devices) -> None:
    for _ in range(TRIES):
        devices.workers.watch()
        devices.end("cpu (1)")
    for _ in range(3):
        devices.workers.watch()
    (said,) = (text for text in devices.progress.said if "takes no part" in text)
    assert "cpu (1)" in said


def test_what_had_begun_is_started_again_however_often_it_ends(devices: Devices) -> None:
    for _ in range(TRIES - 1):  # these count no more when it has begun once
        devices.end("cpu (1)")
        devices.workers.watch()
    for count in range(3 * TRIES):
        devices.now += BEGUN_SECONDS + 1
        devices.end("cpu (1)")
        assert devices.workers.watch() is None
        assert len(devices.of("cpu (1)")) == TRIES + 1 + count
