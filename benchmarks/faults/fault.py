"""A row of the fault table."""

from __future__ import annotations

import abc
from pathlib import Path
from random import Random


class SkippedError(Exception):
    """A row cannot be tried on this machine; says why."""


class NotHeldError(Exception):
    """What had to hold did not; says what happened."""


def require(held: bool, happened: str) -> None:
    """Raises NotHeldError with what happened unless it held."""
    if not held:
        raise NotHeldError(happened)


class Fault(abc.ABC):
    """One kind of fault. Made for one run of the bench, with a folder of its own.

    Attributes:
        name: for the command line.
        what: the fault, for people.
        must_hold: for people.
        tries, short_tries: how many the full and the short bench make.
    """

    name: str
    what: str
    must_hold: str
    tries: int
    short_tries: int

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:  # noqa: B027 - a row may need nothing
        """Makes what all tries share.

        Raises:
            SkippedError: this machine does not allow it.
        """

    @abc.abstractmethod
    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        """One try, in a fresh folder; everything random comes from `rng`.

        Raises:
            NotHeldError: what had to hold did not.
        """
