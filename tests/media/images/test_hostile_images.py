"""Pictures that would take gigabytes or for ever are read in little of both, or refused by name."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.hostile_images import (
    COMPRESSED_TEXTS,
    EXIF,
    HEIGHT,
    NEXT_PICTURES,
    STRIP,
    WIDTH,
    endless_directory,
    png,
    png_bomb,
    tiff,
)
from matting.errors import DecodeError
from matting.media.images.still import read_still
from tests.support.memory_limit import at_most_memory, more_memory

ROOM_BYTES = 100_000_000
pytestmark = pytest.mark.timeout(20)


@pytest.mark.parametrize("kind", COMPRESSED_TEXTS)
def test_a_compressed_text_is_not_unpacked(kind: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_bomb(kind))
    with at_most_memory(ROOM_BYTES):
        if kind == b"iCCP":  # the one that is needed
            with pytest.raises(DecodeError, match=r"a\.png"):
                read_still(path)
        else:
            assert read_still(path).rgb.shape == (8, 16, 3)


def test_a_text_after_a_damaged_chunk_is_not_unpacked_either(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    bomb = png_bomb(b"zTXt")
    path.write_bytes(bomb[:33] + struct.pack(">I4s", 1 << 30, b"juNk") + bomb[33:])
    with at_most_memory(ROOM_BYTES), pytest.raises(DecodeError, match=r"a\.png"):
        read_still(path)


HUGE = {
    "a.png": png(width=16255, height=200_000),
    "a.tif": tiff((WIDTH, 4, 1, 20_000), (HEIGHT, 4, 1, 20_000)),
    "channels.tif": tiff((277, 3, 1, 600)),
}


@pytest.mark.parametrize("name", HUGE)
def test_a_size_beyond_all_pictures_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(HUGE[name])
    with more_memory(ROOM_BYTES), pytest.raises(DecodeError, match="may have 16384x16384"):
        read_still(path)


def test_a_photograph_beyond_all_sizes_is_named(tmp_path: Path) -> None:
    memory = BytesIO()
    Image.new("RGB", (16, 8)).save(memory, "JPEG")
    photograph = memory.getvalue()
    at = photograph.index(b"\xff\xc0") + 5  # height and width, after the length and the depth
    path = tmp_path / "a.jpg"
    path.write_bytes(photograph[:at] + struct.pack(">HH", 65_000, 65_000) + photograph[at + 4 :])
    with more_memory(ROOM_BYTES), pytest.raises(DecodeError, match="65000x65000"):
        read_still(path)


@pytest.mark.parametrize(
    "content",
    [
        *map(endless_directory, (WIDTH, NEXT_PICTURES, EXIF, STRIP)),
        tiff(following=[1]),
        tiff((NEXT_PICTURES, 4, 1, 8)),
        tiff((EXIF, 4, 1, 8)),
        tiff(following=[*range(2, 60_001), 1]),
        tiff((700, 1, 0xFFFF_FFF0, 8), (34675, 7, 0x7FFF_FFF0, 8)),
    ],
)
def test_directories_that_never_end(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with more_memory(ROOM_BYTES):
        try:
            assert read_still(path).rgb.shape == (4, 4, 3)
        except DecodeError as error:
            assert str(path) in error.what


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    content=st.sampled_from([png(), png((b"tEXt", b"a\0b")), tiff(), tiff((EXIF, 4, 1, 8))]),
    edits=st.lists(st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=4)), max_size=3),
)
def test_edited_pictures_are_read_or_refused(
    content: bytes, edits: list[tuple[int, bytes]], tmp_path: Path
) -> None:
    for at, new in edits:
        content = content[:at] + new + content[at + len(new) :]
    path = tmp_path / "a"
    path.write_bytes(content)
    with more_memory(4 * ROOM_BYTES):
        try:
            assert read_still(path).rgb.itemsize in {1, 2}
        except DecodeError as error:
            assert str(path) in error.what
