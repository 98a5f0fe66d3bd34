"""The values that options take, and their meaning, as argparse's types."""

from __future__ import annotations

import argparse
import math
import re
from fractions import Fraction

SUFFIX = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def _fraction(text: str) -> Fraction:
    number = r"\d{1,7}(?:[.,]\d{1,6})?"
    if not re.fullmatch(rf"{number}(?:/0*[1-9]\d{{0,6}})?", text.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 15 or 30000/1001")
    top, _, bottom = text.strip().replace(",", ".").partition("/")
    return Fraction(top) / Fraction(bottom or "1")


def seconds(text: str) -> Fraction:
    """Parse a duration above 0, up to a day, in seconds."""
    value = _fraction(text)
    if not 0 < value <= 24 * 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and a day")
    return value


def frame_rate(text: str) -> Fraction:
    """Parse frames a second, above 0, up to 1000."""
    value = _fraction(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1000")
    return value


def ratio(text: str) -> float | None:
    """Parse a ratio above 0, up to 1; return None for `auto`."""
    if text == "auto":
        return None
    value = float(_fraction(text))
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 1")
    return value


def colour(text: str) -> tuple[int, int, int]:
    """Parse a colour; return red, green and blue, 0 to 255."""
    text = text.strip().strip("'")  # Windows' command window passes quotes on
    match = re.fullmatch(r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", text, re.IGNORECASE)
    if match:
        red, green, blue = (int(part, 16) for part in match.groups())
        return red, green, blue
    parts = text.split(",")
    if len(parts) == 3 and all(p.strip().isdecimal() and int(p) <= 255 for p in parts):
        red, green, blue = (int(part) for part in parts)
        return red, green, blue
    raise argparse.ArgumentTypeError(
        f"{text!r} is no colour; give '#78FF9B', or 120,255,155 (red, green, blue)"
    )


def bitrate(text: str) -> int:
    """Parse a bit rate such as 40M or 800k; return bits a second."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)", text.strip(), re.IGNORECASE)
    value = math.floor(Fraction(match[1]) * SUFFIX[match[2].lower()]) if match else 0
    if not 1000 <= value <= 2 * 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no bit rate; give 40M, or 800k")
    return value


def whole(text: str) -> int:
    """Parse a whole number, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def positive(text: str) -> int:
    """Parse a whole number, 1 or more."""
    value = whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 or more")
    return value
