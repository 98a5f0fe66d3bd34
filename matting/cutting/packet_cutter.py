"""Choosing where a source is cut, and writing its packets to pieces, without encoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import accumulate, pairwise
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from matting.cutting.packet_index import SourceIndex, SourcePacket
from matting.errors import EncodeError
from matting.media.container import encoding, open_video, reading, unbroken
from matting.media.probe import VideoInfo, decode_times


@dataclass(frozen=True)
class PacketSpan:
    """The packets of a piece, by their numbers in the source.

    Attributes:
        lead: the first that is written; those before `start` are hidden by an edit list.
        start, stop: the piece's own packets are [start, stop).
    """

    lead: int
    start: int
    stop: int


def choose_cuts(packets: Sequence[SourcePacket], ticks: Fraction) -> list[int]:
    """Where to cut, as numbers of packets; the first is 0, or the first key frame's if nothing
    before it is shown.

    A cut is possible before a key frame when all packets before it are shown before all from it
    on, the key frame's leading pictures included. Of those, the first in each `ticks` since the
    last cut is taken.

    Args:
        packets: every packet of the source, in decoding order; all have times.
        ticks: the length of a piece.
    """
    pts = [packet.pts or 0 for packet in packets]
    latest_before = [min(pts), *accumulate(pts, max)]
    earliest_after = list(accumulate(reversed(pts), min))[::-1]
    shown = [index for index, packet in enumerate(packets) if packet.shown]
    first = min(pts[index] for index in shown)
    keys = (index for index, packet in enumerate(packets) if packet.key)
    starts = [min(next(keys, 0), shown[0])]
    wanted = first + ticks
    for index in range(shown[0] + 1, shown[-1] + 1):
        time = pts[index]
        if not packets[index].key or time < wanted:
            continue
        if latest_before[index] < earliest_after[index]:
            starts.append(index)
            wanted = first + ((time - first) // ticks + 1) * ticks
    return starts


def spans(
    packets: Sequence[SourcePacket], starts: Sequence[int], keys_back: int
) -> list[PacketSpan]:
    """The packets of each piece, with lead-ins where they are needed.

    Args:
        starts: where to cut.
        keys_back: how many key frames earlier than the piece a lead-in starts.
    """
    keys = [index for index, packet in enumerate(packets) if packet.key]
    last = max(index for index, packet in enumerate(packets) if packet.shown)
    found = []
    for start, stop in zip(starts, [*starts[1:], last + 1], strict=True):
        lead = start
        if start and needs_pre_roll(packets, start, stop, keys_back):
            earlier = [key for key in keys if key < start]
            lead = earlier[max(0, len(earlier) - keys_back)] if earlier else start
        found.append(PacketSpan(lead, start, stop))
    return found


def needs_pre_roll(packets: Sequence[SourcePacket], start: int, stop: int, keys_back: int) -> bool:
    """Whether a piece that starts at packet `start` needs an earlier one to decode.

    Not where nothing is referred to across it. In codecs that do not say, a key frame without
    leading pictures is tried without, at first.
    """
    key = packets[start]
    if key.closed_gop is not None:
        return not key.closed_gop
    times = [packet.pts or 0 for packet in packets[start:stop]]
    return keys_back > 1 or min(times) < times[0]


def edit_list_can_hide(index: SourceIndex, span: PacketSpan) -> bool:
    """Whether an edit list can hide all of a span that is hidden: only what comes first."""
    first = min(index.times(span.start, span.stop))
    return all(
        packet.shown or packet.pts is None or packet.pts < first
        for packet in index.packets[span.lead : span.stop]
    )


def mp4_can_hold(path: Path) -> bool:
    """Whether mp4 can hold the picture of `path` as it is.

    Raises:
        InputError, MediaError: as `probe`.
    """
    with open_video(path) as (container, video):
        try:
            with av.open(BytesIO(), "w", format="mp4") as output:
                _add_stream(output, container.format.name, video, Fraction(1, 1000))
                output.start_encoding()
        except (av.error.FFmpegError, ValueError):
            return False
    return True


def write_segments(
    info: VideoInfo,
    index: SourceIndex,
    segments: Mapping[Path, PacketSpan],
    on_packets: Callable[[int], None],
) -> None:
    """Writes the pieces in one pass over the source.

    A piece's time 0 is its first frame; its ticks are the source's. Damaged packets that mp4
    cannot hold are left out.

    Args:
        on_packets: told how many more of the source's packets are read.
    Raises:
        StorageError: a piece cannot be written.
        MediaError: the source cannot be read.
    """
    waiting = sorted(segments.items(), key=lambda item: item[1].lead)
    with open_video(info.path) as (container, video), reading(info.path), ExitStack() as files:
        open_segments: list[_SegmentFile] = []
        for number, packet in enumerate(unbroken(container.demux(video))):
            while waiting and waiting[0][1].lead <= number:
                path, span = waiting.pop(0)
                segment = _SegmentFile(path, span, index, info, video)
                files.callback(segment.close)
                open_segments.append(segment)
            for segment in open_segments:
                if segment.span.stop <= number:
                    segment.close()
                elif not index.packets[number].malformed:
                    segment.write(packet, number)
            open_segments = [segment for segment in open_segments if number < segment.span.stop]
            on_packets(1)
            if not waiting and not open_segments:
                break
        for segment in open_segments:
            segment.close()


class _SegmentFile:
    """One piece that is being written."""

    def __init__(
        self, path: Path, span: PacketSpan, index: SourceIndex, info: VideoInfo, video: VideoStream
    ) -> None:
        self.span = span
        self._path = path
        self._time_base = info.time_base
        packets = index.packets[span.lead : span.stop]
        first = min(index.times(span.start, span.stop))
        self._pts = [(packet.pts or 0) - first for packet in packets]
        self._dts = decode_times(self._pts)
        shown = sorted(self._pts)
        lasts = [later - earlier for earlier, later in pairwise(shown)]
        self._durations = dict(zip(shown, [*lasts, lasts[-1] if lasts else 1], strict=True))
        # Neither shifted to hide decoding times below zero, nor rounded to milliseconds: the
        # edit list starts at time 0 exactly.
        ticks = str(min(info.time_base.denominator, 2**31 - 1))
        options = {
            "movie_timescale": ticks,
            "avoid_negative_ts": "disabled",
            "movflags": "write_colr",  # also where the range is all that is known of colours
        }
        with encoding(path):
            self._output = av.open(str(path), "w", format="mp4", options=options)
            try:
                self._stream = _add_stream(self._output, info.container, video, info.time_base)
                self._stream.codec_context.sample_aspect_ratio = info.pixel_aspect
                self._output.start_encoding()
            except BaseException:
                self._output.close()
                raise

    def write(self, packet: Packet[VideoStream], number: int) -> None:
        """Writes a packet of the source, unless mp4 cannot hold it."""
        place = number - self.span.lead
        pts = self._pts[place]
        source = packet.stream, packet.pts, packet.dts, packet.duration, packet.time_base
        key = packet.is_keyframe
        packet.stream, packet.time_base = self._stream, self._time_base
        packet.pts, packet.dts = pts, self._dts[place]
        packet.duration = self._durations[pts]
        # A reader starts at the last key frame by the edit list's start: it must be the lead-in.
        packet.is_keyframe = place == 0 or (key and pts > 0)
        try:
            # A frame that is missing is found when the piece is decoded.
            with suppress(EncodeError), encoding(self._path):
                self._output.mux_one(packet)
        finally:
            packet.stream, packet.pts, packet.dts, packet.duration, packet.time_base = source
            packet.is_keyframe = key

    def close(self) -> None:
        """Writes what is still held; more than once does nothing."""
        with encoding(self._path):
            self._output.close()


def _add_stream(
    output: OutputContainer, container: str, video: VideoStream, time_base: Fraction
) -> VideoStream:
    stream = output.add_stream_from_template(video, opaque=True)
    stream.time_base = time_base
    if "mov" in container:
        # Not copied by itself; Apple's players want H.265 called hvc1.
        stream.codec_context.codec_tag = video.codec_context.codec_tag
    return stream
