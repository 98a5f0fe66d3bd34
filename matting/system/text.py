"""Text that comes from outside - names, tags, other programs' words - as it may be shown."""

from __future__ import annotations

import re

# What moves the cursor, starts a command of the terminal, ends a line, or turns the order of what
# follows: C0 and C1 controls; line and paragraph separators with the bidirectional embeddings and
# overrides; isolates and deprecated format characters; interlinear annotations; noncharacters; and
# surrogates that stand alone. Joiners and direction marks are left: emoji and Persian need them.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\ufffe\uffff]")
NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
# How Python holds a byte of a file name that is no valid UTF-8: PEP 383.
FIRST_BYTE, LAST_BYTE = 0xDC80, 0xDCFF


def printable(text: str) -> str:
    r"""Return `text` as one line that cannot control a terminal: "a\nb" becomes "a\\nb".

    Names in any alphabet stay as they are. It cannot be undone, for a backslash stays one: paths
    on Windows are full of them.
    """
    return UNSAFE.sub(lambda match: _escape(match[0]), text)


def printable_lines(text: str) -> str:
    """Return a text of several lines, each as `printable` makes it."""
    return "\n".join(map(printable, text.split("\n")))


def escape_json(text: str) -> str:
    """Return the same JSON, in which what `printable` escapes is escaped as JSON has it.

    A name that is no valid UTF-8 stays: it is written as the bytes it is.
    """
    return UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escape(character: str) -> str:
    code = ord(character)
    if character in NAMED:
        return NAMED[character]
    if FIRST_BYTE <= code <= LAST_BYTE:
        code -= FIRST_BYTE - 0x80
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
