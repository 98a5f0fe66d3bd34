"""The formats to deliver, chosen from a numbered list where none are typed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matting.cli.console import Console
from matting.cli.numbered_list import numbered
from matting.delivery.formats import FORMATS, DeliveryFormat
from matting.errors import InputError
from matting.options import FormatName

# It takes a picture or a video besides, which is typed.
OFFERED = tuple(row for row in FORMATS.values() if row.name is not FormatName.BACKGROUND)
OPTION = "--as"


def ask_for_formats(console: Console) -> tuple[DeliveryFormat, ...]:
    """Show the formats in a numbered list, and return those whose numbers are typed.

    Raises:
        InputError: there is nobody to ask, or nothing is chosen.
    """
    names = ", ".join(FORMATS)
    width = max(len(row.name) for row in OFFERED)
    listed = numbered([f"{row.name:<{width}}  {row.purpose}" for row in OFFERED])
    rows = console.ask_until(
        "\n".join([*listed, "Which of these? Several numbers with commas, such as 1,3:"]),
        lambda answer: rows_of(answer, OFFERED) or None,
        f"Please type numbers from 1 to {len(OFFERED)}, with commas between them:",
    )
    if rows is None:
        raise InputError(
            "No format is named.", f"Add {OPTION}, and one or several of: {names}", option=OPTION
        )
    return rows


def rows_of(answer: str, offered: Sequence[DeliveryFormat]) -> tuple[DeliveryFormat, ...]:
    """Return the rows that are named by number, or by name, each once; none if a word is neither.

    Args:
        answer: as "1, 3".
    """
    numbered = {str(number): row for number, row in enumerate(offered, start=1)}
    named = {str(row.name): row for row in offered}
    words = [word.lower() for word in re.split(r"[\s,;]+", answer) if word]
    known = numbered | named
    if not all(word in known for word in words):
        return ()
    return tuple(dict.fromkeys(known[word] for word in words))
