"""Boxes that say how a picture is viewed, as cameras and players write them."""

from __future__ import annotations

import struct

from matting.media.mp4.boxes import Box
from matting.media.mp4.spatial import SPHERICAL_V1

XML = b"<rdf:SphericalVideo><GSpherical:Spherical>true</GSpherical:Spherical></rdf:SphericalVideo>"


def full(kind: bytes, content: bytes = b"") -> Box:
    """Return a box that begins with its version and flags, all zero."""
    return Box(kind, bytes(4) + content)


def st3d(mode: int) -> bytes:
    """Return the box of a stereo layout."""
    return bytes(full(b"st3d", bytes([mode])))


def sv3d(projection: Box, pose: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    """Return the box of a projection, with its pose in degrees."""
    header = full(b"prhd", struct.pack(">iii", *(angle << 16 for angle in pose)))
    maker = full(b"svhd", b"A camera\0")
    return bytes(Box(b"sv3d", children=[maker, Box(b"proj", children=[header, projection])]))


EQUIRECT = full(b"equi", bytes(16))
TILED = full(b"equi", struct.pack(">IIII", 1 << 28, 1 << 28, 0, 1 << 30))
CUBEMAP = full(b"cbmp", struct.pack(">II", 0, 16))
MESH = full(b"mshp", b"raw " + bytes(range(200)))
V1 = bytes(Box(b"uuid", SPHERICAL_V1 + XML))


def vexu(
    *, packed: bool, eyes: int = 3, layout: bytes = b"side", projection: bytes = b"hequ"
) -> bytes:
    """Return Apple's box; `eyes`: the flags of its views."""
    views = Box(b"eyes", children=[full(b"stri", bytes([eyes]))])
    packing = [Box(b"pack", children=[full(b"pkin", layout)])] if packed else []
    projected = Box(b"proj", children=[full(b"prji", projection)])
    return bytes(Box(b"vexu", children=[views, projected, *packing]))


HFOV = bytes(Box(b"hfov", struct.pack(">I", 63400)))
