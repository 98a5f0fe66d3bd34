"""Insert boxes into the video sample entry of a finished mp4 file, or the same into Matroska.

Sources: ISO/IEC 14496-12 (boxes, `clap`); Spherical Video V2 RFC, Google (`st3d`, `sv3d`).
"""

from __future__ import annotations

import struct
from pathlib import Path

from benchmarks.fidelity.program import run_ffmpeg

PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
ENTRY_COUNT_BYTES = 8  # what stsd holds before its first entry


def box(kind: bytes, content: bytes) -> bytes:
    """Return a box with its length."""
    return struct.pack(">I", 8 + len(content)) + kind + content


def full_box(kind: bytes, content: bytes) -> bytes:
    """Return a box with version 0 and no flags."""
    return box(kind, bytes(4) + content)


def stereo(mode: int) -> bytes:
    """Return `st3d`; 1: top and bottom, 2: left and right."""
    return full_box(b"st3d", bytes([mode]))


def equirectangular() -> bytes:
    """Return `sv3d` of a whole sphere, rotated by 90, 45 and 30 degrees."""
    pose = struct.pack(">iii", *(degrees << 16 for degrees in (90, 45, 30)))
    projection = full_box(b"prhd", pose) + full_box(b"equi", bytes(16))
    return box(b"sv3d", full_box(b"svhd", b"bench\0") + box(b"proj", projection))


def clean_aperture(size: tuple[int, int], shift: tuple[int, int]) -> bytes:
    """Return `clap`: the size that is shown, and how many pixels its centre is shifted by."""
    values = (size[0], 1, size[1], 1, shift[0], 1, shift[1], 1)
    return box(b"clap", struct.pack(">IIIIiIiI", *values))


def insert(path: Path, boxes: bytes) -> None:
    """Insert `boxes` at the end of the first track's sample entry. The index must come last."""
    data = bytearray(path.read_bytes())
    at, starts = 0, []
    for kind in PATH:
        at = _find(data, at, kind)
        starts.append(at)
        at += 8
    entry = at + ENTRY_COUNT_BYTES
    end = entry + _length(data, entry)
    if data.find(b"mdat") > starts[0]:
        raise ValueError(f"{path}: its index lies before its data")
    for start in (*starts, entry):
        struct.pack_into(">I", data, start, _length(data, start) + len(boxes))
    data[end:end] = boxes
    path.write_bytes(data)


def into_matroska(path: Path, boxes: bytes) -> None:
    """Do the same to a Matroska file, by way of mp4: FFmpeg translates the boxes."""
    between = path.with_suffix(".between.mp4")
    copy = ["-map", "0", "-c", "copy", "-strict", "unofficial"]
    run_ffmpeg(["-i", str(path), *copy, str(between)])
    insert(between, boxes)
    run_ffmpeg(["-i", str(between), *copy, str(path)])
    between.unlink()


def _find(data: bytearray, at: int, kind: bytes) -> int:
    while data[at + 4 : at + 8] != kind:
        length = _length(data, at)
        if length < 8:
            raise ValueError(f"no {kind.decode()} box")
        at += length
    return at


def _length(data: bytearray, at: int) -> int:
    return int(struct.unpack_from(">I", data, at)[0])
