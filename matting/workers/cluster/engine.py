"""What a cluster's executor asks of the engine that reaches its workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from matting.workers.cluster.messages import Event
from matting.workers.executor import SegmentTask, WorkerSetup


class Engine(Protocol):
    """Workers on other cards and computers, and what passes to and from them.

    A worker is known by its address. Whoever is there, fits, and has loaded what it needs is told
    of by `Joined`; who comes later, too, and who comes back.

    Attributes:
        most_workers: so many can come at the most; None: any number.
    """

    most_workers: int | None

    def open(self, setup: WorkerSetup, folder: Path) -> None:
        """Have one worker get ready; where it cannot, the next.

        Args:
            setup: what all segments of the run have in common; a worker has a device of its own.
            folder: the matted folder.
        Raises:
            MattingError: there can be no workers.
        """

    def admit(self, setup: WorkerSetup) -> None:
        """Have all others get ready, too, with what the first has found out."""

    def start(self, worker: str, key: str, name: str, tasks: Sequence[SegmentTask]) -> None:
        """Have a worker go through tasks in order, after what it was given before.

        Args:
            key: what the messages on it name; each of a run is another.
            name: what a user knows the unit by.
        """

    def drop(self, key: str) -> None:
        """Want a unit no more: its worker breaks it off, or does not begin it.

        It may be at its end, or its worker gone; then nothing is left to be kept of it.
        """

    def next_event(self, seconds: float) -> Event | None:
        """Wait for what comes next; None: nothing came within that time."""

    def close(self) -> None:
        """End all work and let go of the workers."""


# Makes the engine of one run.
EngineFactory = Callable[[], Engine]
