"""The boxes of MP4 and QuickTime files (ISO/IEC 14496-12): reading and replacing their header."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from matting.errors import EncodeError, MediaError

# Boxes that hold boxes, with how many bytes of their own come first.
PARENTS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"stsd": 8, b"tref": 0}
VISUAL_ENTRY_BYTES = 78
# More than any header has: that of a video of sixty hours takes some hundred megabytes, nearly all
# of it in a few tables. The deepest boxes that are looked into lie six levels down.
LARGEST_HEADER_BYTES, MOST_BOXES, DEEPEST = 1 << 30, 100_000, 16
VIDEO = b"vide"
FREE = b"free"
FREE_HEADER_BYTES = 8


@dataclass
class Box:
    """One box.

    Attributes:
        kind: its type, four bytes.
        head: its own fields before the boxes in it; all of its content where it has none.
        children: the boxes in it.
        tail: what follows them: QuickTime ends some lists with four zero bytes.
    """

    kind: bytes
    head: bytes = b""
    children: list[Box] = field(default_factory=list)
    tail: bytes = b""

    def __bytes__(self) -> bytes:
        content = self.head + b"".join(map(bytes, self.children)) + self.tail
        return struct.pack(">I4s", 8 + len(content), self.kind) + content

    def child(self, *kinds: bytes) -> Box | None:
        """Return the first box at the end of that path, one kind a level; None: there is none."""
        box = self
        for kind in kinds:
            boxes = box.all(kind)
            if not boxes:
                return None
            box = boxes[0]
        return box

    def all(self, kind: bytes) -> list[Box]:
        """Return its direct children of that kind."""
        return [box for box in self.children if box.kind == kind]


def parse(content: bytes) -> tuple[list[Box], bytes]:
    """Return the boxes that `content` consists of, and the bytes after the last whole one.

    What lies deeper, or is more, than in any such file stays bytes.
    """
    return _parse(content, 0, _Room(MOST_BOXES))


@dataclass
class _Room:
    """For how many more boxes there is room."""

    boxes: int


def _parse(content: bytes, depth: int, room: _Room) -> tuple[list[Box], bytes]:
    boxes: list[Box] = []
    at = 0
    while at + 8 <= len(content) and room.boxes:
        size, kind = struct.unpack_from(">I4s", content, at)
        start = at + 8
        if size == 1 and at + 16 <= len(content):
            (size,) = struct.unpack_from(">Q", content, start)
            start += 8
        if size < start - at or at + size > len(content):
            break
        room.boxes -= 1
        boxes.append(_box(kind, content[start : at + size], depth, room))
        at += size
    return boxes, content[at:]


def _box(kind: bytes, content: bytes, depth: int, room: _Room) -> Box:
    if kind not in PARENTS or depth == DEEPEST:
        return Box(kind, content)
    own = PARENTS[kind]
    children, tail = _parse(content[own:], depth + 1, room)
    return Box(kind, content[:own], children, tail)


def split_entry(entry: Box) -> Box:
    """Return a visual sample entry with the boxes in it as children."""
    children, tail = parse(entry.head[VISUAL_ENTRY_BYTES:])
    return Box(entry.kind, entry.head[:VISUAL_ENTRY_BYTES], children, tail)


def track_id(trak: Box) -> int:
    """Return the number of a track in its file; 0 where it has none."""
    header = trak.child(b"tkhd")
    at = 20 if header and header.head[:1] == b"\1" else 12  # version 1 has 64-bit times
    if header is None or len(header.head) < at + 4:
        return 0
    return int.from_bytes(header.head[at : at + 4], "big")


def handler(trak: Box) -> bytes:
    """Return what a track holds, as `vide` or `soun`."""
    box = trak.child(b"mdia", b"hdlr")
    return box.head[8:12] if box else b""


def entries(trak: Box) -> list[Box]:
    """Return a track's sample entries, which say how it is encoded; nearly always one."""
    table = trak.child(b"mdia", b"minf", b"stbl", b"stsd")
    return table.children if table else []


def ends_in_no_time(trak: Box) -> bool:
    """Return whether a track's last sample lasts no time by its own word: none of it is shown."""
    table = trak.child(b"mdia", b"minf", b"stbl", b"stts")
    return table is not None and len(table.head) >= 16 and not any(table.head[-4:])


def read_moov(path: Path) -> Box | None:
    """Return the header of an MP4 or QuickTime file; None where `path` is none, or has none.

    Raises:
        MediaError: it is larger than any.
    """
    with path.open("rb") as file:
        for kind, start, size in _top_level(file):
            if kind == b"moov":
                if size > LARGEST_HEADER_BYTES:
                    raise MediaError(
                        f"{path} has a header of {size} bytes, and no video needs as much.",
                        "It is damaged, or made to do harm. Make or download it again.",
                    )
                file.seek(start)
                boxes, _ = parse(file.read(size))
                return boxes[0] if boxes else None
    return None


def without_sample_tables(moov: Box) -> Box:
    """Return a header without where and when each sample is, which is nearly all of its bytes."""
    if moov.kind == b"stbl":
        return Box(moov.kind, moov.head, moov.all(b"stsd"))
    children = [without_sample_tables(box) for box in moov.children]
    return Box(moov.kind, moov.head, children, moov.tail)


def write_moov(path: Path, moov: Box) -> None:
    """Replace the header of an MP4 or QuickTime file. No byte of its media moves.

    It stays where it is if the room there suffices, with that of the free space after it.

    Raises:
        EncodeError: the file has no header, or does not say where it ends.
    """
    content = bytes(moov)
    with path.open("r+b") as file:
        boxes = list(_top_level(file))
        end = boxes[-1][1] + boxes[-1][2] if boxes else 0
        number = next((n for n, (kind, _, _) in enumerate(boxes) if kind == b"moov"), None)
        if number is None or end != file.seek(0, 2):
            raise EncodeError(f"{path} came out without a header that can be read.")
        _, at, room = boxes[number]
        if boxes[number] == boxes[-1]:
            file.seek(at)
            file.truncate()
            file.write(content)
            return
        following, _, free_bytes = boxes[number + 1]
        room += free_bytes if following == FREE else 0
        spare = room - len(content)
        file.seek(at)
        if spare >= FREE_HEADER_BYTES:
            file.write(content + struct.pack(">I4s", spare, FREE))
        elif spare == 0:
            file.write(content)
        else:  # its place is too small: it is given up, and players skip it
            file.write(struct.pack(">I4s", room, FREE))
            file.seek(0, 2)
            file.write(content)


def _top_level(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, where it starts, bytes in all) of a file's outermost boxes."""
    end = file.seek(0, 2)
    at = 0
    while at + 8 <= end:
        file.seek(at)
        start = file.read(16)
        size, kind = struct.unpack_from(">I4s", start)
        if size == 1 and len(start) == 16:
            (size,) = struct.unpack_from(">Q", start, 8)
        elif size == 0:
            size = end - at
        if size < 8 or at + size > end:
            return
        yield kind, at, size
        at += size
