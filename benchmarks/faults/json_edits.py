"""Changes to the program's own JSON files, from a digit to the whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

Place = tuple[str | int, ...]

HOSTILE: list[Any] = [
    None,
    True,
    -1,
    0,
    2**63,
    10**30,
    -(10**400),
    0.5,
    float("nan"),
    float("inf"),
    "",
    "0",
    "1/0",
    "-1",
    "1e999999999",
    "../../secret",
    "..",
    "a/b",
    "a\0b",
    "512x99999999999999999999",
    "0x1",
    "-1x-1",
    "x" * 100_000,
    "1e-999999999",
    "a\nb\x1b[2J\u202e\udcff",
    "CON",
    "." * 300,
    "512x2000000000",
    "1x1 " * 10_000,
    [],
    [[]],
    [1] * 1000,
    {},
    {"": {"": {}}},
]


def edited(original: str, rng: Random) -> str:
    """Return the text of a JSON file with one to three changes."""
    text = original
    for _ in range(rng.choice((1, 1, 2, 3))):
        text = rng.choice(EDITS)(text, rng)
    return text


def _change_values(text: str, rng: Random) -> str:
    """Replace a value, or remove it, or give its name to another."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _change_characters(text, rng)
    places = [place for place in _places(value) if place]
    if not places:
        return text
    *way, last = rng.choice(places)
    inner = value
    for key in way:
        inner = inner[key]
    change = rng.randrange(4)
    if change == 0:
        del inner[last]
    elif change == 1 and isinstance(inner, dict):
        inner[rng.choice(("", "a\0b", "../x", "version", "x" * 300))] = inner.pop(last)
    elif change == 2 and isinstance(inner[last], int):
        inner[last] = rng.choice((-1, 0, 1, 2**31, 2**63, 10**18, -(2**63))) + rng.randrange(3)
    else:
        inner[last] = deepcopy(rng.choice(HOSTILE))
    return json.dumps(value)


def _change_characters(text: str, rng: Random) -> str:
    """Replace, add or remove some characters anywhere."""
    at = rng.randrange(len(text) + 1)
    new = rng.choice(("", "0", "9" * 30, "-", "e99", "[", "{", '"', ",", "\\u0000", "\0", "\ud800"))
    return text[:at] + new + text[at + rng.randrange(3) :]


def _repeat_line(text: str, rng: Random) -> str:
    """Write a line twice, which gives a name two values."""
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    return "\n".join([*lines[: at + 1], *lines[at:]])


def _cut_off(text: str, rng: Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _nest(text: str, rng: Random) -> str:
    depth = rng.choice((1, 10, 500, 100_000))
    return '{"version":' * depth + text + "}" * depth


EDITS: tuple[Callable[[str, Random], str], ...] = (
    *(_change_values for _ in range(8)),
    *(_change_characters for _ in range(3)),
    _repeat_line,
    _cut_off,
    _nest,
)


def _places(value: Any, *before: str | int) -> Iterator[Place]:
    """Return the paths to all values in a JSON value, from its root."""
    yield before
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, *before, name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, *before, index)
