"""Sources that begin in the middle: frames that refer to pictures from before the file starts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import islice

from matting.cutting.packet_index import SourceIndex
from matting.media.decode_check import Decoding, decoded
from matting.media.frame_filters import FrameFilters
from matting.media.probe import VideoInfo
from matting.media.validation import require_whole_pictures

# How many frames are looked at before the work starts; the others when they are decoded.
LOOKED_AT = 8


def without_lost_start(info: VideoInfo, index: SourceIndex) -> tuple[SourceIndex, int]:
    """The index with what no decoder can show at the start marked as not shown, and how many.

    Those are frames before the first key frame, and its leading pictures, up to the first one
    that comes out whole. A damaged key frame is damage, and stays listed.

    Raises:
        InputError: no such file.
        MediaError: it is no video.
    """
    packets = index.packets
    key = next((number for number, packet in enumerate(packets) if packet.key), None)
    if key is None:
        return index, 0
    first = packets[key].pts
    candidates = {
        number
        for number, packet in enumerate(packets)
        if packet.shown
        and (number < key or (None not in {first, packet.pts} and (packet.pts or 0) < (first or 0)))
    }
    if not candidates:
        return index, 0
    frames = decoded([info.path], Decoding(), strict=False, threads=1)
    with closing(frames):
        whole = next((number for _, number, frame in frames if not frame.is_corrupt), None)
    if whole is None:
        return index, 0
    lost = candidates - {whole}
    time = packets[whole].pts
    if index.is_timed and time is not None:
        lost = {number for number in lost if (packets[number].pts or 0) < time}
    kept = (
        replace(packet, shown=packet.shown and number not in lost)
        for number, packet in enumerate(packets)
    )
    return replace(index, packets=tuple(kept)), len(lost)


def filters_for(info: VideoInfo) -> FrameFilters:
    """What the frames of a source need, by its headers and its first frames.

    Raises:
        InputError: no such file.
        MediaError: its fields cannot be made whole pictures; it is no video.
    """
    frames = decoded([info.path], Decoding(), strict=False, threads=1)
    with closing(frames):
        seen = any(frame.interlaced_frame for _, _, frame in islice(frames, LOOKED_AT))
    if seen:
        require_whole_pictures(info)
    return FrameFilters(info.interlaced or seen, info.has_alpha, info.header.crop)
