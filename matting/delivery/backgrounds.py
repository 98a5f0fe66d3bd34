"""Colours behind the people that have a name of their own in this trade."""

from __future__ import annotations

from collections.abc import Mapping

Colour = tuple[int, int, int]

# Red, green, blue. They go before the web's colours, of whose names some are other colours.
PRESETS: Mapping[str, Colour] = {
    "deovr": (0x2B, 0xE6, 0x40),  # what DeoVR's passthrough keys by default
    "green": (0x00, 0xFF, 0x00),
    "blue": (0x00, 0x47, 0xBB),  # of blue screens
    "grey": (0x80, 0x80, 0x80),
}


def preset(word: str) -> Colour | None:
    """Return the colour of that name in any case; None: there is none."""
    return PRESETS.get(word.strip().lower().replace("gray", "grey"))
