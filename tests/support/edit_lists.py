"""MP4 files whose track shows parts of itself, in any order: ISO/IEC 14496-12, 8.6.6."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from matting.media.mp4.boxes import Box, parse, read_moov, write_moov


def with_edits(source: Path, target: Path, edits: Sequence[tuple[int, int]]) -> Path:
    """Copy an MP4 file, give its first track edits, and return the new file.

    Args:
        edits: each its first frame and how many frames, at 30 a second.
    """
    target.write_bytes(source.read_bytes())
    moov = read_moov(target)
    assert moov is not None
    movie, media = moov.child(b"mvhd"), moov.child(b"trak", b"mdia", b"mdhd")
    trak = moov.child(b"trak")
    assert movie is not None
    assert media is not None
    assert trak is not None
    movie_ticks, media_ticks = (
        struct.unpack_from(">I", box.head, 12)[0] // 30 for box in (movie, media)
    )
    start = 0
    for old in trak.all(b"edts"):
        start = struct.unpack_from(">i", parse(old.head)[0][0].head, 12)[0]
    entries = b"".join(
        struct.pack(">IiI", frames * movie_ticks, start + first * media_ticks, 1 << 16)
        for first, frames in edits
    )
    table = Box(b"elst", bytes(4) + len(edits).to_bytes(4, "big") + entries)
    others = [box for box in trak.children if box.kind != b"edts"]
    trak.children = [others[0], Box(b"edts", children=[table]), *others[1:]]
    write_moov(target, moov)
    return target
