"""Where console output goes: a window, a file or nothing, none of which can fail the work."""

from __future__ import annotations

import os
from typing import TextIO

from matting.cli.console_writer import WRITER

USUAL_WIDTH = 80


class Outlet:
    """A stream that takes whatever is written to it."""

    def __init__(self, stream: TextIO | None, *, may_be_dropped: bool = False) -> None:
        """
        Args:
            stream: None: a program without a console.
            may_be_dropped: whether what is written is left out where very much waits already.
        """
        self._stream = stream
        self._may_be_dropped = may_be_dropped
        self.encoding = (stream and stream.encoding) or "utf-8"

    def write(self, text: str) -> None:
        """Write what the stream can show of `text`."""
        if self._stream is None:
            return
        shown = text.encode(self.encoding, "replace").decode(self.encoding, "replace")
        WRITER.write(self._stream, shown, may_be_dropped=self._may_be_dropped)

    def flush(self) -> None:
        """Do nothing: everything is written as soon as can be."""

    @property
    def is_behind(self) -> bool:
        """Whether so much waits to be written that progress had better wait, too."""
        return WRITER.is_behind

    @property
    def is_window(self) -> bool:
        """Whether a line there can be overwritten."""
        if self._stream is None or os.environ.get("TERM") == "dumb":
            return False
        try:
            return self._stream.isatty()
        except ValueError:  # closed
            return False

    @property
    def width(self) -> int:
        """The window's width, in characters."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns if self._stream else 0
        except (OSError, ValueError):
            columns = 0
        return columns or USUAL_WIDTH  # some report 0
