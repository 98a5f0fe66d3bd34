"""What a worker does until its scheduler can be joined."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from distributed import Security

from matting.progress import Progress
from matting.workers.cluster.session import Node
from matting.workers.cluster.worker_node import serve_node

ADDRESS = "tcp://127.0.0.1:8786"


class _HeardError(Exception):
    """What was waited for was said."""


class _Listener(Progress):
    """Ends all at the first sentence."""

    def say(self, text: str) -> None:
        raise _HeardError(text)


def test_why_a_scheduler_cannot_be_joined_is_said_before_it_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> Iterator[None]:
        raise AssertionError("nothing is there to be joined")

    monkeypatch.setattr("distributed.Worker", refuse)
    node = Node("cpu", "cpu")
    with pytest.raises(_HeardError, match=r"Nobody is there\. Trying again"):
        serve_node(node, ADDRESS, Security(), _Listener(), lambda: "Nobody is there.")
