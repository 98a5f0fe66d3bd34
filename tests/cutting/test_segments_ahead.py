"""Segments are written a few ahead of those that are read, and no further."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

import pytest

from matting.cutting.packet_cutter import PacketSpan
from matting.cutting.segments_ahead import MOST_AHEAD, SegmentsAhead
from matting.errors import StorageError
from matting.progress import ignore

FILES = {Path(f"{number}"): PacketSpan(number, number, number + 1) for number in range(20)}
PATHS = list(FILES)


class Writer:
    """Writes nothing, and notes what it has been asked to."""

    def __init__(self) -> None:
        self.written: list[Path] = []
        self.fails_at: Path | None = None
        self.is_waiting = Event()

    def __call__(
        self,
        files: Mapping[Path, PacketSpan],
        on_packets: Callable[[int], None],
        on_written: Callable[[Path], None],
    ) -> None:
        for path in files:
            on_packets(1)
            if path == self.fails_at:
                raise StorageError("full", "make room")
            self.written.append(path)
            if len(self.written) % MOST_AHEAD == 0:
                self.is_waiting.set()
            on_written(path)


def test_it_stays_ahead_by_so_many_and_no_more() -> None:
    writer = Writer()
    with SegmentsAhead(writer) as ahead:
        ahead.begin(FILES)
        for number, path in enumerate(PATHS):
            ahead.wait_for(path, ignore)
            assert number < len(writer.written) <= number + 1 + MOST_AHEAD
    assert writer.written == PATHS


def test_it_ends_where_nobody_reads_on() -> None:
    writer = Writer()
    with SegmentsAhead(writer) as ahead:
        ahead.begin(FILES)
        assert writer.is_waiting.wait(10)
    assert len(writer.written) == MOST_AHEAD


def test_it_begins_anew_with_others() -> None:
    writer = Writer()
    with SegmentsAhead(writer) as ahead:
        ahead.begin(FILES)
        ahead.wait_for(PATHS[1], ignore)
        before = len(writer.written)
        ahead.begin({path: FILES[path] for path in PATHS[1:4]})
        ahead.wait_for(PATHS[3], ignore)
        assert writer.written[-3:] == PATHS[1:4] and len(writer.written) >= before + 3
        ahead.wait_for(PATHS[0], ignore)  # which is there from before


def test_what_goes_wrong_is_raised_where_segments_are_waited_for() -> None:
    writer = Writer()
    writer.fails_at = PATHS[2]
    with SegmentsAhead(writer) as ahead:
        ahead.begin(FILES)
        with pytest.raises(StorageError):
            ahead.wait_for(PATHS[2], ignore)
