"""The ffmpeg program, for making clips and for showing them as a player does."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from matting.media import ffmpeg

TAIL_LINES = 3


class ProgramError(Exception):
    """The ffmpeg program refused; says its last words."""


def call(arguments: Sequence[str], feed: bytes = b"", level: str = "error") -> tuple[bytes, str]:
    """What ffmpeg writes to its output, and what it says at that level.

    Raises:
        ProgramError: it refused.
    """
    command = [str(ffmpeg.program()), "-hide_banner", "-nostats", "-loglevel", level, "-y"]
    done = subprocess.run([*command, *arguments], input=feed, capture_output=True, check=False)
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        raise ProgramError(" / ".join(said.strip().splitlines()[-TAIL_LINES:]))
    return done.stdout, said
