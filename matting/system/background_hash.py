"""The hash of a large file, computed in a thread while something else reads the file anyway."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from matting.system.closing import Closing
from matting.system.files import sha256
from matting.system.fingerprint import FileStamp


class BackgroundHash(Closing):
    """The SHA-256 of a file's content. Use it in a `with` block, which ends the reading."""

    def __init__(self, path: Path) -> None:
        self._closed = Event()
        self._pool = ThreadPoolExecutor(1, "hash")
        self._path = path
        self._outcome = self._pool.submit(self._read)

    def result(self) -> str:
        """Wait for the end of the file; return 64 hexadecimal digits.

        Raises:
            InputError: the file cannot be read.
        """
        return self._outcome.result()[0]

    def stamp(self) -> FileStamp:
        """Wait for the end of the file; return the stamp that it had then.

        Raises:
            InputError: the file cannot be read.
        """
        return self._outcome.result()[1]

    def close(self) -> None:
        """End the reading, wherever it is."""
        self._closed.set()
        self._pool.shutdown()

    def _read(self) -> tuple[str, FileStamp]:
        return sha256(self._path, self._go_on), FileStamp.of(self._path)

    def _go_on(self, _bytes: int) -> None:
        if self._closed.is_set():
            raise _ClosedError


class _ClosedError(Exception):
    """Nobody waits for the hash any more."""
