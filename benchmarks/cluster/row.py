"""A line of the table."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """What was measured, what must hold of it, what was found, and whether it held."""

    what: str
    bound: str
    found: str
    held: bool

    def cells(self) -> tuple[str, ...]:
        return self.what, self.bound, self.found, "yes" if self.held else "NO"


class SkippedError(Exception):
    """A row cannot be measured on this machine; the message says why."""
