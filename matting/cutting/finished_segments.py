"""Segments that stay as they are: flushed and hashed while others are still being cut."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from matting.errors import MattingError
from matting.system import atomic_files
from matting.system.closing import Closing
from matting.system.fingerprint import StampedFingerprint


class FinishedSegments(Closing):
    """Takes the segments that are finished. Use it in a `with` block, which ends the work on them.

    Each is read back from its file soon after it was decoded, when that is still in memory.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "finished")
        self._fingerprints: dict[Path, Future[StampedFingerprint]] = {}

    def add(self, path: Path) -> None:
        """Take a closed file, which is not to be written to again."""
        self._fingerprints[path] = self._pool.submit(_flush_and_hash, path)

    def forget(self) -> None:
        """Let go of all that were taken: they are made in another way."""
        for future in self._fingerprints.values():
            future.cancel()
        wait(self._fingerprints.values())
        self._fingerprints.clear()

    def fingerprints(self, alive: Callable[[], None]) -> dict[Path, StampedFingerprint]:
        """Wait for all that were taken; return the fingerprints of those that could be read.

        Args:
            alive: called for each of them.
        """
        known: dict[Path, StampedFingerprint] = {}
        for path, future in self._fingerprints.items():
            alive()
            with suppress(MattingError):  # raised again where the segment is needed
                known[path] = future.result()
        return known

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def _flush_and_hash(path: Path) -> StampedFingerprint:
    atomic_files.flush(path)
    return StampedFingerprint.of(path)
