"""Where a source can be cut, and its packets copied into segments without re-encoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

from matting.cutting.packet_index import SourceIndex, SourcePacket
from matting.errors import EncodeError
from matting.media.container import encoding_to, open_video, reading, until_break
from matting.media.mp4.header_room import header_first
from matting.media.mp4.stream_copy import add_copied_stream
from matting.media.packet_table import decode_times
from matting.media.video_info import VideoInfo


@dataclass(frozen=True)
class PacketSpan:
    """The packets of a segment, by their numbers in the source.

    Attributes:
        pre_roll_start: the first packet written; those before `start` are the pre-roll, which is
            decoded but hidden by an edit list.
        start, stop: the segment's own packets are [start, stop).
    """

    pre_roll_start: int
    start: int
    stop: int


# Whether the segment [start, stop) of these packets needs a pre-roll, when it may go back that
# many key frames.
NeedsPreRoll = Callable[[Sequence[SourcePacket], int, int, int], bool]


def choose_cuts(packets: Sequence[SourcePacket], segment_ticks: Fraction) -> list[int]:
    """Return the numbers of the packets at which to cut.

    The first is 0, or the first key frame's number if nothing before it is presented. A cut is
    possible before a key frame when all packets before it are presented before all from it on, the
    key frame's leading pictures included. The first such place in each `segment_ticks` is taken.

    Args:
        packets: every packet of the source, in decoding order; all have times.
        segment_ticks: the segment length to aim at.
    """
    pts = _times_to_cut_at(packets)
    latest_before = [min(pts), *accumulate(pts, max)]
    earliest_after = list(accumulate(reversed(pts), min))[::-1]
    presented = [number for number, packet in enumerate(packets) if packet.presented]
    first = min(pts[number] for number in presented)
    keys = (number for number, packet in enumerate(packets) if packet.key)
    starts = [min(next(keys, 0), presented[0])]
    due = first + segment_ticks
    for number in range(presented[0] + 1, presented[-1] + 1):
        time = pts[number]
        if not packets[number].key or time < due:
            continue
        if latest_before[number] < earliest_after[number]:
            starts.append(number)
            due = first + ((time - first) // segment_ticks + 1) * segment_ticks
    return starts


def _times_to_cut_at(packets: Sequence[SourcePacket]) -> list[int]:
    """Return each packet's time; packets without one, which show nothing, go with those before."""
    time = next((packet.pts for packet in packets if packet.pts is not None), 0)
    times = []
    for packet in packets:
        time = time if packet.pts is None else packet.pts
        times.append(time)
    return times


def needs_pre_roll(packets: Sequence[SourcePacket], start: int, stop: int, keys_back: int) -> bool:
    """Return whether a segment that starts at packet `start` needs earlier packets to decode.

    It does not where nothing is referred to across the cut. In codecs that do not say, a key frame
    without leading pictures is first tried without.
    """
    key = packets[start]
    if key.closed_gop is not None:
        return not key.closed_gop
    times = _times_to_cut_at(packets[start:stop])
    return keys_back > 1 or min(times) < times[0]


def plan_spans(
    packets: Sequence[SourcePacket],
    starts: Sequence[int],
    keys_back: int,
    needs_pre_roll: NeedsPreRoll = needs_pre_roll,
) -> list[PacketSpan]:
    """Return the packets of each segment, with a pre-roll where one is needed.

    Args:
        starts: where to cut.
        keys_back: how many key frames before the segment its pre-roll starts.
    """
    keys = [number for number, packet in enumerate(packets) if packet.key]
    last = max(number for number, packet in enumerate(packets) if packet.presented)
    spans = []
    for start, stop in zip(starts, [*starts[1:], last + 1], strict=True):
        pre_roll_start = start
        if start and needs_pre_roll(packets, start, stop, keys_back):
            earlier = [key for key in keys if key < start]
            pre_roll_start = earlier[max(0, len(earlier) - keys_back)] if earlier else start
        spans.append(PacketSpan(pre_roll_start, start, stop))
    return spans


def edit_list_can_hide(index: SourceIndex, span: PacketSpan) -> bool:
    """Return whether an edit list can hide all that is to be hidden: only what comes first."""
    first = min(index.times(span.start, span.stop))
    return all(
        packet.presented or packet.pts is None or packet.pts < first
        for packet in index.packets[span.pre_roll_start : span.stop]
    )


