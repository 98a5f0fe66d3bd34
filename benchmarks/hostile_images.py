"""Pictures of a few kilobytes that would take gigabytes, or for ever, built by hand."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import cache

UNPACKED_BYTES = 1 << 28
COMPRESSED_TEXTS = {b"iCCP": b"name\0\0", b"zTXt": b"name\0\0", b"iTXt": b"name\0\1\0\0\0"}
# Entries of a TIFF's directory: tag, type (3: 16 bits, 4: 32 bits), how many, value.
WIDTH, HEIGHT, STRIP = 256, 257, 273
NEXT_PICTURES, EXIF = 330, 34665


def png(*chunks: tuple[bytes, bytes], width: int = 16, height: int = 8) -> bytes:
    """Build an RGB PNG that is black, with other chunks before its pixels.

    Of one that says it is large, the pixels are those of a small one.
    """
    lines = (b"\0" + bytes(3 * min(width, 16))) * min(height, 8)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    all_chunks = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return _file(all_chunks)


def _file(chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def png_bomb(kind: bytes, unpacked_bytes: int = UNPACKED_BYTES) -> bytes:
    """Build a PNG with a compressed text, or profile, of so many zeros."""
    return png((kind, COMPRESSED_TEXTS[kind] + _packed_zeros(unpacked_bytes)))


@cache
def _packed_zeros(size_bytes: int) -> bytes:
    block = bytes(1 << 20)
    packing = zlib.compressobj(1)
    packed = b"".join(packing.compress(block) for _ in range(size_bytes >> 20))
    return packed + packing.flush()


def endless_png() -> bytes:
    """Build a PNG of two megabytes as large as is taken, whose pixels take many seconds."""
    side, line = 16255, 1 + 8 * 16255
    packing = zlib.compressobj(9)
    start, block = (
        packing.compress(bytes(1 << 20)) + packing.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
    )
    header = struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 0)
    return _file([(b"IHDR", header), (b"IDAT", start + block * (side * line >> 20))])


def tiff(
    *entries: tuple[int, int, int, int], following: Sequence[int] = (0,), side: int = 4
) -> bytes:
    """Build a grey TIFF of that side, whose pixels are bytes of the file itself.

    Args:
        entries: more of its directory's, or others in place of its own.
        following: of each of its directories, which one comes next, from 1; 0: none.
    """
    own = {(256, 3, 1, side), (257, 3, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)}
    own |= {(STRIP, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, side), (279, 4, 1, side * side)}
    replaced = {tag for tag, *_ in entries}
    listed = sorted([*entries, *(entry for entry in own if entry[0] not in replaced)])
    directory = struct.pack("<H", len(listed)) + b"".join(
        struct.pack("<HHII", *entry) for entry in listed
    )
    size = len(directory) + 4
    places = [struct.pack("<I", 8 + (number - 1) * size if number else 0) for number in following]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(directory + place for place in places)


def endless_directory(tag: int) -> bytes:
    """Build a TIFF of 26 bytes with one entry, that points to itself as does its directory."""
    entry = struct.pack("<HHII", tag, 4, 1, 8)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 8)
