"""What a video is, and when each of its frames is shown, without decoding it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet

from matting.errors import MediaError
from matting.media.alpha import has_alpha
from matting.media.colour_tags import Colour
from matting.media.container import AnyStream, has_alpha_beside, open_video, reading
from matting.media.matroska_header import NOTHING_SAID, StreamHeader, header_of

# How much shorter than its own declared length a file may be before it counts as cut off.
CUT_OFF_SECONDS = Fraction(1)

# FFmpeg's AVFieldOrder: by the field that is coded first, and that is shown first.
FIELDS_TOP_FIRST, FIELDS_BOTTOM_FIRST = {2, 4}, {3, 5}


@dataclass(frozen=True)
class VideoInfo:
    """The facts of a video's picture.

    Attributes:
        container: FFmpeg's name of its format.
        width_px, height_px: as coded, before any rotation.
        pixel_aspect: width of a pixel by its height.
        reorders: whether frames are decoded in another order than shown.
        rate: frames a second on average.
        start_pts: when the container starts, in ticks of `time_base`; sound may start before
            picture.
        header: what the container says of cropping and the like.
        interlaced, top_field_first: by its headers; frames may say otherwise.
    """

    path: Path
    container: str
    codec: str
    width_px: int
    height_px: int
    pixel_aspect: Fraction
    reorders: bool
    pixel_format: str
    time_base: Fraction
    rate: Fraction
    start_pts: int
    colour: Colour
    header: StreamHeader = NOTHING_SAID
    interlaced: bool = False
    top_field_first: bool = True

    @property
    def has_alpha(self) -> bool:
        return has_alpha(self.pixel_format)


@dataclass(frozen=True)
class FrameTime:
    """A frame as its packet tells of it; times in ticks of the stream's time base."""

    pts: int
    key: bool


def probe(path: Path) -> VideoInfo:
    """The facts of the video `path`.

    Raises:
        InputError: no such file, or a folder.
        MediaError: it is no video, or cannot be used.
    """
    with open_video(path) as (container, stream):
        context = stream.codec_context
        pixel_format = context.pix_fmt
        if not (context.width and context.height and pixel_format and stream.time_base):
            raise MediaError(
                f"{path}: its picture cannot be made out.",
                "Check that it plays; copy or download it again if it does not.",
            )
        if has_alpha_beside(stream):
            pixel_format = pixel_format.replace("yuv", "yuva")
        start = Fraction(container.start_time or 0, av.time_base) / stream.time_base
        header = header_of(stream)
        # PyAV 17 does not show it; there only the decoded frames tell.
        fields = getattr(context, "field_order", 0)
        return VideoInfo(
            path=path,
            container=container.format.name,
            codec=context.name,
            width_px=context.width,
            height_px=context.height,
            pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
            reorders=bool(context.has_b_frames),
            pixel_format=pixel_format,
            time_base=stream.time_base,
            rate=stream.average_rate or stream.guessed_rate or Fraction(30),
            start_pts=round(start),
            colour=Colour.of(context, pixel_format, header.chroma_location),
            header=header,
            interlaced=fields in FIELDS_TOP_FIRST | FIELDS_BOTTOM_FIRST,
            top_field_first=fields not in FIELDS_BOTTOM_FIRST,
        )


def is_presented(packet: Packet[AnyStream], codec: str) -> bool:
    """Whether a packet holds a frame that a player shows.

    Hidden are what an edit list leaves out, and VP8's frames that only others refer to.
    """
    if packet.is_discard:
        return False
    return codec != "vp8" or bool(bytes(packet)[0] >> 4 & 1)


def frame_times(path: Path) -> list[FrameTime]:
    """Every frame that a player shows, in the order of its packets; reads the whole file.

    Raises:
        MediaError: the file is cut off, damaged, or tells no times.
    """
    times: list[FrameTime] = []
    with open_video(path) as (container, stream), reading(path):
        end = Fraction(0)
        # All streams: the container's declared length is that of its longest.
        for packet in container.demux():
            if packet.size == 0:  # the end's flush
                continue
            if packet.pts is not None:
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if packet.stream_index != stream.index or packet.is_discard:
                continue  # is_discard: hidden by an edit list
            if packet.is_corrupt:
                raise _cut_off(path, len(times), stream.frames)
            if packet.pts is None:
                raise MediaError(
                    f"{path}: frame {len(times)} carries no time.",
                    "Cut it with segment, which gives every frame one.",
                )
            times.append(FrameTime(packet.pts, packet.is_keyframe))
        if not times:
            raise MediaError(f"{path} holds no frames.", "Copy or download it again.")
        if declared_end(container) - end > CUT_OFF_SECONDS:
            raise _cut_off(path, len(times), stream.frames)
    return times


def declared_end(container: InputContainer) -> Fraction:
    """When the container ends by its own word, in seconds; 0 where it does not say."""
    if not container.duration:
        return Fraction(0)
    # Matroska counts from zero, the others from where they start.
    start = 0 if "matroska" in container.format.name else container.start_time or 0
    return Fraction(start + container.duration, av.time_base)


def length_seconds(path: Path) -> Fraction:
    """How long the file takes to play, by its own word."""
    with open_video(path) as (container, _):
        return Fraction(container.duration or 0, av.time_base)


def _cut_off(path: Path, read: int, declared: int) -> MediaError:
    of = f" of {declared}" if declared else ""
    return MediaError(
        f"{path} is cut off or damaged: only {read}{of} frames can be read.",
        "Copy or download it again. To use what is there: segment --damaged repeat.",
        option="--damaged",
    )


def decode_times(pts: Sequence[int]) -> list[int]:
    """When each packet is decoded, given when it is shown; both in ticks, in decoding order.

    The display times in rising order, late enough that no packet is shown before it is decoded:
    what an encoder of the whole would have written.
    """
    shown = sorted(pts)
    rank = {time: index for index, time in enumerate(shown)}
    delay = max(index - rank[time] for index, time in enumerate(pts))
    step = max(1, shown[1] - shown[0]) if len(shown) > 1 else 1
    early = [shown[0] - step * (delay - index) for index in range(delay)]
    return (early + shown)[: len(pts)]


@dataclass(frozen=True)
class PacketSizes:
    """Of some frames, how many there were and their bytes.

    Attributes:
        key: those that can be decoded alone: (how many, bytes).
        other: all others.
    """

    key: tuple[int, int] = (0, 0)
    other: tuple[int, int] = (0, 0)

    def __add__(self, more: PacketSizes) -> PacketSizes:
        return PacketSizes(_sum(self.key, more.key), _sum(self.other, more.other))

    def bytes_of(self, frames: int, key_frames: int) -> float:
        """What so many frames take, so many key frames among them."""
        key, other = _mean(self.key), _mean(self.other)
        return key_frames * key + (frames - key_frames) * (other or key)


def packet_sizes(path: Path) -> PacketSizes:
    """Those of a video.

    Raises:
        InputError: no such file.
        MediaError: it is no video.
    """
    sizes = PacketSizes()
    with open_video(path) as (container, stream), reading(path):
        for packet in container.demux(stream):
            if packet.size:
                one = (1, packet.size)
                sizes += PacketSizes(key=one) if packet.is_keyframe else PacketSizes(other=one)
    return sizes


def _sum(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    return one[0] + two[0], one[1] + two[1]


def _mean(some: tuple[int, int]) -> float:
    return some[1] / some[0] if some[0] else 0.0