def write_segments(
    info: VideoInfo,
    index: SourceIndex,
    spans: Mapping[Path, PacketSpan],
    on_packets: Callable[[int], None],
    on_written: Callable[[Path], None],
) -> None:
    """Write segments in one pass over the source.

    A segment's time 0 is its first frame; its ticks are the source's. Omitted packets are left
    out.

    Args:
        spans: the packets of each file.
        on_packets: told how many more of the source's packets have been read.
        on_written: told of each file when it is complete.
    Raises:
        StorageError: a segment cannot be written.
        MediaError: the source cannot be read.
    """
    waiting = sorted(spans.items(), key=lambda item: item[1].pre_roll_start)
    with open_video(info.path) as (container, video), reading(info.path), ExitStack() as files:
        open_segments: list[_SegmentFile] = []
        for number, packet in enumerate(until_break(container.demux(video))):
            while waiting and waiting[0][1].pre_roll_start <= number:
                path, span = waiting.pop(0)
                segment = _SegmentFile(path, span, index, info, video)
                files.callback(segment.close)
                open_segments.append(segment)
            for segment in open_segments:
                if segment.span.stop <= number:
                    segment.close()
                    on_written(segment.path)
                elif not index.packets[number].omitted:
                    segment.write(packet)
            open_segments = [segment for segment in open_segments if number < segment.span.stop]
            on_packets(1)
            if not waiting and not open_segments:
                break
        for segment in open_segments:
            segment.close()
            on_written(segment.path)


class _SegmentFile:
    """A segment that is being written."""

    def __init__(
        self, path: Path, span: PacketSpan, index: SourceIndex, info: VideoInfo, video: VideoStream
    ) -> None:
        self.span = span
        self.path = path
        self._time_base = info.time_base
        packets = index.packets[span.pre_roll_start : span.stop]
        first = min(index.times(span.start, span.stop))
        self._pts = [(packet.pts or 0) - first for packet in packets if not packet.omitted]
        self._written = 0
        self._dts = decode_times(self._pts)
        rising = sorted(self._pts)
        gaps = [later - earlier for earlier, later in pairwise(rising)]
        self._durations = dict(zip(rising, [*gaps, gaps[-1] if gaps else 1], strict=True))
        # Neither shifted to hide decoding times below zero, nor rounded to milliseconds: the
        # edit list starts at time 0 exactly.
        options = {
            "movie_timescale": str(info.time_base.denominator),
            "avoid_negative_ts": "disabled",
            "movflags": "write_colr",  # also where the range is all that is known of colours
            **header_first(len(self._pts), len(video.codec_context.extradata or b"")),
        }
        with encoding_to(path):
            self._output = av.open(str(path), "w", format="mp4", options=options)
            try:
                self._stream = add_copied_stream(
                    self._output, info.container, video, info.time_base
                )
                context = self._stream.codec_context
                context.sample_aspect_ratio = info.pixel_aspect
                context.color_range = info.colour.range  # untagged grey is of full range
                self._output.start_encoding()
            except BaseException:
                self._output.close()
                raise

    def write(self, packet: Packet[VideoStream]) -> None:
        """Write the next of the source's packets, unless mp4 cannot hold it."""
        place = self._written
        self._written += 1
        pts = self._pts[place]
        original = packet.stream, packet.pts, packet.dts, packet.duration, packet.time_base
        key = packet.is_keyframe
        packet.stream, packet.time_base = self._stream, self._time_base
        packet.pts, packet.dts = pts, self._dts[place]
        packet.duration = self._durations[pts]
        # A reader starts at the last key frame before the edit list's start: that has to be the
        # start of the pre-roll.
        packet.is_keyframe = place == 0 or (key and pts > 0)
        try:
            # A missing frame is noticed when the segment is decoded.
            with suppress(EncodeError), encoding_to(self.path):
                self._output.mux_one(packet)
        finally:
            packet.stream, packet.pts, packet.dts, packet.duration, packet.time_base = original
            packet.is_keyframe = key

    def close(self) -> None:
        """Write what is still buffered; calling it again does nothing."""
        with encoding_to(self.path):
            self._output.close()
