"""An event loop of its own for a test: in the main thread, another test's browser may have one."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from matting.workers.cluster.loop_thread import LoopThread

LONGEST_SECONDS = 60.0

A = TypeVar("A")


def run_apart(work: Coroutine[Any, Any, A]) -> A:
    """Return what something does in a loop of its own, in another thread."""
    with LoopThread("test") as loop:
        return loop.call(work, LONGEST_SECONDS)
