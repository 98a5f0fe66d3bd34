"""Adding to an MP4 or QuickTime file's header what the muxer leaves out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matting.errors import EncodeError
from matting.media.mp4.boxes import Box, parse, read_moov, write_moov
from matting.media.mp4.edits import Edit, put_edits
from matting.media.mp4.spatial import Spatial, put_spatial
from matting.media.mp4.spatial_audio import put_spatial_audio

UTF8 = 1
COVER_TYPES = {"mjpeg": 13, "png": 14, "bmp": 27}
FULL = bytes(4)  # version 0, no flags
ENABLED = 1


@dataclass
class Additions:
    """What is added to a file's header.

    Attributes:
        spatial: for its first track.
        tags: of the whole file, for which the format has no place of its own.
        languages: three letters each, by the number of the track in the file, from 0.
        enabled: whether a player shows a track unasked, by its number.
        edits: in place of a track's own, by its number.
        spatial_audio: boxes of audio tracks, by the track's number.
        covers: (FFmpeg's name of the format, the picture file).
    """

    spatial: Spatial = field(default_factory=Spatial)
    tags: Mapping[str, str] = field(default_factory=dict)
    languages: Mapping[int, str] = field(default_factory=dict)
    enabled: Mapping[int, bool] = field(default_factory=dict)
    edits: Mapping[int, Sequence[Edit]] = field(default_factory=dict)
    spatial_audio: Mapping[int, Sequence[bytes]] = field(default_factory=dict)
    covers: Sequence[tuple[str, bytes]] = ()


def add_to_header(path: Path, additions: Additions) -> None:
    """Write `additions` into the header of `path`, in place.

    Raises:
        EncodeError: the file has no header that can be read.
    """
    moov = read_moov(path)
    traks = moov.all(b"trak") if moov else []
    if moov is None or not traks:
        raise EncodeError(f"{path} came out without a header that can be read.")
    put_spatial(traks[0], additions.spatial)
    for index, language in additions.languages.items():
        _set_language(traks[index], language)
    for index, enabled in additions.enabled.items():
        _set_enabled(traks[index], enabled)
    put_edits(moov, additions.edits)
    for index, boxes in additions.spatial_audio.items():
        put_spatial_audio(traks[index], boxes)
    if additions.covers:
        _add_covers(moov, additions.covers)
    if additions.tags:
        moov.children.append(_tags(additions.tags))
    write_moov(path, moov)


def _set_language(trak: Box, language: str) -> None:
    """Pack the language as ISO/IEC 14496-12 does, which QuickTime knows beside its own list."""
    header = trak.child(b"mdia", b"mdhd")
    code = language.lower()
    if header is None or len(code) != 3 or not ("aaa" <= code <= "zzz" and code.isascii()):
        return
    packed = 0
    for letter in code:
        packed = packed << 5 | (ord(letter) - 0x60)
    at = 32 if header.head[:1] == b"\1" else 20
    header.head = header.head[:at] + packed.to_bytes(2, "big") + header.head[at + 2 :]


def _set_enabled(trak: Box, enabled: bool) -> None:
    header = trak.child(b"tkhd")
    if header is not None:
        flags = header.head[3] | ENABLED if enabled else header.head[3] & ~ENABLED
        header.head = header.head[:3] + bytes([flags]) + header.head[4:]


def _tags(tags: Mapping[str, str]) -> Box:
    """Return tags of any name as Apple's QuickTime metadata, which is what phones write."""
    names = [key.encode() for key in tags]
    keys = b"".join(bytes(Box(b"mdta", name)) for name in names)
    values = [
        Box(number.to_bytes(4, "big"), bytes(_data(UTF8, value.encode())))
        for number, value in enumerate(tags.values(), 1)
    ]
    parts = [
        _handler(b"mdta"),
        Box(b"keys", FULL + len(names).to_bytes(4, "big") + keys),
        Box(b"ilst", children=values),
    ]
    return Box(b"meta", FULL, parts)


def _add_covers(moov: Box, covers: Sequence[tuple[str, bytes]]) -> None:
    """Put covers where iTunes does, and players look."""
    user = _get_or_add(moov, Box(b"udta"))
    meta = _get_or_add(user, Box(b"meta", FULL, [_handler(b"mdir")]))
    items = _get_or_add(meta, Box(b"ilst"))
    pictures = [_data(COVER_TYPES[codec], content) for codec, content in covers]
    items.children.append(Box(b"covr", children=pictures))


def _get_or_add(parent: Box, fresh: Box) -> Box:
    """Return `parent`'s box of that kind with its own boxes as children; else add `fresh`."""
    box = parent.child(fresh.kind)
    if box is None:
        parent.children.append(fresh)
        return fresh
    own = len(fresh.head)
    box.children, box.tail = parse(box.head[own:])
    box.head = box.head[:own]
    return box


def _handler(kind: bytes) -> Box:
    return Box(b"hdlr", FULL + bytes(4) + kind + bytes(13))


def _data(kind: int, value: bytes) -> Box:
    return Box(b"data", kind.to_bytes(4, "big") + bytes(4) + value)
