"""The ffmpeg program, to make clips and to show them as a player does."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from matting.media import ffmpeg

TAIL_LINES = 3


class FfmpegError(Exception):
    """The ffmpeg program failed; holds its last lines."""


def run_ffmpeg(
    arguments: Sequence[str], feed: bytes = b"", level: str = "error"
) -> tuple[bytes, str]:
    """Run ffmpeg; return what it writes to its output, and its log at that level.

    Args:
        feed: what it reads from its input.
    Raises:
        FfmpegError: it failed.
    """
    command = [str(ffmpeg.program()), "-hide_banner", "-nostats", "-loglevel", level, "-y"]
    done = subprocess.run([*command, *arguments], input=feed, capture_output=True, check=False)
    log = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        raise FfmpegError(" / ".join(log.strip().splitlines()[-TAIL_LINES:]))
    return done.stdout, log
