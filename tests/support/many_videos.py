"""Runs of many videos in which something else stands in for what is done for each."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from matting.cli import video_turn
from matting.cli.command_run import Ending
from matting.cli.console import Console
from matting.cli.many_videos import ManyVideos
from matting.cli.next_steps import Invocation
from matting.cli.parser import parse
from matting.cli.queue_options import given_paths
from matting.cli.signals import SignalListener
from matting.cli.video_finder import VideoFinder
from matting.cli.video_turn import VideoTurn
from matting.errors import InputError, StorageError
from matting.project import video_search
from matting.project.arrivals import Arrivals
from matting.project.video_queue import held_queue
from matting.system.files import VIDEO_SUFFIXES

FAILURES: Mapping[str, Ending] = {
    "bad": Ending(2, error=InputError("It is bad.")),
    "full": Ending(4, allows_shutdown=True, error=StorageError("The disk is full.")),
    "stopped": Ending(130),
}


class Work:
    """What is done for each video; by its name it fails, or is interrupted.

    Attributes:
        calls: what was typed for each, as it were.
        cleaning: what each was told to delete.
        meanwhile: called with each.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.cleaning: list[str] = []
        self.meanwhile: Callable[[Path], object] = lambda _: None

    def run(self, options: argparse.Namespace, call: Invocation, *_: object, **__: bool) -> Ending:
        self.calls.append(call.arguments)
        self.cleaning.append(vars(options).get("clean", ""))
        self.meanwhile(options.path)
        made = options.path.with_name(f"{options.path.stem}_MATTED.mp4")
        return FAILURES.get(options.path.stem, Ending(0, True, result=made, seconds=70))

    @property
    def names(self) -> list[str]:
        return [Path(call[1]).name for call in self.calls]


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Have every video be done by what is returned."""
    work = Work()
    monkeypatch.setattr(video_turn, "run_command", work.run)
    monkeypatch.setattr(video_search, "opens_as_video", lambda path: path.suffix in VIDEO_SUFFIXES)
    return work


def put(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).write_bytes(name.encode())
    return [str(folder / name) for name in names]


def many_videos(
    words: list[str],
    wait: Callable[[float], object],
    console: Console | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> Ending:
    """Run a command with a console, a wait and a clock of the test's."""
    options = parse(words)
    console = console or Console(quiet=True)
    turn = VideoTurn(options, Invocation.of(words), SignalListener())
    arrivals = Arrivals(is_whole=lambda path: path.suffix in VIDEO_SUFFIXES)
    paths = given_paths(options)
    finder = VideoFinder(paths, recursive=options.recursive, arrivals=arrivals, clock=clock)
    with held_queue(paths[0] / "queue.txt", console, is_given=False) as queue:
        return ManyVideos(turn, console, queue, finder).run(wait)


class Days:
    """A time in which things happen, one with each wait; then Ctrl-C is pressed."""

    def __init__(self, *events: Callable[[], object]) -> None:
        self.now = 0.0
        self._events = list(events)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        if not self._events:
            raise KeyboardInterrupt
        self._events.pop(0)()


def nothing() -> None:
    """Let time pass."""
