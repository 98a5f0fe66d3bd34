"""A loop in a thread of its own ends with its block, whatever is left in it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from matting.workers.cluster.loop_thread import LoopThread


async def answer(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def fail() -> None:
    raise ValueError("why")


def test_what_it_returns_and_raises_arrives() -> None:
    with LoopThread("loop") as loop:
        assert loop.call(answer(5), 5) == 5
        with pytest.raises(ValueError, match="why"):
            loop.call(fail(), 5)
    assert "loop" not in {thread.name for thread in threading.enumerate()}


def test_what_takes_too_long_is_cancelled() -> None:
    cancelled = threading.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with LoopThread("loop") as loop:
        with pytest.raises(TimeoutError):
            loop.call(hang(), 0.05)
        assert cancelled.wait(5)


def test_what_is_left_ends_with_it() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def stay() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with LoopThread("loop") as loop:
        left = loop.start(stay())
        assert begun.wait(5)
    assert ended.is_set()
    assert left.cancelled()
