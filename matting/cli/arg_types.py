"""The values that options take, and their meaning, as argparse's types."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from pathlib import Path

from matting.background import Background, BackgroundFile
from matting.cli import suggestions
from matting.delivery.backgrounds import PRESETS, preset
from matting.delivery.formats import delivery_formats
from matting.errors import InputError
from matting.network_choice import Model
from matting.options import MOST_KEY_CONTRAST, FormatName
from matting.range_options import Rectangle
from matting.view import AutoView, View, parse_choice

SUFFIX = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def _fraction(text: str) -> Fraction:
    number = r"-?\d{1,7}(?:[.,]\d{1,6})?"
    if not re.fullmatch(rf"{number}(?:/0*[1-9]\d{{0,6}})?", text.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 15 or 30000/1001")
    top, _, bottom = text.strip().replace(",", ".").partition("/")
    return Fraction(top) / Fraction(bottom or "1")


def seconds(text: str) -> Fraction:
    """Parse a duration above 0, up to a day, in seconds."""
    value = _fraction(text)
    if not 0 < value <= 24 * 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0 and at most a day")
    return value


def player_time(text: str) -> Fraction:
    """Parse a time as players show it: 0:41:10, 41:10.5 or 70; return seconds."""
    match = re.fullmatch(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,7}(?:[.,]\d{1,6})?)", text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 0:41:10, 41:10.5 or 70")
    hours, minutes, rest = match[1], match[2], Fraction(match[3].replace(",", "."))
    if (hours is not None and int(minutes) >= 60) or (minutes is not None and rest >= 60):
        raise argparse.ArgumentTypeError(f"{text!r} has minutes or seconds of 60 or more")
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + rest


def player_times(text: str) -> tuple[Fraction, ...]:
    """Parse times as players show them, with commas between them; return seconds."""
    words = [word for word in re.split(r"\s*,\s*", text.strip()) if word]
    if not words:
        raise argparse.ArgumentTypeError(f"{text!r} names no time such as 0:41:10")
    return tuple(map(player_time, words))


def rectangles(text: str) -> tuple[Rectangle, ...]:
    """Parse rectangles, each as x,y,width,height, with spaces between them."""
    parts = []
    for word in re.sub(r"\s*,\s*", ",", text.strip()).split():
        numbers = word.split(",")
        if len(numbers) != 4 or not all(re.fullmatch(r"[0-9]{1,6}", n) for n in numbers):
            raise argparse.ArgumentTypeError(f"{word!r} is not x,y,width,height, in pixels")
        part = Rectangle(*map(int, numbers))
        if not (part.width and part.height):
            raise argparse.ArgumentTypeError(f"{word!r} is empty: its width or its height is 0")
        parts.append(part)
    if not parts:
        raise argparse.ArgumentTypeError("no rectangle is given, as x,y,width,height")
    return tuple(parts)


def frame_rate(text: str) -> Fraction:
    """Parse frames a second, above 0, up to 1000."""
    value = _fraction(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0 and at most 1000")
    return value


def formats(text: str) -> tuple[FormatName, ...]:
    """Parse formats, with commas between them."""
    try:
        return tuple(row.name for row in delivery_formats(text))
    except InputError as error:
        words = (word.strip().lower().replace("_", "-") for word in text.split(","))
        unknown = next((word for word in words if word and word not in list(FormatName)), "")
        question = suggestions.question(suggestions.nearest(unknown, list(FormatName)))
        raise argparse.ArgumentTypeError(f"{error.what}{question} {error.hint}") from error


def share(text: str) -> float:
    """Parse a share, 0 to 1."""
    value = float(_fraction(text))
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not 0 to 1")
    return value


def contrast(text: str) -> float:
    """Parse how many times as steep edges are, 1 to MOST_KEY_CONTRAST."""
    value = float(_fraction(text))
    if not 1 <= value <= MOST_KEY_CONTRAST:
        raise argparse.ArgumentTypeError(f"{text} is not 1 to {MOST_KEY_CONTRAST}")
    return value


def ratio(text: str) -> float | None:
    """Parse a ratio above 0, up to 1; return None for `auto`."""
    if text.lower() == "auto":
        return None
    value = float(_fraction(text))
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 1")
    return value


def view(text: str) -> View | AutoView:
    """Parse how a picture is meant to be seen."""
    try:
        return parse_choice(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from error


def choice(
    values: Collection[str], aliases: Mapping[str, str] | None = None
) -> Callable[[str], str]:
    """Return the type of an option with these values, in whatever case they are typed.

    Args:
        aliases: other words for some of them.
    """

    def parse(text: str) -> str:
        word = text.strip().lower().replace("_", "-")
        word = (aliases or {}).get(word, word)
        if word in values:
            return word
        meant = suggestions.question(suggestions.nearest(word, list(values)))
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(values)}.{meant}")

    return parse


def model(text: str) -> Model | Path:
    """Parse the name of a published network, or the path of a file of weights."""
    word, path = text.strip().lower(), Path(text)
    if word in list(Model):
        return Model(word)
    if path.suffix or path.name != text or path.is_file():
        return path
    meant = suggestions.question(suggestions.nearest(word, list(Model)))
    raise argparse.ArgumentTypeError(
        f"{text!r} is none of {', '.join(Model)}, and no file of weights.{meant}"
    )


def yes_or_no(text: str) -> bool:
    """Parse yes or no."""
    return choice(("yes", "no"))(text) == "yes"


def colour(text: str) -> tuple[int, int, int]:
    """Parse a colour, by its numbers or its name; return red, green, blue, 0 to 255.

    The names of presets go before those of the web.
    """
    word = text.strip().strip("'").lower()  # Windows' command window passes quotes on
    known = preset(word)
    if known is not None:
        return known
    match = re.fullmatch(r"#?([0-9a-f]{3}|[0-9a-f]{6})", word)
    if match:
        digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    match = re.fullmatch(r"(?:rgb)?\(?([^()]*)\)?", word)
    parts = match[1].replace(" ", ",").replace(",,", ",").split(",") if match else []
    if len(parts) == 3 and all(re.fullmatch(r"[0-9]{1,3}", p) and int(p) <= 255 for p in parts):
        red, green, blue = map(int, parts)
        return red, green, blue
    named = _named_colour(re.sub(r"[ _-]", "", word))
    if named is not None:
        return named
    raise argparse.ArgumentTypeError(
        f"{text!r} is no colour; give '#78FF9B', or 120,255,155 (red, green, blue), or a name: "
        f"{', '.join(PRESETS)}, or one of the web such as lime"
    )


def background(text: str) -> Background:
    """Parse a colour, as `colour`; or else return the file of that path."""
    try:
        return colour(text)
    except argparse.ArgumentTypeError as error:
        path = Path(text.strip("'"))
        if _is_there(path):
            return BackgroundFile(Path(os.path.abspath(path)))  # noqa: PTH100 - links stay
        raise argparse.ArgumentTypeError(
            f"{text!r} is no colour, and no file of that name is there; give a picture, a video, "
            f"'#78FF9B', or 120,255,155 (red, green, blue), or a name: {', '.join(PRESETS)}, or "
            "one of the web such as lime"
        ) from error


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (OSError, ValueError):  # also of what can be no path
        return False
    return True


def _named_colour(name: str) -> tuple[int, int, int] | None:
    """Return a colour of CSS; None if there is none of that name, or pillow is missing."""
    try:
        from matting.media.images.pillow import named_colour  # noqa: PLC0415 - others do without it
    except ImportError:
        return None
    return named_colour(name)


def bitrate(text: str) -> int:
    """Parse a bit rate such as 40M or 800k; return bits a second."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)", text.strip(), re.IGNORECASE)
    value = math.floor(Fraction(match[1]) * SUFFIX[match[2].lower()]) if match else 0
    if not 1000 <= value <= 2 * 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no bit rate; give 40M, or 800k")
    return value


def whole(text: str) -> int:
    """Parse a whole number, 0 or more."""
    return _whole(text, 0)


def positive(text: str) -> int:
    """Parse a whole number, 1 or more."""
    return _whole(text, 1)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {least} or more")
    return int(text)
