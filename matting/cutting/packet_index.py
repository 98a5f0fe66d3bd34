"""The packets of a source video, undecoded: what there is to cut, and where it can be cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from matting.errors import MediaError
from matting.media.container import (
    is_presented,
    is_presented_when_decoded,
    open_video,
    reading,
    until_break,
)
from matting.media.frame_times import finer_ticks, is_no_clock
from matting.media.mp4.stream_copy import mp4_can_hold
from matting.media.packet_content import PacketContent
from matting.media.packet_table import TRUNCATED_SECONDS, declared_end
from matting.media.stream_times import StreamTables
from matting.media.timeline import Timeline
from matting.media.video_info import NO_TIMESTAMPS
from matting.progress import ignore


@dataclass(frozen=True)
class SourcePacket:
    """A packet as its container describes it; times in ticks of the stream's time base.

    Attributes:
        pts, dts, duration: when it is presented and decoded, and how long it is shown; None where
            the container does not say.
        closed_gop: whether nothing from here on refers to anything before; None: unknown.
        presented: whether a player shows its frame.
        corrupt: whether the container itself knows that a part is missing.
        omitted: whether no segment holds it: mp4 cannot, as its structure is broken; or it shows
            nothing, and then it has no times.
    """

    pts: int | None
    key: bool
    dts: int | None = None
    duration: int | None = None
    closed_gop: bool | None = None
    presented: bool = True
    corrupt: bool = False
    omitted: bool = False


@dataclass(frozen=True)
class SourceIndex:
    """All packets of a video's picture, in decoding order, on one line of time.

    Attributes:
        truncated_at: when the file ends although it should go on, in seconds; None: it is whole.
        fits_mp4: whether an mp4 file can hold the packets as they are.
        time_base: seconds a tick of all times here; finer than the container's where frames that
            share one time need room beside it.
        start_pts: when the source starts, audio included.
        container_start_pts: when it does by what FFmpeg finds at once: there its program shows a
            first frame that has no time.
        has_captions: whether closed captions lie in the packets.
        unclocked: the indexes of audio streams whose times contradict what they hold.
    """

    packets: tuple[SourcePacket, ...]
    truncated_at: Fraction | None
    fits_mp4: bool
    time_base: Fraction
    start_pts: int
    container_start_pts: int
    has_captions: bool = False
    unclocked: frozenset[int] = frozenset()

    @property
    def is_timed(self) -> bool:
        """Whether every frame that is presented has a time of its own."""
        return _are_distinct([p.pts for p in self.packets if p.presented and not p.omitted])

    @property
    def is_sequence(self) -> bool:
        """Whether no packet repeats the time of another, hidden ones included."""
        return _are_distinct([packet.pts for packet in self.packets if not packet.omitted])

    def decodable(self, within: range | None = None) -> frozenset[int]:
        """Return the numbers of the packets that a decoder is to be given, all or some of them.

        Some decoders refuse packets that show nothing, and lose frames by it.
        """
        numbers = range(len(self.packets)) if within is None else within
        packets = self.packets
        return frozenset(n for n in numbers if packets[n].presented or not packets[n].omitted)

    def times(self, start: int = 0, stop: int | None = None) -> list[int]:
        """Return the PTS of the frames of packets [start, stop), in decoding order."""
        packets = self.packets[start:stop]
        return [packet.pts for packet in packets if packet.presented and packet.pts is not None]


def read_index(path: Path, alive: Callable[[], None] = ignore) -> SourceIndex:
    """Index the whole file; a truncated one is no error here.

    Args:
        alive: called for every packet.
    Raises:
        InputError: there is no such file.
        MediaError: it is no video, or holds no frames.
    """
    packets: list[SourcePacket] = []
    # Of streams, by their indexes; the ends in ticks, as fractions cost more than all else here.
    time_bases: dict[int, Fraction] = {}
    ends: dict[int, int] = {}
    has_captions = False
    with open_video(path) as (container, stream), reading(path):
        number, time_base = stream.index, stream.time_base or Fraction(1)
        codec = stream.codec_context.codec.canonical_name
        extradata = bytes(stream.codec_context.extradata or b"")
        fits_mp4 = mp4_can_hold(container, stream)
        # Of bare MPEG-1, FFmpeg does not know from the start which frames wait for later ones.
        is_guessed = codec == "mpeg1video" and container.format.flags & NO_TIMESTAMPS
        when_decoded = is_presented_when_decoded(stream)
        tables = StreamTables(container.format.name)
        breaks: list[av.error.FFmpegError] = []
        # All streams: the container's declared length is that of its longest.
        for packet in until_break(container.demux(), breaks.append):
            alive()
            tables.add(packet)
            if packet.stream_index == stream.index and when_decoded:
                packet.pts = packet.dts
            if packet.pts is not None:
                own, last = packet.stream_index, packet.pts + (packet.duration or 0)
                if own not in ends:
                    time_bases[own], ends[own] = packet.time_base, 0
                ends[own] = max(ends[own], last)
            if packet.stream_index == stream.index:
                key = packet.is_keyframe
                content = PacketContent(bytes(packet), codec, extradata)
                has_captions = has_captions or content.holds_captions()
                is_superfluous = content.is_superfluous()
                packets.append(
                    SourcePacket(
                        None if is_superfluous else packet.pts,
                        key,
                        packet.dts,
                        packet.duration,
                        content.starts_closed_gop() if key else None,
                        is_presented(packet, codec) and content.may_hold_picture(),
                        packet.is_corrupt,
                        is_superfluous or not content.is_well_formed(),
                    )
                )
        hidden = np.array([not packet.presented for packet in packets], np.bool_)
        container_start = Fraction(container.start_time or 0, av.time_base)
        timeline = tables.timeline(container, stream, hidden)
        end = max((ticks * time_bases[own] for own, ticks in ends.items()), default=Fraction(0))
        truncated = (
            bool(breaks)
            or declared_end(container) - end > TRUNCATED_SECONDS
            or _container_index_exceeds_file(stream, path)
        )
    if not any(packet.presented for packet in packets):
        raise MediaError(f"{path} holds no frames.", "Copy or download it again.")
    timeline.require_followed(path)
    if is_guessed or is_no_clock([p.pts for p in packets], [p.duration for p in packets]):
        packets = [replace(packet, pts=None, dts=None, duration=None) for packet in packets]
    placed = _on_timeline(packets, timeline, number, time_base)
    finer = finer_ticks([packet.pts for packet in placed if packet.presented])
    return SourceIndex(
        tuple(_in_finer_ticks(placed, finer)) if finer > 1 else tuple(placed),
        end if truncated else None,
        fits_mp4,
        time_base / finer,
        round(timeline.start / time_base * finer),
        round(container_start / time_base * finer),
        has_captions,
        timeline.unclocked,
    )


def _on_timeline(
    packets: list[SourcePacket], timeline: Timeline, stream: int, time_base: Fraction
) -> list[SourcePacket]:
    """Return the packets with their times on one line, and with none where they say nothing."""
    if not timeline.is_cut and not timeline.strays:
        return packets
    placed: list[SourcePacket] = []
    for number, packet in enumerate(packets):
        shift = round(timeline.shift(stream, number) / time_base)
        pts = None if packet.pts is None or timeline.is_stray(number) else packet.pts + shift
        dts = None if packet.dts is None or timeline.is_stray(number) else packet.dts + shift
        placed.append(replace(packet, pts=pts, dts=dts))
    return placed


def _in_finer_ticks(packets: Sequence[SourcePacket], finer: int) -> Iterator[SourcePacket]:
    for packet in packets:
        pts = None if packet.pts is None else packet.pts * finer
        dts = None if packet.dts is None else packet.dts * finer
        known = packet.duration or 0
        duration = known * finer if known > 1 else None  # one tick is what FFmpeg makes up
        yield replace(packet, pts=pts, dts=dts, duration=duration)


def _are_distinct(times: Sequence[int | None]) -> bool:
    return None not in times and len(set(times)) == len(times)


def _container_index_exceeds_file(stream: VideoStream, path: Path) -> bool:
    """Return whether an MP4 file's own index names packets beyond the end of the file."""
    entries = stream.index_entries
    end = max((entry.pos + entry.size for entry in entries), default=0)
    return "mp4" in stream.container.format.name and end > path.stat().st_size
