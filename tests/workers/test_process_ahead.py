"""A worker's process can be started before it is known what it is to do."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

from matting.workers.process_ahead import (
    SOON_CUT_BYTES,
    StartedProcess,
    process_ahead,
    take_process,
)

ANSWER_SECONDS = 60


def say_who(pipe: Connection, greeting: str) -> None:
    """Send which process this is."""
    pipe.send((greeting, os.getpid()))


def who_answers(started: StartedProcess) -> int:
    """Return which process does what it is told."""
    started.do(say_who, "hello")
    assert started.pipe.poll(ANSWER_SECONDS)
    greeting, process_id = started.pipe.recv()
    assert greeting == "hello"
    started.close()
    return int(process_id)


def children() -> set[int | None]:
    return {process.pid for process in multiprocessing.active_children()}


def test_the_first_worker_takes_the_process_that_was_started_ahead(tmp_path: Path) -> None:
    before = children()
    with process_ahead(tmp_path):
        (ahead,) = children() - before
        assert who_answers(take_process()) == ahead
        assert who_answers(take_process()) not in {ahead, *before}
    assert children() <= before


def test_one_that_nobody_needs_ends(tmp_path: Path) -> None:
    before = children()
    with process_ahead(tmp_path):
        assert len(children() - before) == 1
    assert children() <= before


def test_none_waits_while_a_long_video_is_cut(tmp_path: Path) -> None:
    before, video = children(), tmp_path / "long.mp4"
    with video.open("wb") as file:
        file.truncate(SOON_CUT_BYTES)
    for path in (video, tmp_path / "missing.mp4"):
        with process_ahead(path):
            assert children() <= before


def test_one_that_ended_is_replaced(tmp_path: Path) -> None:
    before = children()
    with process_ahead(tmp_path):
        (ahead,) = (p for p in multiprocessing.active_children() if p.pid not in before)
        ahead_id = ahead.pid
        ahead.kill()
        ahead.join(ANSWER_SECONDS)
        assert who_answers(take_process()) != ahead_id


def test_one_that_ends_before_it_is_told_anything_answers_nothing() -> None:
    """Who waits for its answer learns that it is gone, and not who tells it what to do."""
    started = StartedProcess()
    started.process.kill()
    started.process.join(ANSWER_SECONDS)
    started.do(say_who, "hello")
    try:
        started.pipe.recv()
    except (EOFError, OSError):
        pass
    else:
        raise AssertionError("somebody answered")
    finally:
        started.close()
