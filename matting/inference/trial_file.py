"""The files that remember what came of trials; a damaged one is as good as none.

Nothing here needs torch, so that who only reports a trial need not load that.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from matting.errors import MattingError
from matting.system import atomic_files

MOST_TRIALS = 32  # the latest; of other weights, and of versions before
MOST_BYTES = 1 << 16

T = TypeVar("T", bound=Struct)


def read_trials(file: Path, kind: type[T]) -> list[T]:
    """Return all that is remembered; nothing where the file is missing, damaged or no such file."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            return []
        return msgspec.json.decode(content, type=list[kind])[:MOST_TRIALS]  # type: ignore[valid-type]
    except (OSError, msgspec.MsgspecError, RecursionError, ValueError):
        return []


def write_trials(file: Path, trials: Sequence[Struct]) -> None:
    """Remember trials, the latest first; where that is not possible, they are made again."""
    content = [msgspec.to_builtins(one) for one in trials[:MOST_TRIALS]]
    with suppress(MattingError, OSError):
        atomic_files.make_folder(file.parent)
        atomic_files.write_json(file, content)
