"""The layers of HEVC in MP4 and QuickTime files: what each needs to be decoded.

FFmpeg's muxer, which keeps it of all layers when it encodes, keeps it of the first alone when it
copies. Source: ISO/IEC 14496-15, 8.3.2.1.
"""

from __future__ import annotations

from pathlib import Path

from matting.errors import EncodeError, writing
from matting.media.mp4.boxes import Box, entries, read_moov, split_entry, write_moov

CONFIGURATION = b"hvcC"


def keep_layers(original: Path, copy: Path) -> None:
    """Give a copy, whose packets are those of another file, the configuration of its layers.

    Raises:
        EncodeError: one of them has none.
        StorageError: the copy cannot be written.
    """
    found = _configuration(original, read_moov(original))
    moov = read_moov(copy)
    own = _configuration(copy, moov)
    if moov is None or own.head == found.head:
        return
    entry = entries(moov.all(b"trak")[0])[0]
    whole = split_entry(entry)
    boxes = [found if box.kind == CONFIGURATION else box for box in whole.children]
    entry.head = whole.head + b"".join(map(bytes, boxes)) + whole.tail
    with writing(copy):
        write_moov(copy, moov)


def _configuration(path: Path, moov: Box | None) -> Box:
    """Return the configuration of a file's first track."""
    traks = moov.all(b"trak") if moov else []
    for entry in entries(traks[0])[:1] if traks else []:
        found = split_entry(entry).child(CONFIGURATION)
        if found is not None:
            return found
    raise EncodeError(f"{path} does not say how its picture is to be decoded.")
