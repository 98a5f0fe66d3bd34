"""A file that grows by whole lines, each on the disk before the next one begins."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from matting.errors import writing
from matting.system import atomic_files
from matting.system.temporary_files import HARMLESS

AT_END = os.O_WRONLY | os.O_APPEND | HARMLESS


class GrowingFile:
    """A file that is begun anew, and then only added to.

    It is opened for each line: so it can be read, copied and removed at any time by others, also on
    Windows.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size_bytes = 0

    def add(self, line: bytes) -> bool:
        """Add a line, and flush it; the first replaces what is there.

        After a crash a part of the line may be at the end of the file.

        Returns:
            whether that was done: not where the file is not as it was left.
        Raises:
            StorageError: it cannot be written.
        """
        if self.size_bytes == 0:
            atomic_files.write_bytes(self._path, line)
        elif not self._is_as_left():
            return False
        else:
            with writing(self._path):
                self._append(line)
        self.size_bytes += len(line)
        return True

    def _is_as_left(self) -> bool:
        try:
            status = self._path.lstat()
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == self.size_bytes

    def _append(self, line: bytes) -> None:
        descriptor = atomic_files.retry_on_sharing_violation(lambda: os.open(self._path, AT_END))
        try:
            while line:
                line = line[os.write(descriptor, line) :]
            atomic_files.sync(descriptor)
        finally:
            os.close(descriptor)
