"""A few key frames of a long video, at the cost of one picture each: to see what is where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.imaging.orientation import UPRIGHT
from matting.imaging.planes import Planes
from matting.media.container import decode, open_video
from matting.media.frame_planes import planes_of
from matting.media.media_index import IndexPart, index_of
from matting.media.packet_table import DISCARDED, KEY, PacketTable


def key_frame_times(packets: PacketTable) -> NDArray[np.int64]:
    """Return the PTS of all key frames that a player shows, rising, [N]."""
    return np.sort(packets.pts[(packets.marks & (KEY | DISCARDED)) == KEY])


def key_frames(path: Path, wanted: Sequence[int]) -> Iterator[tuple[int, Planes]]:
    """Yield the key frames at or near the wanted times, with their PTS; upright, one frame each.

    Where a file cannot be searched for one, what it finds instead is yielded. They are for a look:
    nothing is deinterlaced, and what of them is transparent is as it is stored.

    Args:
        wanted: PTS of key frames.
    Raises:
        MediaError: the file cannot be read there.
    """
    index = index_of(path, IndexPart.START)
    first = index.start.frame
    colour = index.info.colour if first is None else first.colour
    orientation = UPRIGHT if first is None else first.orientation
    with open_video(path) as (container, stream):
        stream.codec_context.skip_frame = "NONKEY"
        for pts in wanted:
            container.seek(pts, stream=stream)
            frame = next(decode(container, stream, stream.codec_context), None)
            if frame is not None and frame.pts is not None:
                yield frame.pts, planes_of(frame, colour, orientation)
