"""Segments written in a thread of its own, a few ahead of those that are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Condition

from matting.cutting.packet_cutter import PacketSpan
from matting.system.closing import Closing

MOST_AHEAD = 4
POLL_SECONDS = 0.1

# Writes segments; is told of every packet that was read, and of every segment that was closed.
WriteFiles = Callable[
    [Mapping[Path, PacketSpan], Callable[[int], None], Callable[[Path], None]], None
]


class SegmentsAhead(Closing):
    """Writes segments while others are read. Use it in a `with` block, which ends the writing.

    What has just been written is still in memory, however long the video and however slow the disk;
    and the disk is written to while the processor decodes.
    """

    def __init__(self, write: WriteFiles) -> None:
        self._write = write
        self._changed = Condition()
        self._pool: ThreadPoolExecutor | None = None
        self._outcome: Future[None] = Future()
        self._closed = False
        self._order: dict[Path, int] = {}
        self._written: set[Path] = set()
        self._wanted: list[Path] = []  # the one that was asked for last
        self._packets = 0

    def begin(self, files: Mapping[Path, PacketSpan]) -> None:
        """Begin to write these; where others are being written, that ends first.

        Args:
            files: in the order in which they will be asked for.
        """
        self.close()
        self._closed = False
        self._order = {path: number for number, path in enumerate(files)}
        self._written, self._wanted = set(), []
        self._pool = ThreadPoolExecutor(1, "segments")
        self._outcome = self._pool.submit(self._write, files, self._note_packets, self._note_file)

    def wait_for(self, path: Path, alive: Callable[[], None]) -> None:
        """Wait until a file is complete; one that is not among those of `begin` is taken to be.

        Args:
            alive: called while packets are being read.
        Raises:
            StorageError: a segment cannot be written.
            MediaError: the source cannot be read.
        """
        if path not in self._order:
            return
        with self._changed:
            if not self._wanted or self._order[path] > self._order[self._wanted[0]]:
                self._wanted = [path]
                self._changed.notify_all()
        packets = -1
        while not self._is_over(path):
            with self._changed:
                self._changed.wait_for(lambda: self._is_over(path), POLL_SECONDS)
            if packets != self._packets:
                packets = self._packets
                alive()
        if self._outcome.done():
            self._outcome.result()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._pool is not None:
            self._pool.shutdown()

    def _note_packets(self, packets: int) -> None:
        self._packets += packets
        if self._closed:
            raise _ClosedError

    def _note_file(self, path: Path) -> None:
        """Note a file that is complete, and wait until it is time for the next."""
        with self._changed:
            self._written.add(path)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or not self._is_far_ahead())
        if self._closed:
            raise _ClosedError

    def _is_over(self, path: Path) -> bool:
        """Return whether a file is complete, or the writing has ended or failed."""
        return path in self._written or self._outcome.done()

    def _is_far_ahead(self) -> bool:
        if self._wanted and self._wanted[0] not in self._written:
            return False
        read = self._order[self._wanted[0]] + 1 if self._wanted else 0
        return len(self._written) - read >= MOST_AHEAD


class _ClosedError(Exception):
    """Nobody reads the segments any more."""
