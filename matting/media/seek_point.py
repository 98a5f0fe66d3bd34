"""Where in a video to begin decoding for the sake of a frame in its midst."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from matting.media.packet_table import DISCARDED, KEY, PacketTable

# Containers that list their key frames, of which FFmpeg finds the one that it is asked for.
SEEKABLE = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}


class SeekPoint(NamedTuple):
    """A key frame to seek, and the later one from which on all frames are whole.

    Attributes:
        seek_pts: of the first; what follows it may refer to frames before it.
        frame, pts: the number and the PTS of the second.
    """

    seek_pts: int
    frame: int
    pts: int


def seek_point(
    container: str, packets: PacketTable, times: Sequence[int], frame: int
) -> SeekPoint | None:
    """Return where to begin for a frame; None: at the start of the file.

    Two key frames before it: those that are presented before the last may refer to the one before
    that, and some containers seek by the time of decoding, and so one too far.

    Args:
        container: FFmpeg's name of it.
        times: of all frames, rising.
        frame: the number of the one that is wanted.
    """
    if container not in SEEKABLE:
        return None
    is_key = (packets.marks & (KEY | DISCARDED)) == KEY
    keys = np.sort(packets.pts[is_key])
    last = int(np.searchsorted(keys, times[frame], side="right")) - 1
    if last < 2:
        return None
    pts = int(keys[last])
    return SeekPoint(int(keys[last - 2]), bisect_left(times, pts), pts)
