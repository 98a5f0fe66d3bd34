"""The log of a job: `job.log` in its folder, with a section for each run.

It is there to be sent along with a report. So it names no file but the job's own, and neither the
computer nor its user: the home folder is `~`, and the program's own files are relative to it. A
log that cannot be written stops nothing.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from matting.cli.log_names import NameRemover
from matting.project.paths import CUT_CHECKPOINT, LOG_NAME, PLAN_NAME, UNFINISHED, MattedFolder
from matting.system.invocation import VERSION, command_line
from matting.system.text import printable

OLDER = ("job.1.log", "job.2.log")
LARGEST_BYTES = 1_000_000
MOST_LINES = 10_000  # of one run that wait for a folder
SIGN = "=== RVM on Segments"  # each of its files begins with it


class JobLog:
    """The log of one run. The file is open only while something is added to it."""

    def __init__(
        self,
        folders: Sequence[Path],
        arguments: Sequence[str],
        names: NameRemover,
        describe_system: Callable[[], str],
    ) -> None:
        """
        Args:
            folders: where the job may be; the log is in the first one that holds a job by then.
            arguments: what was typed.
            describe_system: returns the versions of all that takes part; called when there is a
                folder.
        """
        self._folders = folders
        self._names = names
        self._describe_system: Callable[[], str] | None = describe_system
        self._lines: list[str] = []  # of this run
        self._written: dict[Path, int] = {}  # how many of them each folder has
        self._lock = threading.Lock()
        started = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
        self._lines.append(f"{SIGN} {VERSION}, {started}, process {os.getpid()}")
        self._lines.append(f"command: {self._clean(command_line(arguments))}")

    @property
    def path(self) -> Path | None:
        """The file; None while nothing has been written."""
        return next((f / LOG_NAME for f in self._folders if f in self._written), None)

    def write(self, text: str) -> None:
        """Add a text, each of its lines with the time."""
        with self._lock:
            now = f"{datetime.now():%H:%M:%S}"
            self._lines += [f"{now} {self._clean(line)}" for line in text.split("\n")]
            del self._lines[MOST_LINES:]
            folder = next((folder for folder in self._folders if _holds_job(folder)), None)
            if folder is not None:
                with suppress(OSError, ValueError):
                    self._add_to(folder)

    def _clean(self, line: str) -> str:
        return printable(self._names.remove(line))

    def _add_to(self, folder: Path) -> None:
        """Write what `folder` lacks.

        Raises:
            OSError.
        """
        if self._describe_system is not None:
            self._lines.insert(2, self._clean(self._describe_system()))
            self._describe_system = None
        lines = self._lines[self._written.get(folder, 0) :]
        text = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
        if not _append(folder / LOG_NAME, text):
            text = f"{SIGN}, continued\n".encode() + text
            _append(folder / LOG_NAME, text)
        self._written[folder] = len(self._lines)


def _holds_job(folder: Path) -> bool:
    """Return whether a folder holds a job, be it an unfinished one."""
    matted = MattedFolder(folder)
    signs = (folder / PLAN_NAME, folder / UNFINISHED / CUT_CHECKPOINT)
    return any(os.path.isfile(path) for path in (*signs, matted.manifest, matted.processed))  # noqa: PTH113


def _append(path: Path, text: bytes) -> bool:
    """Add to the log; return False where it was full, and has another name now.

    Raises:
        OSError: also if another file, or a link, has its name.
    """
    if path.is_symlink():  # Windows cannot open a file so that no link is followed
        raise OSError(f"{path} is a link")
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags, 0o666)
    with open(descriptor, "r+b", buffering=0) as file:  # noqa: PTH123 - of a descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise OSError(f"{path} is another file, too")
        if status.st_size and file.read(len(SIGN)) != SIGN.encode():
            raise OSError(f"{path} is not a log of this program")
        if not status.st_size or status.st_size + len(text) <= LARGEST_BYTES:
            file.write(text)
            return True
    names = [path, *(path.with_name(older) for older in OLDER)]
    for newer, older in reversed(list(pairwise(names))):
        if newer.exists():
            newer.replace(older)
    return False
