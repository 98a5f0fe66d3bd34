"""Sentences broken into a window's lines: between words, and never inside a path or a command.

What is to be copied stays in one piece, for a terminal that breaks it itself puts no line break
into what is copied.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

from matting.system.invocation import PACKAGE, PROGRAM, SCRIPT

TOKEN = r"(?:'[^']*'|\"[^\"]*\"|\S+)"
STARTED = rf"(?:\S*{re.escape(PROGRAM)}\b|'[^']*{PROGRAM}'|-m (?:pip|{PACKAGE}) )"
COMMAND = re.compile(rf"(?:{TOKEN}(?: -\S+)* {STARTED}|(?:\S*[\\/])?{SCRIPT} ).*")
QUOTED = re.compile(r"(?<!\w)(?:'[^']+'|\"[^\"]+\")(?!\w)")
# Where a path begins; where its sentence goes on; and what the name of a job's file ends with. The
# folders of a path may contain spaces, so it is believed to go on to the last separator.
BEGIN = r"(?<![\w/\\.])(?:[A-Za-z]:[\\/]|\\\\|~?/)"
INSIDE = r"(?:(?!: |, |; |\. | ~?/| [A-Za-z]:[\\/]| \\\\).)"
END = r"(?:\.[A-Za-z0-9]{2,5}|_segments|_matted)(?=[\s.,:;)]|$)"
PATH = re.compile(rf"{BEGIN}(?:{INSIDE}*[\\/])?(?:(?:(?![\\/]){INSIDE})*?{END}|\S*)")
TABLE = re.compile(r"\S {2,}\S")


def wrap(line: str, width: int, whole: Collection[str] = ()) -> list[str]:
    """Return a sentence as lines of at most `width` columns, wherever words allow it.

    Lines after the first are indented like the first. A table's row stays as it is.

    Args:
        whole: texts with spaces that are not to be broken, such as names of files.
    """
    if columns(line) <= width or TABLE.search(line.strip()):
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    lines = [""]
    for piece in _pieces(line.strip(), whole):
        longer = f"{lines[-1]} {piece}" if lines[-1] else indent + piece
        if columns(longer) > width and lines[-1]:
            lines.append(indent + piece)
        else:
            lines[-1] = longer
    return lines


def columns(text: str) -> int:
    """Return how many columns of a window a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _pieces(text: str, whole: Collection[str]) -> Iterator[str]:
    """Yield the parts of a text that are not to be broken; single spaces stood between them."""
    begun = 0
    kept = _kept(text, whole)
    for position, character in enumerate(text):
        if character == " " and not kept[position]:
            yield text[begun:position]
            begun = position + 1
    yield text[begun:]


def _kept(text: str, whole: Collection[str]) -> list[bool]:
    """Return of each character whether it is inside what is not to be broken."""
    kept = [False] * len(text)
    names = [re.compile(rf"{re.escape(name)}[^\s,;]*") for name in whole if " " in name]
    for pattern in (COMMAND, QUOTED, PATH, *names):
        for match in pattern.finditer(text):
            kept[match.start() : match.end()] = [True] * (match.end() - match.start())
    return kept
