"""Whether another program has a file open for writing: a recorder, a copy, a download."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import _winapi

    SHARE_READ, SHARE_DELETE = 1, 4
    SHARING_VIOLATION = 32

    def _is_open_for_writing(path: Path) -> bool:
        """Try to open it beside readers only, which fails where it has a writer."""
        try:
            handle = _winapi.CreateFile(
                str(path),
                _winapi.GENERIC_READ,
                SHARE_READ | SHARE_DELETE,
                0,
                _winapi.OPEN_EXISTING,
                0,
                0,
            )
        except OSError as error:
            return error.winerror == SHARING_VIOLATION
        _winapi.CloseHandle(handle)
        return False

elif sys.platform == "linux":
    import fcntl
    import signal

    def _is_open_for_writing(path: Path) -> bool:
        """Try to take a read lease, which Linux grants only where nobody writes (fcntl(2))."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            # A writer that comes in this moment is announced by a signal: one that does no harm.
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)  # and with it ends the lease
        return False

else:

    def _is_open_for_writing(_path: Path) -> bool:
        """Return False: macOS does not tell who writes a file."""
        return False


def is_being_written(path: Path) -> bool:
    """Return whether a file is open for writing anywhere on this computer.

    False where that cannot be told: on systems and file systems that do not know it.
    """
    try:
        return _is_open_for_writing(path)
    except OSError:
        return False
