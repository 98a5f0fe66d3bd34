"""The line of progress, shown: overwritten in a window, repeated now and then in a log file."""

from __future__ import annotations

import time
from typing import TextIO, cast

from matting.cli.outlet import USUAL_WIDTH, Outlet
from matting.cli.progress_line import ProgressLine

REDRAW_SECONDS = 0.2
LOG_FIRST_SECONDS, LOG_SECONDS = 10, 60
BAR_CELL = "#"  # blocks are as wide as two letters in Asian windows, and not in every font


class ProgressBar:
    """The line in a window, which tqdm overwrites and removes."""

    def __init__(self, line: ProgressLine, outlet: Outlet) -> None:
        self._line = line
        self._outlet = outlet
        self._next = 0.0
        from tqdm import tqdm  # here: sentences must be shown even if it is missing

        tqdm.monitor_interval = 0  # no thread to monitor it
        self._bar = tqdm(file=cast(TextIO, outlet), bar_format="{desc}", leave=False)
        self.update()

    def update(self) -> None:
        now = time.monotonic()
        if now >= self._next and not self._outlet.is_behind:
            self._next = now + REDRAW_SECONDS
            self.refresh()

    def clear(self) -> None:
        self._bar.clear()

    def refresh(self) -> None:
        self._bar.set_description_str(self._rendered())

    def close(self) -> str:
        """Remove the line; return it if not all is done, else ""."""
        self._bar.close()
        return "" if self._line.is_complete else self._rendered()

    def _rendered(self) -> str:
        # The last column stays free: some windows start a new line after it.
        return self._line.render(self._outlet.width - 1, BAR_CELL)


class ProgressLog:
    """A line now and then."""

    def __init__(self, line: ProgressLine, outlet: Outlet) -> None:
        self._line = line
        self._outlet = outlet
        self._next = time.monotonic() + LOG_FIRST_SECONDS

    def update(self) -> None:
        now = time.monotonic()
        if now >= self._next and not self._outlet.is_behind:
            self._next = now + LOG_SECONDS
            self._outlet.write(f"{self._line.render(USUAL_WIDTH - 1, '')}\n")

    def clear(self) -> None:
        """Do nothing: a line in a log stays."""

    def refresh(self) -> None:
        """Do nothing: a line in a log stays."""

    def close(self) -> str:
        """Return "": the next sentence says how it ended."""
        return ""
