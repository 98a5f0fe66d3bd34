"""How a picture is viewed in a headset: stereo layout and projection, as boxes of MP4 files.

Source: Google, Spherical Video V2 RFC (st3d, sv3d) and V1 (uuid); Apple, "Stereo video in
ISOBMFF" (vexu, hfov).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from uuid import UUID

from matting.media.mp4.boxes import (
    VIDEO,
    Box,
    entries,
    handler,
    parse,
    split_entry,
    track_id,
)
from matting.view import StereoLayout

SPHERICAL_V1 = UUID("ffcc8263-f855-4a93-8814-587a02521fdd").bytes
GOOGLE, APPLE = (b"st3d", b"sv3d"), (b"vexu", b"hfov")
BOTH_EYES = 3  # flags of Apple's `stri`
QUARTER_TURN = 0x3FFFFFFF  # what is cut off a sphere at each side, as 0.32 fixed-point shares

BASE_VIEW = "Only the base view (one eye) of this MV-HEVC video is matted."


# By the numbers of `st3d`.
LAYOUTS = {0: StereoLayout.MONO, 1: StereoLayout.TOP_BOTTOM, 2: StereoLayout.LEFT_RIGHT}
MATROSKA_NAMES = {
    StereoLayout.MONO: "mono",
    StereoLayout.TOP_BOTTOM: "top_bottom",
    StereoLayout.LEFT_RIGHT: "left_right",
}


@dataclass(frozen=True)
class Spatial:
    """Whole boxes for an MP4 or QuickTime file.

    Attributes:
        entry: for the picture's sample entry.
        track: for its track.
        notes: sentences on what of the source cannot be kept, and why.
    """

    entry: tuple[bytes, ...] = ()
    track: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entry or self.track)

    @property
    def stereo_mode(self) -> str:
        """Matroska's name of the layout; "" where there is none."""
        for box in self.entry:
            if box[4:8] == b"st3d" and len(box) > 12:
                return MATROSKA_NAMES[LAYOUTS[box[12]]] if box[12] in LAYOUTS else ""
        return ""

    @property
    def one_eye_note(self) -> str | None:
        """A sentence where only one of the source's two views is decoded."""
        return BASE_VIEW if BASE_VIEW in self.notes else None

    @property
    def projected(self) -> bool:
        """Whether it says more than a stereo layout."""
        return bool(self.track) or any(box[4:8] != b"st3d" for box in self.entry)


def put_spatial(trak: Box, spatial: Spatial) -> None:
    """Give the track `trak` the boxes of `spatial`, in place of its own."""
    for entry in entries(trak):
        own = split_entry(entry)
        others = [box for box in own.children if box.kind not in (*GOOGLE, *APPLE)]
        entry.head = own.head + b"".join(map(bytes, others)) + b"".join(spatial.entry) + own.tail
    trak.children = [box for box in trak.children if not _is_v1(box)]
    trak.children += [box for raw in spatial.track for box in parse(raw)[0]]


def spatial_of_moov(moov: Box, number: int) -> Spatial:
    """Return the boxes of the track with that number in an MP4 or QuickTime file."""
    for trak in moov.all(b"trak"):
        if handler(trak) != VIDEO or track_id(trak) != number:
            continue
        boxes = [box for entry in entries(trak)[:1] for box in split_entry(entry).children]
        notes: tuple[str, ...] = ()
        if _has_two_views(boxes):
            notes = (BASE_VIEW,)
            boxes = [_for_one_eye(box) for box in boxes]
        entry = [box for box in boxes if box.kind in GOOGLE or (box.kind in APPLE and box.head)]
        v1 = tuple(bytes(box) for box in trak.children if _is_v1(box))
        return Spatial(tuple(map(bytes, entry)), v1, notes)
    return Spatial()


def _is_v1(box: Box) -> bool:
    return box.kind == b"uuid" and box.head[:16] == SPHERICAL_V1


def _has_two_views(boxes: list[Box]) -> bool:
    """Return whether the eyes are views of their own in the stream; only one is decoded."""
    if any(box.kind == b"lhvC" for box in boxes):
        return True
    for box in boxes:
        if box.kind == b"vexu":
            for eyes in (inner for inner in parse(box.head)[0] if inner.kind == b"eyes"):
                packed = any(inner.kind == b"pack" for inner in parse(box.head)[0])
                views = [inner for inner in parse(eyes.head)[0] if inner.kind == b"stri"]
                both = any(view.head[4:5] and view.head[4] & 3 == BOTH_EYES for view in views)
                return both and not packed
    return False


def _for_one_eye(box: Box) -> Box:
    """Return a `vexu` box without what it says of two eyes; any other as it is."""
    if box.kind != b"vexu":
        return box
    kept = [inner for inner in parse(box.head)[0] if inner.kind == b"proj"]
    return Box(b"vexu", b"".join(map(bytes, kept)))


def stereo_box(layout: StereoLayout) -> bytes:
    """Return the `st3d` box of a layout."""
    number = next(number for number, own in LAYOUTS.items() if own is layout)
    return bytes(Box(b"st3d", bytes([0, 0, 0, 0, number])))


def half_sphere_box() -> bytes:
    """Return the `sv3d` box of an equirectangular picture of the directions in front."""
    pose = Box(b"prhd", bytes(4 + 12))  # neither yaw, pitch nor roll
    bounds = Box(b"equi", bytes(4) + struct.pack(">4I", 0, 0, QUARTER_TURN, QUARTER_TURN))
    projection = Box(b"proj", bytes(pose) + bytes(bounds))
    source = Box(b"svhd", bytes(4) + b"\0")  # what made it: nobody is named
    return bytes(Box(b"sv3d", bytes(source) + bytes(projection)))
