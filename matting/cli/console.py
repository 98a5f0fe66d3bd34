"""All that is written to the console: sentences, and one line of progress.

Names and tags may hold anything: what could control a window is shown as an escape, so that a
sentence is one line. Writing cannot fail the work: characters that the code page lacks are
replaced, if nobody reads any more, the work goes on in silence, and where the console stands still,
it does not.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TextIO, TypeVar

from matting.cli.job_log import JobLog
from matting.cli.notices import notice_lines, segment_text
from matting.cli.outlet import Outlet
from matting.cli.progress_display import ProgressBar, ProgressLog
from matting.cli.progress_line import ProgressLine
from matting.cli.wrapping import wrap
from matting.errors import InputError
from matting.progress import Notice, Progress, SegmentReport, quantity
from matting.system.invocation import batch_file
from matting.system.text import printable, printable_lines

Answer = TypeVar("Answer")

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
        self._shown: ProgressBar | ProgressLog | None = None
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
        while (answer := self.ask(f"{printable(question)} (y/n)")) is not None:
            if answer.lower() in YES | NO:
                return answer.lower() in YES
            self._write("Please type y or n.", sys.stdout)
        return None

    def ask_until(
        self,
        question: str,
        read: Callable[[str], Answer | None],
        again: str,
        default: Answer | None = None,
    ) -> Answer | None:
        """Return what an answer means, asking until it means something; None: there is nobody.

        Args:
            read: returns None of an answer that means nothing.
            again: the question after such an answer.
            default: what an empty answer means.
        Raises:
            InputError: the answer was empty, and means nothing.
        """
        while answer := self.ask(question):
            meant = read(answer)
            if meant is not None:
                return meant
            question = again
        if answer is None:
            return None
        if default is None:
            raise InputError("Nothing was chosen, and nothing was done.")
        return default

    def ask(self, question: str) -> str | None:
        """Return what is typed in answer to a question; None: there is nobody to answer it.

        Args:
            question: in one line, or in several.
        """
        if not _can_ask():
            return None
        self._write(printable_lines(question), sys.stdout)
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
        outlet = Outlet(sys.stderr)
        self._shown = (ProgressBar if outlet.is_window else ProgressLog)(self._line, outlet)

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
        outlet = Outlet(stream, may_be_dropped=may_be_dropped)
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
