"""Tags in a file that the ffmpeg program reads, for its command line is too short for some.

Windows allows 32,767 characters for all arguments together, Linux 131,072 bytes for each.
Source: FFmpeg's documentation, "Metadata", and its libavformat/ffmetadec.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

HEADER = b";FFMETADATA1\n"
STREAM = b"[STREAM]\n"
# The first four have a meaning anywhere; a bracket, where a line begins with it.
SPECIAL = re.compile(r"([=;#\\\n\r\[])")


def ffmetadata(tags: Mapping[str, str], streams: Sequence[Mapping[str, str]] = ()) -> bytes:
    """Return the content of a metadata file.

    What such a file cannot hold is left out: empty keys and values, and NUL characters.

    Args:
        tags: of the whole file.
        streams: the tags of each stream.
    """
    sections = [HEADER, *_lines(tags.items())]
    for own in streams:
        sections += [STREAM, *_lines(own.items())]
    return b"".join(sections)


def _lines(tags: Iterable[tuple[str, str]]) -> list[bytes]:
    pairs = ((_escaped(key), _escaped(value)) for key, value in tags)
    return [_line(f"{key}={value}") for key, value in pairs if key and value]


def _line(text: str) -> bytes:
    # FFmpeg takes a line to go on after any backslash, even an escaped one; NUL ends it as well,
    # and what follows it up to a line's end is passed over.
    end = "\0\n" if text.endswith("\\") else "\n"
    return (text + end).encode("utf-8", "replace")


def _escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text.replace("\0", ""))
