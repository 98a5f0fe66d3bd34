"""How a picture is viewed in a headset: stereo layout and projection, as boxes of MP4 files.

Source: Google, Spherical Video V2 RFC (st3d, sv3d) and V1 (uuid); Apple, "Stereo video in
ISOBMFF" (vexu, hfov).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
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
from matting.media.stream_start import FirstFrame, StreamStart
from matting.media.streams import ListedStream

SPHERICAL_V1 = UUID("ffcc8263-f855-4a93-8814-587a02521fdd").bytes
GOOGLE, APPLE = (b"st3d", b"sv3d"), (b"vexu", b"hfov")
BOTH_EYES = 3  # flags of Apple's `stri`
INVERTED = 1  # flag of AVStereo3D: the right eye comes first

BASE_VIEW = "Only the base view (one eye) of this MV-HEVC video is matted."


class StereoLayout(IntEnum):
    """Where the eyes' pictures lie in a frame, by the numbers of `st3d`."""

    MONO = 0
    TOP_BOTTOM = 1
    LEFT_RIGHT = 2

    @property
    def matroska_name(self) -> str:
        return self.name.lower()


# By AVStereo3D's numbers.
FRAME_PACKINGS = {1: StereoLayout.LEFT_RIGHT, 2: StereoLayout.TOP_BOTTOM}


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
                return next((e.matroska_name for e in StereoLayout if e == box[12]), "")
        return ""

    @property
    def one_eye_note(self) -> str | None:
        """A sentence where only one of the source's two views is decoded."""
        return BASE_VIEW if BASE_VIEW in self.notes else None

    @property
    def projected(self) -> bool:
        """Whether it says more than a stereo layout."""
        return bool(self.track) or any(box[4:8] != b"st3d" for box in self.entry)


def spatial_of(
    container: str, picture: ListedStream, moov: Box | None, start: StreamStart
) -> Spatial:
    """Return the boxes that say how a picture is viewed, whatever its container.

    Args:
        container: FFmpeg's name of its format.
        moov: its header, where it is an MP4 or QuickTime file.
    """
    mode = picture.tags.get("stereo_mode", "")
    if moov is not None:
        known = _of_boxes(moov, picture.id)
    else:
        known = _boxes_of_matroska(start, mode) if "matroska" in container else Spatial()
    notes = list(known.notes)
    entry, track = known.entry, known.track
    if not notes and not any(box[4:8] in {b"st3d", b"vexu"} for box in entry):
        entry += _frame_packing(start.frame)
    if "spherical-video" in picture.tags and not track:
        v1 = picture.tags["spherical-video"].encode()
        track = (bytes(Box(b"uuid", SPHERICAL_V1 + v1)),)
    if mode not in {"", "mono"} and not any(box[4:8] == b"st3d" for box in entry):
        notes.append(f"The stereo layout {mode} cannot be kept in mp4.")
    return Spatial(entry, track, tuple(notes))


def put_spatial(trak: Box, spatial: Spatial) -> None:
    """Give the track `trak` the boxes of `spatial`, in place of its own."""
    for entry in entries(trak):
        own = split_entry(entry)
        others = [box for box in own.children if box.kind not in (*GOOGLE, *APPLE)]
        entry.head = own.head + b"".join(map(bytes, others)) + b"".join(spatial.entry) + own.tail
    trak.children = [box for box in trak.children if not _is_v1(box)]
    trak.children += [box for raw in spatial.track for box in parse(raw)[0]]


def _of_boxes(moov: Box, number: int) -> Spatial:
    """Return those of the track with that number in an MP4 or QuickTime file."""
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


def _boxes_of_matroska(start: StreamStart, mode: str) -> Spatial:
    """Return the boxes that FFmpeg's mp4 writer makes of Matroska's elements."""
    if start.mp4_header is None:
        return _without_mp4(start, mode)
    boxes, _ = parse(start.mp4_header)
    for trak in (trak for box in boxes for trak in box.all(b"trak")):
        own = [box for entry in entries(trak)[:1] for box in split_entry(entry).children]
        # FFmpeg's own `vexu` says less than its st3d.
        return Spatial(tuple(bytes(box) for box in own if box.kind in GOOGLE))
    return Spatial()


def _without_mp4(start: StreamStart, mode: str) -> Spatial:
    """Return the layout, for codecs that mp4 does not hold; a projection is only noted."""
    projected = start.frame is not None and start.frame.is_spherical
    notes = ("The projection of this picture cannot be kept in mp4.",) if projected else ()
    layouts = [layout for layout in StereoLayout if layout.matroska_name == mode]
    return Spatial(tuple(_st3d(layout) for layout in layouts), notes=notes)


def _st3d(layout: StereoLayout) -> bytes:
    return bytes(Box(b"st3d", bytes([0, 0, 0, 0, layout])))


def _frame_packing(frame: FirstFrame | None) -> tuple[bytes, ...]:
    """Return the layout by the stream itself (H.264's and H.265's frame packing message)."""
    if frame is None or frame.stereo is None:
        return ()
    layout, flags = struct.unpack_from("=ii", frame.stereo)
    if layout not in FRAME_PACKINGS or flags & INVERTED:
        return ()
    return (_st3d(FRAME_PACKINGS[layout]),)
