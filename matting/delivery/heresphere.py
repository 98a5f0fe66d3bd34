"""HereSphere's own file beside a video (`.hsp`, version 7): how it is seen, and through what.

Numbers are little-endian, and times count in 100 ns. Source: public readers of such files. What is
not said here has the values that the player itself begins with.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

MAGIC, CHUNK_BYTES = 0x9E2A83C1, 131_072
VERSION = 7
TICKS_A_SECOND = 10_000_000
SIDE_BY_SIDE, PASSTHROUGH = 1, 2
LINEAR, LINEAR_X = "Linear", 0.63662  # an equidistant fisheye: two over pi
EYE_DISTANCE_CM = 6.5
BLACK = (0.0, 0.0, 0.0, 1.0)
KEYS, KEY_SHAPE = 3, (1.0, 0.1, 0.0, 1.0)  # how near, how soft
ALPHA_COORDINATES = (0.25, -0.5, 0.4, 0.4)


class HspProjection(IntEnum):
    """Numbers of projections."""

    EQUIRECTANGULAR_180 = 1
    FISHEYE = 2


class HspMask(IntEnum):
    """Numbers of what lets the surroundings through."""

    CHROMA_KEY = 1
    PACKED_ALPHA = 2


class HspVideo(NamedTuple):
    """What the file says.

    Attributes:
        seconds: how long the video is.
        fisheye_deg: the field of view of an equidistant fisheye; None: it is none, or has a lens
            model that the player knows by its name.
        key: the colour that is let through, R'G'B' in 0..1.
    """

    title: str
    seconds: float
    projection: HspProjection
    fisheye_deg: float | None
    mask: HspMask
    key: tuple[float, float, float]


def hsp_bytes(video: HspVideo) -> bytes:
    """Return the content of the file."""
    content = _payload(video)
    raw = struct.pack("<I", len(content)) + content
    parts = [raw[at : at + CHUNK_BYTES] for at in range(0, len(raw), CHUNK_BYTES)]
    packed = [zlib.compress(part) for part in parts]
    sizes = [(sum(map(len, packed)), len(raw))]
    sizes += [(len(own), len(part)) for own, part in zip(packed, parts, strict=True)]
    head = struct.pack("<2q", MAGIC, CHUNK_BYTES)
    return head + b"".join(struct.pack("<2q", *own) for own in sizes) + b"".join(packed)


def _payload(video: HspVideo) -> bytes:
    duration = round(video.seconds * TICKS_A_SECOND)
    fields = [
        struct.pack("<I", VERSION),
        *map(_string, ("", video.title, "")),
        struct.pack("<8q", 0, 0, 0, 0, duration, 0, 0, 0),
        struct.pack("<3I", 0, 0, 0),  # plays, comments, favourites
        _bools(1),
        struct.pack("<fI", 0.0, 0),  # rating, audio track
    ]
    arrays = [
        [],  # tags
        [_format(video.projection)],
        [] if video.fisheye_deg is None else [_lens(video.fisheye_deg)],
        [_floats(*[0] * 4, *[1] * 4, *[0] * 12)],  # stitch
        [_floats(0, EYE_DISTANCE_CM, 0, 0, 0, 0)],  # alignment
        [_floats(0, 0, 0)],  # orientation
        [_floats(0, 0, 0)],  # origin
        [_floats(200)],  # motion
        [_floats(0, 0, 0, 0, 10, 1000, 1)],  # focus
        [struct.pack("<2q", 0, 0)],  # synchronisation
        [struct.pack("<Bq", 0, 0)],  # transition
        [_floats(0, 0, 6500, 0, *[1] * 16, *[0] * 4, 0, 1, 1)],  # picture
        [_floats(0, 1)],  # audio
        [_environment(video)],
    ]
    return b"".join([*fields, *map(_array, arrays)])


def _format(projection: HspProjection) -> bytes:
    kinds = struct.pack("<2B", projection, SIDE_BY_SIDE)
    return kinds + _bools(5) + b"\0" + _floats(2, 1, 1, 0, 0) + b"\0"


def _lens(degrees: float) -> bytes:
    calibration = (LINEAR_X, 0, 0, 0)
    return _string(LINEAR) * 2 + _floats(*calibration, *calibration, degrees, degrees)


def _environment(video: HspVideo) -> bytes:
    keys = (*video.key, 1.0, *KEY_SHAPE) * KEYS
    despill, light = (*BLACK, 0, 0.2, 0.2, 1), (0.5, 0.5, 0.5, 1)
    return b"".join(
        [
            bytes([PASSTHROUGH]) + _floats(*BLACK) + _string(""),
            bytes([video.mask]) + _floats(2, *keys),
            _floats(*despill, *light, *ALPHA_COORDINATES),
        ]
    )


def _array(items: Sequence[bytes]) -> bytes:
    """Return a list of what holds from a time on; here, from the start."""
    return struct.pack("<I", len(items)) + b"".join(struct.pack("<q", 0) + own for own in items)


def _floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def _bools(count: int) -> bytes:
    return bytes(4 * count)


def _string(text: str) -> bytes:
    """Return a text with its length, its end included; of UTF-16 units where that is negative."""
    if not text:
        return struct.pack("<i", 0)
    if text.isascii():
        return struct.pack("<i", len(text) + 1) + text.encode("ascii") + b"\0"
    units = text.encode("utf-16-le", "surrogatepass") + bytes(2)
    return struct.pack("<i", -(len(units) // 2)) + units
