"""What a source needs before it is cut: frames that no decoder can show left out, and filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import islice, takewhile
from pathlib import Path

from av.video.frame import VideoFrame

from matting.cutting.cut_job import CutJob
from matting.cutting.packet_index import SourceIndex, read_index
from matting.media.alpha_use import alpha_use_of
from matting.media.frame_decoding import Decoding, decode_files
from matting.media.frame_filters import FrameFilters
from matting.media.validation import require_whole_pictures
from matting.media.video_info import VideoInfo
from matting.options import CuttingOptions, OnDamage
from matting.progress import Progress, ignore, quantity

# How many frames are inspected for fields before the work starts; the others when they are decoded.
INSPECTED_FRAMES = 8
# How many packets after its own a decoder may wait before it gives a frame.
MOST_DELAYED = 64


def prepare(
    info: VideoInfo, seconds: Fraction, work: Path, options: CuttingOptions, progress: Progress
) -> CutJob:
    """Index a source, and find out what its frames need.

    Args:
        seconds: the segment length to aim at.
        work: an existing folder, for the segments.
    Raises:
        InputError: there is no such file.
        MediaError: it is no video, holds no frames, or cannot be decoded.
    """
    index, skipped = read_index(info.path, progress.alive), 0
    if options.damaged != OnDamage.REPEAT:  # else the first good frame stands in for them
        index, skipped = skip_open_gop_start(info, index, progress.alive)
    if skipped:
        progress.say(
            f"{quantity(skipped, 'frame')} at the start cannot be shown, for the recording begins "
            "in the middle. The segments begin after that; the audio stays in time."
        )
    filters = choose_filters(info, progress.alive)
    info = replace(info, time_base=index.time_base, start_pts=index.start_pts)
    return CutJob(info, index, seconds, work, filters)


def skip_open_gop_start(
    info: VideoInfo, index: SourceIndex, alive: Callable[[], None]
) -> tuple[SourceIndex, int]:
    """Mark what no decoder can show at the start as not presented.

    A recording that begins in the middle starts with frames that refer to pictures from before it:
    those before the first key frame, and its leading pictures, up to the first that comes out.
    A damaged key frame is damage, and stays presented.

    Args:
        alive: called for every packet.
    Returns:
        the index, and how many frames were marked.
    Raises:
        InputError: there is no such file.
        MediaError: it is no video.
    """
    packets = index.packets
    keys = [number for number, packet in enumerate(packets) if packet.key]
    if not keys:
        return index, 0
    # Where a clock is set back later, times before the first key frame's are no leading pictures'.
    key, next_key = (*keys, len(packets))[:2]
    key_pts = packets[key].pts
    candidates = {
        number
        for number, packet in enumerate(packets)
        if packet.presented
        and (
            number < key
            or (
                number < next_key
                and None not in {key_pts, packet.pts}
                and (packet.pts or 0) < (key_pts or 0)
            )
        )
    }
    if not candidates:
        return index, 0
    frames = decode_files([info.path], Decoding(), strict=False, threads=1, alive=alive)
    with closing(frames):
        whole = next((number for _, number, _ in frames), None)
        if whole is None:
            return index, 0
        undecodable = candidates - {whole}
        whole_pts = packets[whole].pts
        if index.is_timed and whole_pts is not None:
            undecodable = {n for n in undecodable if (packets[n].pts or 0) < whole_pts}
        else:  # no time is a measure of others, then
            undecodable = {n for n in undecodable if n < whole or whole == key}
            undecodable -= _shown(frames, max(candidates) + MOST_DELAYED)
    marked = (
        replace(packet, presented=packet.presented and number not in undecodable)
        for number, packet in enumerate(packets)
    )
    return replace(index, packets=tuple(marked)), len(undecodable)


def _shown(frames: Iterable[tuple[int, int, VideoFrame]], last: int) -> set[int]:
    """Return the numbers of the frames that come out up to the packet of that number."""
    brought = ((number, frame.dts) for _, number, frame in frames)
    return {number for number, _ in takewhile(lambda it: it[1] is None or it[1] <= last, brought)}


def choose_filters(info: VideoInfo, alive: Callable[[], None] = ignore) -> FrameFilters:
    """Return what the frames of a source need, by its headers and its first frames.

    Args:
        alive: called for every packet.
    Raises:
        InputError: there is no such file.
        MediaError: it is no video, or its fields cannot be made whole pictures.
    """
    frames = decode_files([info.path], Decoding(), strict=False, threads=1, alive=alive)
    with closing(frames):
        interlaced = any(frame.interlaced_frame for _, _, frame in islice(frames, INSPECTED_FRAMES))
    if interlaced:
        require_whole_pictures(info)
    return FrameFilters(info.interlaced or interlaced, alpha_use_of(info, alive), info.header.crop)
