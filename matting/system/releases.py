"""Whether a newer release of the program is there: asked only where somebody asks for that."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping

from matting.system.download import DownloadError, DownloadLimits, download
from matting.system.text import printable

VARIABLE = "RVM_RELEASES"
# The address at which the newest release is announced, as JSON: {"version": "1.2.3"}; or, as GitHub
# has it of a project's latest release, {"tag_name": "v1.2.3"}. The project has none yet: whoever
# publishes it writes the address here. Until then, the variable may name one.
ADDRESS = ""
KEYS = ("version", "tag_name")
NUMBER = re.compile(r"v?(\d{1,6}(?:\.\d{1,6}){0,3})")
LIMITS = DownloadLimits(
    largest_bytes=1 << 20, start_seconds=20.0, silence_seconds=10.0, slowest_bytes=1000
)
SHOWN_CHARACTERS = 80


class NoAnswerError(Exception):
    """What the newest release is could not be learnt; the message is a clause that says why."""


def place(variables: Mapping[str, str] = os.environ) -> str:
    """Return the address that is asked; "" where there is none."""
    return variables.get(VARIABLE, "") or ADDRESS


def newest_release(address: str) -> str:
    """Return the number of the newest release: one request, and nothing is sent but that.

    Raises:
        NoAnswerError: there is no answer, or none that can be understood.
    """
    answer = bytearray()
    try:
        download(address, LIMITS, lambda *_: None, answer.extend)
    except DownloadError as error:
        raise NoAnswerError(printable(str(error))[:SHOWN_CHARACTERS]) from error
    try:
        content = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise NoAnswerError("the answer is no announcement of a release") from error
    named = next((content[k] for k in KEYS if k in content), "") if type(content) is dict else ""
    number = NUMBER.fullmatch(named) if isinstance(named, str) else None
    if number is None:
        raise NoAnswerError("the answer names no release")
    return number[1]


def is_newer(release: str, than: str) -> bool:
    """Return whether a release is newer; numbers are compared part by part, 1.10 after 1.9."""
    return _parts(release) > _parts(than)


def _parts(number: str) -> tuple[int, ...]:
    parts = [int(part) for part in number.split(".")]
    while parts and parts[-1] == 0:  # 1.0 is 1
        parts.pop()
    return tuple(parts)
