"""The only door to the console: sentences, and one line of progress.

Nothing that it does to a console or a file can fail the work: what the code page lacks is replaced,
and where nobody listens any more, the work goes on in silence.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TextIO, cast

from matting.cli.progress_line import Meter
from matting.progress import Progress

REDRAW_SECONDS = 0.2
LOG_FIRST_SECONDS, LOG_SECONDS = 10, 60
USUAL_WIDTH = 80
BAR_CELL = "#"  # blocks are as wide as two letters in Asian windows, and not in every font


class Console(Progress):
    """Sentences on standard output; progress and errors on standard error.

    In a window, progress is a line that is written over. In a log file, and in a window that
    does not go back in a line (`TERM=dumb`), it is a line now and then.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._meter: Meter | None = None
        self._shown: _Bar | _Log | None = None

    def say(self, text: str) -> None:
        if not self._quiet:
            self._line(text, sys.stdout)

    def detail(self, text: str) -> None:
        if self._verbose:
            self._line(text, sys.stdout)

    def error(self, text: str) -> None:
        """A failure, shown even when quiet."""
        self._line(text, sys.stderr)

    def start(self, title: str, total: int, unit: str, parts: int = 0) -> None:
        self.finish()
        if self._quiet:
            return
        self._meter = Meter(title, total, unit, parts, time.monotonic())
        outlet = _Outlet(sys.stderr)
        self._shown = (_Bar if outlet.is_window else _Log)(self._meter, outlet)

    def advance(self, units: int) -> None:
        if self._meter is not None and self._shown is not None:
            self._meter.advance(units, time.monotonic())
            self._shown.update()

    def more(self, units: int, parts: int) -> None:
        if self._meter is not None:
            self._meter.more(units, parts)

    def part_done(self) -> None:
        if self._meter is not None:
            self._meter.part_done()

    def finish(self) -> None:
        shown, self._shown, self._meter = self._shown, None, None
        if shown is not None:
            shown.close()

    def _line(self, text: str, stream: TextIO) -> None:
        if self._shown is not None:
            self._shown.clear()
        _Outlet(stream).write(f"{text}\n")
        if self._shown is not None:
            self._shown.refresh()


class _Outlet:
    """A stream that takes whatever is written."""

    def __init__(self, stream: TextIO | None) -> None:  # None: a program without a console
        self._stream = stream
        self.encoding = (stream and stream.encoding) or "utf-8"

    def write(self, text: str) -> None:
        """Writes what the stream can show of `text`, at once."""
        if self._stream is None:
            return
        # A name may hold what would steer the console, colours for instance.
        plain = "".join("?" if c < " " and c not in "\n\r\t" else c for c in text)
        shown = plain.encode(self.encoding, "replace").decode(self.encoding, "replace")
        try:
            self._stream.write(shown)
            self._stream.flush()
        except OSError:
            # `| head` has seen enough, the window is closed, the log's disk is full.
            _silence(self._stream)
        except ValueError:
            pass  # closed by this very process

    def flush(self) -> None:
        """All is written at once."""

    @property
    def is_window(self) -> bool:
        """Whether a line there can be written over."""
        if self._stream is None or os.environ.get("TERM") == "dumb":
            return False
        try:
            return self._stream.isatty()
        except ValueError:  # closed
            return False

    @property
    def width(self) -> int:
        """Of the window, in characters."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns if self._stream else 0
        except (OSError, ValueError):
            columns = 0
        return columns or USUAL_WIDTH  # some say 0


class _Bar:
    """The line in a window. tqdm writes it over, and takes it away."""

    def __init__(self, meter: Meter, outlet: _Outlet) -> None:
        self._meter = meter
        self._outlet = outlet
        self._next = 0.0
        from tqdm import tqdm  # here, as sentences must be shown where it is missing

        tqdm.monitor_interval = 0  # no thread that looks after it
        self._bar = tqdm(file=cast(TextIO, outlet), bar_format="{desc}", leave=False)
        self.update()

    def update(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + REDRAW_SECONDS
            self.refresh()

    def clear(self) -> None:
        self._bar.clear()

    def refresh(self) -> None:
        # The last column stays free: some windows begin a new line after it.
        line = self._meter.line(self._outlet.width - 1, BAR_CELL)
        self._bar.set_description_str(line)

    def close(self) -> None:
        """Leaves the line where it stopped; nothing of it when all is done."""
        if not self._meter.is_complete:
            self._bar.leave = True
            self.refresh()
        self._bar.close()


class _Log:
    """Lines now and then."""

    def __init__(self, meter: Meter, outlet: _Outlet) -> None:
        self._meter = meter
        self._outlet = outlet
        self._next = time.monotonic() + LOG_FIRST_SECONDS

    def update(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LOG_SECONDS
            self._outlet.write(f"{self._meter.line(USUAL_WIDTH - 1, '')}\n")

    def clear(self) -> None:
        """There is nothing to be cleared."""

    def refresh(self) -> None:
        """There is nothing to be shown again."""

    def close(self) -> None:
        """The next sentence tells."""


def _silence(stream: TextIO) -> None:
    """What is still to be written there goes nowhere; else Python fails over it at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
