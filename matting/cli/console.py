"""All that is written to the console: sentences, and one line of progress.

Names and tags may hold anything: what could control a window is shown as an escape, so that a
sentence is one line. Writing cannot fail the work: characters that the code page lacks are
replaced, if nobody reads any more, the work goes on in silence, and where the console stands still,
it does not.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TextIO, cast

from matting.cli.console_writer import WRITER
from matting.cli.job_log import JobLog
from matting.cli.notices import notice_lines, segment_text
from matting.cli.progress_line import ProgressLine
from matting.cli.wrapping import wrap
from matting.progress import Notice, Progress, SegmentReport, quantity
from matting.system.invocation import batch_file
from matting.system.text import printable, printable_lines

REDRAW_SECONDS = 0.2
LOG_FIRST_SECONDS, LOG_SECONDS = 10, 60
USUAL_WIDTH = 80
BAR_CELL = "#"  # blocks are as wide as two letters in Asian windows, and not in every font
YES, NO = {"y", "yes"}, {"n", "no"}


class Console(Progress):
    """Writes sentences to standard output, and progress and errors to standard error.

    In a window, progress is one line that is overwritten. In a log file, and in a window that
    cannot do that (`TERM=dumb`), it is a line now and then.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        log: JobLog | None = None,
        unbroken: Collection[str] = (),
    ) -> None:
        """
        Args:
            log: gets everything, also what is not shown.
            unbroken: names of files, inside which no line is broken.
        """
        self._unbroken = unbroken
        self._quiet = quiet
        self._verbose = verbose
        self._log = log
        self._noticed: dict[Notice, Counter[str]] = {}
        self._just_said: set[str] = set()  # since the last task began
        self._line: ProgressLine | None = None
        self._shown: _Bar | _Log | None = None
        self._stopped = ""  # the line of a task that has just ended before its last unit

    def say(self, text: str) -> None:
        self._stopped = ""
        self.record(text)
        if not self._quiet:
            self._write(printable(text), sys.stdout, may_be_dropped=True)

    def detail(self, text: str) -> None:
        self.record(text)
        if self._verbose:
            self._write(printable(text), sys.stdout, may_be_dropped=True)

    def show(self, text: str) -> None:
        """Show a text of several lines that was asked for."""
        self._write(text, sys.stdout)

    def error(self, text: str) -> None:
        """Show a failure, in one line or several, even when quiet."""
        self.record(text)
        self._write(printable_lines(text), sys.stderr)

    def notice(self, kind: Notice, text: str) -> None:
        self.record(f"{kind.value}: {text}")
        self._noticed.setdefault(kind, Counter())[text] += 1
        self._just_said.add(text)

    def report(self, segment: SegmentReport) -> None:
        self.record(segment_text(segment))

    def confirm(self, question: str) -> bool | None:
        while (answer := self.ask(f"{question} (y/n)")) is not None:
            if answer.lower() in YES | NO:
                return answer.lower() in YES
            self._write("Please type y or n.", sys.stdout)
        return None

    def ask(self, question: str) -> str | None:
        """Return what is typed in answer to a question; None: there is nobody to answer it."""
        if not _can_ask():
            return None
        self._write(printable(question), sys.stdout)
        answer = sys.stdin.readline()
        self.record(f"{question} {answer.strip()}")
        # Without even a line end, the window is closed, or nobody types into this pipe.
        return answer.strip() if answer else None

    def list_notices(self) -> None:
        """Say what there was to notice since the last time."""
        noticed, self._noticed = self._noticed, {}
        for texts in noticed.values():
            for text in self._just_said:
                if text.endswith("."):
                    texts.pop(text, None)
        for line in notice_lines(noticed):
            self.say(line)

    @property
    def log_path(self) -> Path | None:
        """The file of the run's log; None if there is none."""
        return None if self._log is None else self._log.path

    def record(self, text: str) -> None:
        """Write a text to the log only."""
        if self._log is not None:
            self._log.write(text)

    def start(self, title: str, total: int, unit: str, segments: int = 0) -> None:
        self.finish()
        self._stopped = ""
        self.record(f"{title}{f' ({quantity(total, unit)})' if total else ''}")
        self._just_said.clear()
        if self._quiet:
            return
        self._line = ProgressLine(title, total, unit, segments, time.monotonic())
        outlet = _Outlet(sys.stderr)
        self._shown = (_Bar if outlet.is_window else _Log)(self._line, outlet)

    def advance(self, units: int) -> None:
        if self._line is not None and self._shown is not None:
            self._line.advance(units, time.monotonic())
            self._shown.update()

    def extend(self, units: int, segments: int) -> None:
        if self._line is not None:
            self._line.extend(units, segments)

    def end_segment(self) -> None:
        if self._line is not None:
            self._line.end_segment()

    def finish(self) -> None:
        shown, self._shown, self._line = self._shown, None, None
        if shown is not None:
            self._stopped = shown.close()

    def leave_line(self) -> None:
        """Leave the line of the last task where it stopped, for what comes now is why it did."""
        self.finish()
        if self._stopped:
            self._write(self._stopped, sys.stderr)
            self._stopped = ""

    def _write(self, text: str, stream: TextIO, *, may_be_dropped: bool = False) -> None:
        if self._shown is not None:
            self._shown.clear()
        outlet = _Outlet(stream, may_be_dropped=may_be_dropped)
        lines = text.split("\n")
        if outlet.is_window:
            width = outlet.width - 1  # some windows begin a new line after the last column
            lines = [part for line in lines for part in wrap(line, width, self._unbroken)]
        outlet.write("".join(f"{line}\n" for line in lines))
        if self._shown is not None:
            self._shown.refresh()


def _can_ask() -> bool:
    """Return whether somebody sees a question and can answer it.

    A batch file has a window, which some terminals do not show to be one.
    """
    if sys.stdin is None or sys.stdout is None:
        return False
    try:
        return bool(batch_file()) or (sys.stdin.isatty() and sys.stdout.isatty())
    except ValueError:  # closed
        return False


class _Outlet:
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


class _Bar:
    """The line in a window, which tqdm overwrites and removes."""

    def __init__(self, line: ProgressLine, outlet: _Outlet) -> None:
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


class _Log:
    """A line now and then."""

    def __init__(self, line: ProgressLine, outlet: _Outlet) -> None:
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
