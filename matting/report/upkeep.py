"""Keeps the report of a job that is at work up to date, at little cost."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from matting.errors import MattingError
from matting.progress import Progress
from matting.project.paths import MattedFolder
from matting.report.current_report import current_summary

if TYPE_CHECKING:
    from matting.report.job_report import WrittenReport

# Of the time, that writing it again may take while the job is at work.
SHARE = 0.01


@contextmanager
def kept_report(folder: MattedFolder, progress: Progress) -> Iterator[Callable[[], None]]:
    """Have a report of what the block does to a job, whatever becomes of it.

    Yields what brings the report up to date: to be called when something is recorded.
    """
    upkeep = _Upkeep(folder, progress)
    try:
        yield upkeep.refresh
    except BaseException:
        upkeep.finish()
        raise
    upkeep.finish(as_before=current_summary(folder))


class _Upkeep:
    """Writes the report, but not all the time."""

    def __init__(self, folder: MattedFolder, progress: Progress) -> None:
        self._folder = folder
        self._progress = progress
        self._next = time.monotonic()

    def refresh(self) -> None:
        """Write it, unless it has just been written."""
        started = time.monotonic()
        if started < self._next:
            return
        self._write(running=True)
        ended = time.monotonic()
        self._next = ended + (ended - started) / SHARE

    def finish(self, as_before: str = "") -> None:
        """Write it, and say where it is; where nothing was begun there is nothing to say.

        Args:
            as_before: what it says of the whole, where nothing has changed since it was written.
        """
        if not self._folder.manifest.is_file():
            return
        if as_before:
            self._say(as_before)
        elif written := self._write(running=False):
            self._say(written.summary)

    def _say(self, summary: str) -> None:
        self._progress.say(f"{summary} What was done, and what to look at: {self._folder.report}")

    def _write(self, *, running: bool) -> WrittenReport | None:
        """Write it; None: that did not go well. The job does not depend on it."""
        from matting.report.job_report import write_report

        try:
            return write_report(self._folder, self._progress, running=running)
        except MattingError as error:
            self._progress.say(f"The report was not written: {error.what}")
        except Exception as error:  # noqa: BLE001 - hours of work do not end by a fault in a page
            self._progress.say(f"The report was not written, by a fault of this program: {error!r}")
            self._progress.detail(traceback.format_exc())
        return None
