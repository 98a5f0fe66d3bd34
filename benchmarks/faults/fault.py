"""A row of the fault table."""

from __future__ import annotations

import abc
from pathlib import Path
from random import Random


class SkippedError(Exception):
    """A row cannot be tried on this machine; the message says why."""


class NotHeldError(Exception):
    """What had to hold did not; the message says what happened."""


def require(held: bool, happened: str) -> None:
    """Raise NotHeldError with what happened unless it held."""
    if not held:
        raise NotHeldError(happened)


class Fault(abc.ABC):
    """One kind of fault, instantiated for one run of the bench with a folder of its own.

    Attributes:
        common: a folder of all rows, for what is made once for several.
        name: for the command line.
        description: of the fault, in the table.
        must_hold: what must hold, in the table.
        tries, short_tries: how many the full and the short bench make.
    """

    name: str
    description: str
    must_hold: str
    tries: int
    short_tries: int

    def __init__(self, folder: Path, common: Path) -> None:
        self.folder = folder
        self.common = common

    def prepare(self) -> None:  # noqa: B027 - a row may need nothing
        """Make what all tries share.

        Raises:
            SkippedError: this machine does not allow it.
        """

    @abc.abstractmethod
    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        """Make one try in a fresh folder; everything random comes from `rng`.

        Raises:
            NotHeldError: what had to hold did not.
        """
