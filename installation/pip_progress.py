"""One line of what pip is at, in place of the hundreds that it prints."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from typing import TextIO

LINE_SECONDS = 60.0  # between the lines in a log, where none is overwritten
WIDTH, INDENT = 79, " " * 8
DOWNLOADING = re.compile(r"\s*Downloading \S*?([\w.]+)-[^/\s]+\.(?:whl|tar\.gz|zip) (\(.+\))")
INSTALLED = re.compile(r"Successfully installed (.+)")


class PipProgress:
    """Shows what pip is at, with how long that has taken. Call it with each line of pip's.

    Args:
        stream: where to show it; None: standard output.
        clock: seconds that only grow.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stdout
        self._overwrites = self._stream.isatty()
        self._clock = clock
        self._started = self._shown = clock()
        self._state = "Looking for the packages"
        self._installed = 0

    def __call__(self, line: str | None) -> None:
        """Take a line of pip's; None: nothing has come for a while."""
        downloading = DOWNLOADING.match(line or "")
        installed = INSTALLED.match(line or "")
        if downloading:
            self._state = f"Downloading {downloading[1]} {downloading[2]}"
        elif (line or "").startswith("Installing collected packages"):
            self._state = "Unpacking: nothing more to download, but that takes minutes"
        elif installed:
            self._installed = len(installed[1].split())
        self._show()

    def finish(self) -> None:
        """Remove the line, and say what was installed."""
        if self._overwrites:
            self._write("\r" + " " * WIDTH + "\r")
        if self._installed:
            packages = f"{self._installed} package{'s' * (self._installed > 1)}"
            self._write(f"{INDENT}Installed: {packages}, in {self._elapsed()}.\n")

    def _show(self) -> None:
        now = self._clock()
        text = f"{INDENT}{self._state} ... {self._elapsed()}"
        if self._overwrites:
            self._write(f"\r{text[:WIDTH]:<{WIDTH}}")
        elif now - self._shown >= LINE_SECONDS:
            self._shown = now
            self._write(f"{text}\n")

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(self._clock() - self._started), 60)
        return f"{minutes}:{seconds:02d}"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
