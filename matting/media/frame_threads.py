"""How many of a codec's threads may each hold a frame of its own: many for small ones, few else."""

from __future__ import annotations

import os

from av.codec.codec import Capabilities
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat

MOST_BYTES = 1 << 30  # of frames that are at work at once
FFMPEG_MOST = 16  # threads that FFmpeg takes by itself
AUTO = 0


def use_threads(context: VideoCodecContext, cores: int | None = None) -> None:
    """Have a codec use all cores, but where its threads hold a frame each, no more than fit.

    What it makes is the same with any number of threads.

    Args:
        context: with the frames' size and format, not open yet.
        cores: how many there are; None: those of this computer.
    """
    context.thread_type = "AUTO"
    context.thread_count = AUTO
    if not context.codec.capabilities & Capabilities.frame_threads:
        return
    size = frame_bytes(context.pix_fmt, context.width, context.height)
    fit = max(1, MOST_BYTES // max(1, size))
    if fit < min(FFMPEG_MOST, (cores or os.cpu_count() or 1) + 1):
        context.thread_count = fit


def frame_bytes(pixel_format: str | None, width: int, height: int) -> int:
    """Return the bytes of a frame; 0 where its format or size is not known yet."""
    if pixel_format is None:
        return 0
    known = VideoFormat(pixel_format, width, height)
    bits = sum(c.width * c.height * (8 * -(-c.bits // 8)) for c in known.components)
    return bits // 8
