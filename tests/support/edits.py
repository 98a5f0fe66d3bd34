"""Edit lists that no writer here makes: those of editors, with several entries."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from matting.media.mp4.boxes import Box, handler, read_moov, write_moov

EMPTY = Fraction(-1)


def with_edits(video: Path, edits: dict[bytes, Sequence[tuple[Fraction, Fraction]]]) -> Path:
    """Replace the edit lists of the mp4 `video`, in place; return it.

    Args:
        edits: by the tracks' handlers, as `vide`: (from where, how long) in seconds; from EMPTY:
            nothing. Times count from the first frame that the file presents.
    """
    moov = read_moov(video)
    assert moov is not None
    header = moov.child(b"mvhd")
    assert header is not None
    (movie_ticks,) = struct.unpack_from(">I", header.head, 12)
    for trak in moov.all(b"trak"):
        if handler(trak) in edits:
            ticks, start = _ticks(trak), _start(trak)
            entries = b"".join(
                struct.pack(
                    ">IiI",
                    round(length * movie_ticks),
                    -1 if at == EMPTY else start + round(at * ticks),
                    1 << 16,
                )
                for at, length in edits[handler(trak)]
            )
            count = len(edits[handler(trak)])
            table = Box(b"elst", struct.pack(">II", 0, count) + entries)
            edts = Box(b"edts", bytes(table))
            others = [box for box in trak.children if box.kind != b"edts"]
            trak.children = [others[0], edts, *others[1:]]
    write_moov(video, moov)
    return video


def _ticks(trak: Box) -> int:
    header = trak.child(b"mdia", b"mdhd")
    assert header is not None
    return int.from_bytes(header.head[12:16], "big")


def _start(trak: Box) -> int:
    """Return where in its media the track's presentation starts, by its one entry."""
    edts = trak.child(b"edts")
    if edts is None:
        return 0
    (start,) = struct.unpack_from(">i", edts.head, 8 + 8 + 4)
    return int(start)
