"""What can be behind the people, as it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BackgroundFile:
    """A picture or a video behind the composite.

    Attributes:
        sha256: of its content when the run began; "": nobody has looked at it yet.
    """

    path: Path
    sha256: str = ""


Background = tuple[int, int, int] | BackgroundFile  # red, green, blue, 0..255
COLOUR = (120, 255, 155)  # unless another is asked for


def plain_colour(background: Background) -> tuple[int, int, int]:
    """Return the colour of what can hold one only: the usual one where a file was asked for."""
    return COLOUR if isinstance(background, BackgroundFile) else background


def hex_colour(colour: tuple[int, int, int]) -> str:
    """Return a colour as it is typed, such as "#78FF9B"."""
    return "#{:02X}{:02X}{:02X}".format(*colour)
