"""A source's picture as a stream of another file, whose packets are copied without re-encoding."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO

import av
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from matting.media.codecs import has_alpha_beside

MILLISECOND = Fraction(1, 1000)


def mp4_can_hold(source: InputContainer, video: VideoStream) -> bool:
    """Return whether an mp4 file can hold the picture of an open source as it is."""
    try:
        with av.open(BytesIO(), "w", format="mp4") as output:
            add_copied_stream(output, source.format.name, video, MILLISECOND)
            output.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def add_copied_stream(
    output: OutputContainer, container: str, video: VideoStream, time_base: Fraction
) -> VideoStream:
    """Add a stream for the packets of `video` to a file.

    Args:
        container: FFmpeg's name of the source's format.
    """
    stream = output.add_stream_from_template(video, opaque=True)
    stream.time_base = time_base
    if "mov" in container:
        # Not copied by itself; Apple's players want H.265 called hvc1.
        stream.codec_context.codec_tag = video.codec_context.codec_tag
    if has_alpha_beside(video):
        stream.metadata["alpha_mode"] = "1"  # the frames' own alpha goes with their packets
    return stream
