"""Boxes of any size, depth and number are read in bounds."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.errors import MediaError
from matting.media import matroska_header
from matting.media.mp4 import boxes
from matting.media.mp4.boxes import Box, parse, read_moov
from matting.media.mp4.spatial import spatial_of_moov


def test_boxes_in_boxes_without_end() -> None:
    content = b""
    for depth in range(20_000):
        content = struct.pack(">I4s", 8 + 8 * (depth + 1), b"trak") + content
    parsed, tail = parse(content[: 8 * 20_000])
    assert b"".join(map(bytes, parsed)) + tail == content


def test_more_boxes_than_in_any_file() -> None:
    content = struct.pack(">I4s", 8, b"free") * 150_000
    parsed, tail = parse(content)
    assert len(parsed) == boxes.MOST_BOXES
    assert b"".join(map(bytes, parsed)) + tail == content


def test_a_header_larger_than_any(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with path.open("wb") as file:
        file.write(struct.pack(">I4sQ", 1, b"moov", 1 << 36))
        file.truncate(1 << 36)
    with pytest.raises(MediaError, match=r"a\.mp4 has a header of"):
        read_moov(path)


KINDS = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"tref", b"tkhd", b"hdlr", b"chap"]
KINDS += [b"tmcd", b"avc1", b"vexu", b"eyes", b"stri", b"st3d", b"uuid"]
leaves = st.builds(Box, st.sampled_from(KINDS), st.binary(max_size=30))
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        Box, st.sampled_from(KINDS), st.binary(max_size=90), st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=80)
@given(tree=trees, junk=st.binary(max_size=12), cut=st.integers(0, 40))
def test_any_boxes_are_read_and_written_as_they_are(tree: Box, junk: bytes, cut: int) -> None:
    content = (bytes(tree) + junk)[: -cut or None]
    parsed, tail = parse(content)
    assert b"".join(map(bytes, parsed)) + tail == content
    moov = Box(b"moov", children=parsed)
    for number in range(3):
        spatial_of_moov(moov, number)


@settings(max_examples=80)
@given(content=st.binary(max_size=60))
def test_any_bytes_as_a_matroska_header(content: bytes) -> None:
    matroska_header.parse(content)
    matroska_header.parse(b"\x18\x53\x80\x67" + content)
