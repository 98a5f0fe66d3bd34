"""The packets of a source video, undecoded: what there is to cut, and where it can be cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream

from matting.errors import MediaError
from matting.media.container import (
    is_presented,
    is_presented_when_decoded,
    open_video,
    reading,
    until_break,
)
from matting.media.mp4.stream_copy import mp4_can_hold
from matting.media.packet_table import TRUNCATED_SECONDS, declared_end

# NAL unit types of the pictures at which the decoder forgets all that came before (IDR), and of
# all coded pictures. Source: ITU-T H.264, table 7-1; H.265, table 7-1.
IDR_TYPES = {"h264": {5}, "hevc": {19, 20}}
PICTURE_TYPES = {"h264": range(1, 6), "hevc": range(32)}


@dataclass(frozen=True)
class SourcePacket:
    """A packet as its container describes it; times in ticks of the stream's time base.

    Attributes:
        pts, dts: when it is presented and decoded; None where the container does not say.
        closed_gop: whether nothing from here on refers to anything before; None: unknown.
        presented: whether a player shows its frame.
        corrupt: whether the container itself knows that a part is missing.
        malformed: whether its structure is broken, so that no container can hold it.
    """

    pts: int | None
    key: bool
    dts: int | None = None
    closed_gop: bool | None = None
    presented: bool = True
    corrupt: bool = False
    malformed: bool = False


@dataclass(frozen=True)
class SourceIndex:
    """All packets of a video's picture, in decoding order.

    Attributes:
        truncated_at: when the file ends although it should go on, in seconds; None: it is whole.
        fits_mp4: whether an mp4 file can hold the packets as they are.
    """

    packets: tuple[SourcePacket, ...]
    truncated_at: Fraction | None
    fits_mp4: bool

    @property
    def is_timed(self) -> bool:
        """Whether every frame has a time of its own."""
        pts = [packet.pts for packet in self.packets]
        return None not in pts and len(set(pts)) == len(pts)

    def times(self, start: int = 0, stop: int | None = None) -> list[int]:
        """Return the PTS of the frames of packets [start, stop), in decoding order."""
        packets = self.packets[start:stop]
        return [packet.pts for packet in packets if packet.presented and packet.pts is not None]


def read_index(path: Path) -> SourceIndex:
    """Index the whole file; a truncated one is no error here.

    Raises:
        InputError: there is no such file.
        MediaError: it is no video, or holds no frames.
    """
    packets: list[SourcePacket] = []
    end = Fraction(0)
    with open_video(path) as (container, stream), reading(path):
        codec = stream.codec_context.codec.canonical_name
        extradata = bytes(stream.codec_context.extradata or b"")
        fits_mp4 = mp4_can_hold(container, stream)
        when_decoded = is_presented_when_decoded(stream)
        breaks: list[av.error.FFmpegError] = []
        # All streams: the container's declared length is that of its longest.
        for packet in until_break(container.demux(), breaks.append):
            if packet.stream_index == stream.index and when_decoded:
                packet.pts = packet.dts
            if packet.pts is not None:
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if packet.stream_index == stream.index:
                key = packet.is_keyframe
                packets.append(
                    SourcePacket(
                        packet.pts,
                        key,
                        packet.dts,
                        _starts_closed_gop(bytes(packet), codec, extradata) if key else None,
                        is_presented(packet, codec),
                        packet.is_corrupt,
                        codec == "av1" and not _is_well_formed_av1(bytes(packet)),
                    )
                )
        truncated = (
            bool(breaks)
            or declared_end(container) - end > TRUNCATED_SECONDS
            or _container_index_exceeds_file(stream, path)
        )
    if not any(packet.presented for packet in packets):
        raise MediaError(f"{path} holds no frames.", "Copy or download it again.")
    return SourceIndex(tuple(packets), end if truncated else None, fits_mp4)


def _container_index_exceeds_file(stream: VideoStream, path: Path) -> bool:
    """Return whether an MP4 file's own index names packets beyond the end of the file."""
    entries = stream.index_entries
    end = max((entry.pos + entry.size for entry in entries), default=0)
    return "mp4" in stream.container.format.name and end > path.stat().st_size


def _starts_closed_gop(content: bytes, codec: str, extradata: bytes) -> bool | None:
    if codec not in IDR_TYPES:
        return None
    for header in _nal_unit_headers(content, codec, extradata):
        unit_type = header & 31 if codec == "h264" else header >> 1 & 63
        if unit_type in PICTURE_TYPES[codec]:
            return unit_type in IDR_TYPES[codec]
    return False


def _nal_unit_headers(content: bytes, codec: str, extradata: bytes) -> Iterator[int]:
    """Yield the first byte of each NAL unit in a packet of H.264 or H.265."""
    if extradata[:1] != b"\x01":  # separated by start codes, ITU-T H.264, annex B
        at = content.find(b"\0\0\1")
        while 0 <= at < len(content) - 3:
            yield content[at + 3]
            at = content.find(b"\0\0\1", at + 3)
        return
    # Each after its length; ISO/IEC 14496-15 says in how many bytes that is written.
    place = 4 if codec == "h264" else 21
    width = (extradata[place] & 3) + 1 if len(extradata) > place else 4
    at = 0
    while at + width < len(content):
        yield content[at + width]
        at += width + int.from_bytes(content[at : at + width], "big")


def _is_well_formed_av1(content: bytes) -> bool:
    """Return whether a packet is a sequence of open bitstream units: AV1 specification, 5.3.

    FFmpeg's mp4 muxer spoils the whole file when one is not.
    """
    at = 0
    while at < len(content):
        header = content[at]
        if header & 0x80:  # a bit that is always zero
            return False
        at += 2 if header & 4 else 1
        if not header & 2:  # no size: the unit extends to the end
            return True
        size = shift = 0
        while True:
            if at >= len(content) or shift > 49:
                return False
            size |= (content[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not content[at - 1] & 0x80:
                break
        at += size
    return at == len(content)
