"""Sentences on several workers can be told apart, also where they share a device."""

from __future__ import annotations

import socket

import pytest

from matting.workers.cluster.worker_names import HOST, local_names, name_here


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:10"])
def test_two_workers_of_one_device_have_names_of_their_own(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = name_here(device)
    assert own == name_here(device)
    assert own.startswith(f"{socket.gethostname()} ({device},")
    assert HOST.findall(f"{own}: What it says (or not).") == [socket.gethostname()]
    monkeypatch.setattr("os.getpid", lambda: 4711)
    assert own != name_here(device)


def test_devices_of_one_run_are_numbered_where_the_same_is_named_twice() -> None:
    assert local_names(["cuda:0", "cpu", "cpu"]) == ["cuda:0", "cpu (1)", "cpu (2)"]
