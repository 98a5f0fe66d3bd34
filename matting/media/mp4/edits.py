"""Edit lists of MP4 and QuickTime tracks: which parts of their media are presented, and when.

Source: ISO/IEC 14496-12, 8.6.6.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from matting.media.mp4.boxes import Box, parse, track_id

MOST_EDITS = 10_000  # of a track; more come from nobody's editor
NORMAL_RATE = 1 << 16


class Edit(NamedTuple):
    """One part of a presentation.

    Attributes:
        seconds: how long it is.
        start: from which time of its media on, in seconds; None: it shows nothing.
        rate: how fast, in sixteenths of a bit, as the file has it.
    """

    seconds: Fraction
    start: Fraction | None
    rate: int = NORMAL_RATE


def edits_of(moov: Box) -> dict[int, tuple[Edit, ...]]:
    """Return the edits of each track that has any, by the track's number.

    Of a file in fragments none: FFmpeg does not follow them there.
    """
    movie_ticks = _ticks(moov.child(b"mvhd"))
    if moov.child(b"mvex") or not movie_ticks:
        return {}
    edits = {
        track_id(trak): tuple(_edits_of_track(trak, movie_ticks)) for trak in moov.all(b"trak")
    }
    return {number: own for number, own in edits.items() if own}


def put_edits(moov: Box, edits: Mapping[int, Sequence[Edit]]) -> None:
    """Give tracks these edits in place of their own, and the movie its length.

    Args:
        edits: by the track's place in the file, from 0.
    """
    header = moov.child(b"mvhd")
    movie_ticks = _ticks(header)
    traks = moov.all(b"trak")
    for place, own in edits.items():
        media_ticks = _ticks(traks[place].child(b"mdia", b"mdhd"))
        if movie_ticks and media_ticks:
            _put_track_edits(traks[place], own, movie_ticks, media_ticks)
    if edits and header is not None:
        lengths = [_duration(trak.child(b"tkhd"), 20, 28) for trak in traks]
        _set_duration(header, 16, 24, max(lengths))


def _edits_of_track(trak: Box, movie_ticks: int) -> Iterator[Edit]:
    media_ticks = _ticks(trak.child(b"mdia", b"mdhd"))
    container = trak.child(b"edts")
    tables = parse(container.head)[0] if container else []
    table = next((box.head for box in tables if box.kind == b"elst"), b"")
    if len(table) < 8 or not media_ticks:
        return
    form = ">QqI" if table[:1] == b"\1" else ">IiI"
    size = struct.calcsize(form)
    count = min(int.from_bytes(table[4:8], "big"), (len(table) - 8) // size)
    if count > MOST_EDITS:
        return
    for number in range(count):
        length, start, rate = struct.unpack_from(form, table, 8 + number * size)
        media = None if start == -1 else Fraction(start, media_ticks)
        yield Edit(Fraction(length, movie_ticks), media, rate)


def _put_track_edits(trak: Box, edits: Sequence[Edit], movie_ticks: int, media_ticks: int) -> None:
    entries = b"".join(
        struct.pack(
            ">QqI",
            round(edit.seconds * movie_ticks),
            -1 if edit.start is None else round(edit.start * media_ticks),
            edit.rate,
        )
        for edit in edits
    )
    table = Box(b"elst", struct.pack(">II", 1 << 24, len(edits)) + entries)
    others = [box for box in trak.children if box.kind != b"edts"]
    place = next((n for n, box in enumerate(others) if box.kind == b"mdia"), len(others))
    trak.children = [*others[:place], Box(b"edts", bytes(table)), *others[place:]]
    header = trak.child(b"tkhd")
    if header is not None:
        length = sum((edit.seconds for edit in edits), Fraction(0))
        _set_duration(header, 20, 28, round(length * movie_ticks))


def _ticks(header: Box | None) -> int:
    """Return the ticks a second of a movie's or a media's header; 0 where it has none."""
    if header is None:
        return 0
    at = 20 if header.head[:1] == b"\1" else 12
    return int.from_bytes(header.head[at : at + 4], "big")


def _duration(header: Box | None, at: int, at_in_version_1: int) -> int:
    if header is None:
        return 0
    is_long = header.head[:1] == b"\1"
    start = at_in_version_1 if is_long else at
    return int.from_bytes(header.head[start : start + (8 if is_long else 4)], "big")


def _set_duration(header: Box, at: int, at_in_version_1: int, ticks: int) -> None:
    """Write a duration where a header of its version has it; one too long for that is left."""
    is_long = header.head[:1] == b"\1"
    start, size = (at_in_version_1, 8) if is_long else (at, 4)
    if ticks < 1 << 8 * size:
        header.head = (
            header.head[:start] + ticks.to_bytes(size, "big") + header.head[start + size :]
        )
