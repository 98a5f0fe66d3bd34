"""How audio surrounds the listener (ambisonics), as boxes of MP4 files.

Source: Google, Spatial Audio RFC (SA3D, SAND). FFmpeg neither reads nor writes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from matting.media.mp4.boxes import Box, entries, handler, parse, track_id

AUDIO = b"soun"
KINDS = (b"SA3D", b"SAND")
# A sample entry's own fields, by its version: ISO/IEC 14496-12, 12.2.3; QuickTime File Format,
# "Sound Sample Descriptions".
ENTRY_BYTES = {0: 28, 1: 44, 2: 64}


def spatial_audio_boxes(moov: Box) -> dict[int, tuple[bytes, ...]]:
    """Return the boxes of each audio track that has any, by the track's number in the file."""
    by_track = {}
    for trak in moov.all(b"trak"):
        boxes = _boxes(trak) if handler(trak) == AUDIO else ()
        if boxes:
            by_track[track_id(trak)] = boxes
    return by_track


def put_spatial_audio(trak: Box, boxes: Sequence[bytes]) -> None:
    """Give the track `trak`, which has none, those boxes."""
    for entry in entries(trak)[:1]:
        entry.head += b"".join(boxes)


def _boxes(trak: Box) -> tuple[bytes, ...]:
    for entry in entries(trak)[:1]:
        own = ENTRY_BYTES.get(int.from_bytes(entry.head[8:10], "big"), 0)
        children, _ = parse(entry.head[own:]) if own else ([], b"")
        return tuple(bytes(box) for box in children if box.kind in KINDS)
    return ()
