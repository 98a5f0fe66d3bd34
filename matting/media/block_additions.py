"""Matroska with a second packet beside each: PyAV passes such pairs on, but makes none itself.

Only what FFmpeg needs to read it again: no index, no lengths of the whole. Source: RFC 9559.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from matting.errors import writing
from matting.imaging.sample_format import Size

EBML, DOC_TYPE = 0x1A45DFA3, 0x4282
SEGMENT, UNKNOWN_SIZE = 0x18538067, b"\x01" + b"\xff" * 7
TRACKS, TRACK, TRACK_NUMBER, TRACK_UID, TRACK_TYPE = 0x1654AE6B, 0xAE, 0xD7, 0x73C5, 0x83
CODEC_ID, VIDEO, WIDTH, HEIGHT, ALPHA_MODE = 0x86, 0xE0, 0xB0, 0xBA, 0x53C0
CLUSTER, TIMESTAMP, BLOCK_GROUP, BLOCK, REFERENCE = 0x1F43B675, 0xE7, 0xA0, 0xA1, 0xFB
ADDITIONS, MORE, ADDITION_ID, ADDITION = 0x75A1, 0xA6, 0xEE, 0xA5


class PacketPair(NamedTuple):
    """An encoded frame, and what goes beside it.

    Attributes:
        time_ms: when it is presented.
    """

    content: bytes
    beside: bytes
    time_ms: int
    is_key_frame: bool


def write_pairs(path: Path, codec: str, size_px: Size, pairs: Iterable[PacketPair]) -> None:
    """Write a track of such pairs, whose second packets are alpha.

    Args:
        codec: Matroska's name of it.
    Raises:
        StorageError: the file cannot be written.
    """
    width, height = (_number(side) for side in size_px)
    shape = _element(WIDTH, width) + _element(HEIGHT, height) + _element(ALPHA_MODE, b"\x01")
    track = b"".join(_element(kind, b"\x01") for kind in (TRACK_NUMBER, TRACK_UID, TRACK_TYPE))
    track += _element(CODEC_ID, codec.encode("ascii")) + _element(VIDEO, shape)
    with writing(path), path.open("wb") as file:
        file.write(_element(EBML, _element(DOC_TYPE, b"matroska")))
        file.write(_id(SEGMENT) + UNKNOWN_SIZE + _element(TRACKS, _element(TRACK, track)))
        for pair in pairs:
            file.write(_cluster(pair))


def _cluster(pair: PacketPair) -> bytes:
    # Of track 1, at the cluster's own time, without flags.
    block = _element(BLOCK, struct.pack(">BhB", 0x81, 0, 0) + pair.content)
    addition = _element(ADDITION_ID, b"\x01") + _element(ADDITION, pair.beside)
    block += _element(ADDITIONS, _element(MORE, addition))
    if not pair.is_key_frame:
        block += _element(REFERENCE, b"\xff")
    time = _element(TIMESTAMP, _number(pair.time_ms))
    return _element(CLUSTER, time + _element(BLOCK_GROUP, block))


def _element(kind: int, content: bytes) -> bytes:
    return _id(kind) + struct.pack(">Q", 1 << 56 | len(content)) + content


def _id(kind: int) -> bytes:
    return kind.to_bytes(-(-kind.bit_length() // 8), "big")


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big")
