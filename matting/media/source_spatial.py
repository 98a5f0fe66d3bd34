"""How a source's picture is viewed in a headset, as boxes of MP4 files, whatever its container."""

from __future__ import annotations

import struct

from matting.media.mp4.boxes import Box, entries, parse, split_entry
from matting.media.mp4.spatial import (
    GOOGLE,
    MATROSKA_NAMES,
    SPHERICAL_V1,
    Spatial,
    spatial_of_moov,
    stereo_box,
)
from matting.media.stream_start import FirstFrame, StreamStart
from matting.media.streams import ListedStream
from matting.view import StereoLayout

INVERTED = 1  # flag of AVStereo3D: the right eye comes first
# By AVStereo3D's numbers.
FRAME_PACKINGS = {1: StereoLayout.LEFT_RIGHT, 2: StereoLayout.TOP_BOTTOM}


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
        known = spatial_of_moov(moov, picture.id)
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
    layouts = [layout for layout, name in MATROSKA_NAMES.items() if name == mode]
    return Spatial(tuple(stereo_box(layout) for layout in layouts), notes=notes)


def _frame_packing(frame: FirstFrame | None) -> tuple[bytes, ...]:
    """Return the layout by the stream itself (H.264's and H.265's frame packing message)."""
    if frame is None or frame.stereo is None:
        return ()
    layout, flags = struct.unpack_from("=ii", frame.stereo)
    if layout not in FRAME_PACKINGS or flags & INVERTED:
        return ()
    return (stereo_box(FRAME_PACKINGS[layout]),)
