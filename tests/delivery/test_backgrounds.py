"""The colours that have a name in this trade."""

from __future__ import annotations

import pytest

from matting.cli import arg_types
from matting.delivery.backgrounds import PRESETS, preset


@pytest.mark.parametrize(
    ("word", "rgb"),
    [
        ("deovr", "#2BE640"),
        ("green", "#00FF00"),
        ("blue", "#0047BB"),
        ("grey", "#808080"),
        ("gray", "#808080"),
        (" DeoVR ", "#2BE640"),
        ("'Green'", "#00FF00"),
    ],
)
def test_a_preset_is_a_background(word: str, rgb: str) -> None:
    assert arg_types.colour(word) == arg_types.colour(rgb)


def test_other_words_are_none() -> None:
    assert preset("lime") is None
    assert arg_types.colour("lime") == (0, 255, 0)


def test_every_preset_is_known_by_its_name() -> None:
    for name, rgb in PRESETS.items():
        assert preset(name) == rgb
