"""The report of a job, for whoever asks: what was done, what to look at, and facts for support."""

from __future__ import annotations

from pathlib import Path

from matting.progress import Progress
from matting.project.matted import find_matted
from matting.report.job_report import write_report
from matting.system.invocation import Command


def report(given: Path, output: Path | None, progress: Progress) -> Path:
    """Write the report of a job beside its results; return its file.

    Args:
        given: the matted folder, or the video or the segments that it was made of.
        output: where the job may be besides.
    Raises:
        InputError: nothing is matted there, or its record cannot be read.
        StorageError: it cannot be written.
    """
    written = write_report(find_matted(given, output, Command.REPORT), progress)
    progress.say(f"{written.summary} The report, to be opened in a browser: {written.path}")
    return written.path
