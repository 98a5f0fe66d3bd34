"""What setup prints."""

from __future__ import annotations

from textwrap import indent


def say(text: str) -> None:
    """Print at once, before another program prints."""
    print(text, flush=True)


def note(text: str) -> None:
    """Print at once, indented below the step that it belongs to."""
    say(indent(text, " " * 8))
