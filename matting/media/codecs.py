"""FFmpeg's codecs by name: the one place where one that is missing is noticed, and said."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, Literal

import av
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.codec.hwaccel import HWAccel
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import MissingError
from matting.system import fixes

# FFmpeg's own decoders of these ignore the transparency that WebM stores beside the frames.
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
INVALID_DATA = 1094995529  # FFmpeg's AVERROR_INVALIDDATA


def require_codec(
    name: str, mode: Literal["r", "w"], hint: str = "", *, option: str | None = None
) -> av.Codec:
    """Return FFmpeg's decoder ("r") or encoder ("w") of that name.

    Args:
        hint, option: of the error where there is none; the hint stands before the usual one.
    Raises:
        MissingError: this build of FFmpeg has none.
    """
    try:
        return av.Codec(name, mode)
    except UnknownCodecError as error:
        role = "encoder" if mode == "w" else "decoder"
        raise MissingError(
            f"The {role} {name} is not in this installation of PyAV.",
            f"{hint} {fixes.reinstall('av')}".strip(),
            option=option,
        ) from error


@cache
def encoder_formats(encoder: str) -> tuple[str, ...]:
    """Return the names of the pixel formats that an encoder takes.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    return tuple(known.name for known in require_codec(encoder, "w").video_formats or ())


def create_codec_context(
    name: str, mode: Literal["r", "w"], accelerator: HWAccel | None = None
) -> VideoCodecContext:
    """Return a new decoder ("r") or encoder ("w") of that name, not yet opened.

    Raises:
        MissingError: this build of FFmpeg has none.
    """
    require_codec(name, mode)
    context = CodecContext.create(name, mode, accelerator)
    if not isinstance(context, VideoCodecContext):
        raise TypeError(f"{name} is not a video codec")
    return context


def add_video_stream(output: OutputContainer, encoder: str, **arguments: Any) -> VideoStream:
    """Add a stream for a video encoder to `output`; arguments as for PyAV's `add_stream`.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    # SVT-AV1 writes to the console unless its own variable tells it not to.
    os.environ.setdefault("SVT_LOG", "1")
    require_codec(encoder, "w")
    stream = output.add_stream(encoder, **arguments)
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{encoder} is not a video encoder")
    return stream


def decoder_of(stream: VideoStream) -> VideoCodecContext:
    """Return a decoder of all of a stream, its transparency included.

    The stream's own where that does it. Another one knows nothing before its first packet.

    Raises:
        MissingError: this build of FFmpeg has no such decoder.
    """
    context = stream.codec_context
    if not has_alpha_beside(stream):
        return context
    return create_codec_context(ALPHA_DECODERS[context.codec.canonical_name], "r")


def decode_packet(decoder: VideoCodecContext, packet: Packet[Any] | None) -> list[VideoFrame]:
    """Return the frames that come out with a packet; None: those that are still to come.

    Uncompressed pictures with a palette that are cut short are refused as all others are: FFmpeg
    would show what lies in memory in place of what they lack.

    Raises:
        av.error.FFmpegError: the decoder refuses it.
    """
    if packet is not None and 0 < packet.size < _palette_picture_bytes(decoder):
        raise av.error.InvalidDataError(
            INVALID_DATA, f"{packet.size} bytes are too few for a picture"
        )
    return decoder.decode(packet)


def _palette_picture_bytes(decoder: VideoCodecContext) -> int:
    """Return how many bytes an uncompressed picture with a palette takes; 0: it is no such one."""
    bits = decoder.bits_per_coded_sample
    if decoder.name != "rawvideo" or decoder.format is None or not decoder.format.has_palette:
        return 0
    return -(-decoder.width * bits // 8) * decoder.height


def has_alpha_beside(stream: VideoStream) -> bool:
    """Return whether a second frame beside each of the stream's own holds its transparency.

    Those of more than 8 bits are not read: the decoder in PyAV's FFmpeg takes none, and the ffmpeg
    program shows them without.
    """
    context = stream.codec_context
    if context.codec.canonical_name not in ALPHA_DECODERS:
        return False
    deep = context.format is not None and context.format.components[0].bits > 8
    tags = {key.lower(): value for key, value in stream.metadata.items()}  # ffmpeg's are capitals
    return not deep and tags.get("alpha_mode") == "1"
