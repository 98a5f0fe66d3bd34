"""What a container's header says of a picture and PyAV does not show: cropping, chroma siting.

FFmpeg writes all it knows of a stream into a Matroska header. So one is written to memory and read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import av
from av.video.stream import VideoStream

from matting.media.colour_tags import ChromaLocation

# Matroska's element identifiers: RFC 9559, section 5.1.
SEGMENT, TRACKS, TRACK, VIDEO, COLOUR = 0x18538067, 0x1654AE6B, 0xAE, 0xE0, 0x55B0
CROP_LEFT, CROP_TOP, CROP_RIGHT, CROP_BOTTOM = 0x54CC, 0x54BB, 0x54DD, 0x54AA
SITING_HORIZONTAL, SITING_VERTICAL = 0x55B7, 0x55B8
ADDITION, ADDITION_TYPE, ADDITION_DATA = 0x41E4, 0x41E7, 0x41ED
MASTERS = {SEGMENT, TRACKS, TRACK, VIDEO, COLOUR, ADDITION}
DOLBY_VISION = {int.from_bytes(kind, "big") for kind in (b"dvcC", b"dvvC", b"dvwC")}

# By Matroska's horizontal and vertical siting.
LOCATIONS = {
    (1, 2): ChromaLocation.LEFT,
    (2, 2): ChromaLocation.CENTER,
    (1, 1): ChromaLocation.TOPLEFT,
    (2, 1): ChromaLocation.TOP,
}


@dataclass(frozen=True)
class Crop:
    """How many of a decoded frame's pixels a player hides, at each side."""

    left_px: int = 0
    top_px: int = 0
    right_px: int = 0
    bottom_px: int = 0

    def __bool__(self) -> bool:
        return any((self.left_px, self.top_px, self.right_px, self.bottom_px))


NO_CROP = Crop()


@dataclass(frozen=True)
class PictureHeader:
    """What a picture's container and its bitstream's header say.

    Attributes:
        crop: by the container; the decoder does H.264's and H.265's own cropping.
        chroma_siting: where 4:2:0 and 4:2:2 chroma lies to luma, horizontally and vertically, in
            Matroska's numbers: 1 on the left or top sample, 2 half way; None: not stated.
        dolby_vision_profile: None: it is no Dolby Vision.
    """

    crop: Crop = NO_CROP
    chroma_siting: tuple[int, int] | None = None
    dolby_vision_profile: int | None = None

    @property
    def chroma_location(self) -> ChromaLocation:
        if self.chroma_siting is None:
            return ChromaLocation.UNSPECIFIED
        return LOCATIONS.get(self.chroma_siting, ChromaLocation.UNSPECIFIED)


NO_HEADER = PictureHeader()


def read_header(stream: VideoStream) -> PictureHeader:
    """Return what an opened stream's headers say; nothing where Matroska cannot hold it."""
    memory = BytesIO()
    try:
        with av.open(memory, "w", format="matroska") as output:
            output.add_stream_from_template(stream, opaque=True)
            output.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return NO_HEADER
    return parse(memory.getvalue())


def parse(matroska: bytes) -> PictureHeader:
    """Return what the header of a Matroska file with one video track says."""
    values: dict[int, int] = {}
    profile = None
    for name, content in _elements(matroska):
        is_dolby_vision = values.get(ADDITION_TYPE) in DOLBY_VISION
        if name == ADDITION_DATA and is_dolby_vision and len(content) > 2:
            profile = content[2] >> 1  # after two bytes of version, seven bits
        elif name not in MASTERS and len(content) <= 8:
            values[name] = int.from_bytes(content, "big")
    sides = (CROP_LEFT, CROP_TOP, CROP_RIGHT, CROP_BOTTOM)
    siting = values.get(SITING_HORIZONTAL, 0), values.get(SITING_VERTICAL, 0)
    crop = Crop(*(values.get(side, 0) for side in sides))
    return PictureHeader(crop, siting if any(siting) else None, profile)


def elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the EBML elements that `content` consists of, each with its own content; RFC 8794."""
    at = 0
    while at < len(content):
        name, at = _number(content, at, with_marker=True)
        if at >= len(content):
            return
        size, at = _number(content, at, with_marker=False)
        yield name, content[at : at + size]
        at += size


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield every element with its content, those in a master after it."""
    for name, inside in elements(content):
        yield name, inside
        if name in MASTERS:
            yield from _elements(inside)


def _number(content: bytes, at: int, *, with_marker: bool) -> tuple[int, int]:
    """Return a number whose first byte's leading zeros give its length, and where it ends."""
    width = 9 - content[at].bit_length()
    value = int.from_bytes(content[at : at + width], "big")
    return value if with_marker else value & ~(1 << 7 * width), at + width
