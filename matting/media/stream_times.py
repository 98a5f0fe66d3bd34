"""When the packets of all streams of a file are presented, and what their clocks do."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, compress

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from matting.media.clock_runs import RESTARTING, RunReader
from matting.media.container import AnyStream
from matting.media.timeline import Clock, Timeline, timeline_of
from matting.media.video_info import stated_rate

# What a container says of its length may be rough. Audio far beyond it has a wrong clock if what
# it holds is not as long.
ROUGH_SECONDS, FAR_SECONDS = Fraction(5), Fraction(10)
# Times too near each other are wrong for less, as the length that they should have is known.
SHORT, NEAR = Fraction(2, 3), Fraction(1, 10)
FINE_TICK = Fraction(1, 1_000_000)
NO_TIME = int(np.iinfo(np.int64).min)  # where the container does not say


@dataclass(frozen=True)
class StreamSpan:
    """When a stream's packets are presented, in seconds, as they say themselves.

    Attributes:
        packets: their number.
        start: of the first.
        last: when the last one starts.
        end: of the last; the last packet of encoded audio may hold more than is heard.
    """

    packets: int
    start: Fraction
    last: Fraction
    end: Fraction


@dataclass(frozen=True, eq=False)
class PacketTimes:
    """When the packets of a stream are presented, in the order of the file.

    Attributes:
        pts: [N] int64, in ticks, or NO_TIME.
    """

    pts: NDArray[np.int64]
    time_base: Fraction

    def on(self, timeline: Timeline, stream: int) -> NDArray[np.int64]:
        """Return the times on that line, in the same ticks; NO_TIME where there is none."""
        shifts = timeline.shifts.get(stream, ())
        if not shifts:
            return self.pts
        moved: NDArray[np.int64] = self.pts.copy()
        stops = [shift.packet for shift in shifts[1:]] + [len(moved)]
        for shift, stop in zip(shifts, stops, strict=True):
            moved[shift.packet : stop] += round(shift.seconds / self.time_base)
        moved[self.pts == NO_TIME] = NO_TIME
        return moved


class StreamTables:
    """The spans, times and clocks of streams, while their packets are read.

    Args:
        container: FFmpeg's name of its format.
    """

    def __init__(self, container: str) -> None:
        self._container = container
        self._packets = 0
        self._time_bases: dict[int, Fraction] = {}
        self._ticks: dict[int, tuple[int, int, int, int]] = {}  # packets, start, last, end
        self._pts: dict[int, array[int]] = {}
        self._clocks: dict[int, RunReader] = {}
        self._untimed: dict[
            int, list[int]
        ] = {}  # when packets after one without a time are decoded
        self._contents: dict[int, _Content] = {}  # of audio

    def add(self, packet: Packet[AnyStream]) -> None:
        """Note a packet; one without a time counts in no span."""
        index, pts, duration = packet.stream_index, packet.pts, packet.duration or 0
        if index not in self._clocks:
            self._time_bases[index] = packet.time_base
            self._pts[index] = array("q")
            self._clocks[index] = RunReader(self._container, packet.time_base)
            if packet.stream.type == "audio":
                self._contents[index] = _Content(packet.time_base)
        self._pts[index].append(NO_TIME if pts is None else pts)
        # Packets at no place in the file began in one that bears the time of another.
        is_written = packet.pos is not None
        self._clocks[index].add(pts, packet.dts, duration, self._packets, is_written=is_written)
        self._packets += 1
        if index in self._contents:
            self._contents[index].add(packet.size, duration)
        if index in self._untimed and packet.dts is not None:
            self._untimed[index] = [min([packet.dts, *self._untimed[index]])]
        if pts is None:
            self._untimed.setdefault(index, [])
            return
        end = pts + duration
        if index not in self._ticks:
            self._ticks[index] = (1, pts, pts, end)
            return
        packets, start, last, latest = self._ticks[index]
        self._ticks[index] = (packets + 1, min(start, pts), max(last, pts), max(latest, end))

    def _mend_clocks(self, container: InputContainer) -> frozenset[int]:
        """Let the packets of audio whose times contradict what they hold follow on each other.

        Returns:
            the indexes of such streams.
        """
        declared = Fraction(container.duration or 0, av.time_base)
        mended = set()
        for index, content in self._contents.items():
            spans = self.spans()
            jumps = len(self._clocks[index].runs) > 1  # which the timeline follows
            if jumps or not declared or index not in spans:
                continue
            byte_seconds = content.byte_seconds(_bit_rate(container.streams[index]))
            held = content.seconds(byte_seconds)
            if held and _is_contradicted(spans[index], held, declared, self._container):
                self._follow_on(index, spans[index].start, content.seconds_before(byte_seconds))
                mended.add(index)
        return frozenset(mended)

    def _follow_on(self, index: int, start: Fraction, seconds_before: Iterable[Fraction]) -> None:
        """Give the packets of a stream times by what the packets before them hold."""
        *before, end = (round((start + own) / FINE_TICK) for own in seconds_before)
        self._time_bases[index] = FINE_TICK
        self._pts[index] = array("q", before)
        self._ticks[index] = (len(before), before[0], before[-1], end)
        del self._clocks[index]

    def spans(self) -> dict[int, StreamSpan]:
        """Return the spans, by the streams' indexes."""
        return {
            index: StreamSpan(packets, *(time * self._time_bases[index] for time in times))
            for index, (packets, *times) in self._ticks.items()
        }

    def times(self, but: int | None = None) -> dict[int, PacketTimes]:
        """Return the times of all streams but that one, by their indexes."""
        return {
            index: PacketTimes(np.array(pts, np.int64), self._time_bases[index])
            for index, pts in self._pts.items()
            if index != but
        }

    def timeline(
        self, container: InputContainer, picture: VideoStream, hidden: NDArray[np.bool_]
    ) -> Timeline:
        """Return how all these times become those on one line.

        It starts where the container does, or with the picture where that says it starts earlier:
        a frame without a time of its own may be shown when a later packet is decoded.
        Wrong clocks are mended first.

        Args:
            hidden: [N], whether a packet of the picture is not presented.
        """
        unclocked = self._mend_clocks(container)
        clocks = {
            index: Clock(reader.runs, self._time_bases[index])
            for index, reader in self._clocks.items()
            if reader.runs
        }
        start = Fraction(container.start_time or 0, av.time_base)
        timeline = timeline_of(
            clocks,
            picture.index,
            [stream.index for stream in container.streams.audio],
            step=1 / stated_rate(container, picture),
            restarts=container.format.name in RESTARTING,
        )
        own = self.times().get(picture.index)
        if own is not None:
            shown = own.on(timeline, picture.index)[~hidden]
            first = shown[shown != NO_TIME].min(initial=np.iinfo(np.int64).max)
            if not timeline.is_cut:
                first = min([int(first), *self._untimed.get(picture.index, ())])
            start = min(start, int(first) * own.time_base)
        return replace(timeline, start=start, unclocked=unclocked)


class _Content:
    """How much each packet of an audio stream holds."""

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._sizes, self._durations = array("q"), array("q")

    def add(self, size: int, duration: int) -> None:
        """Note a packet's bytes and ticks; 0: the container does not say how long it is."""
        self._sizes.append(size)
        self._durations.append(duration)

    def byte_seconds(self, bit_rate: int) -> Fraction:
        """Return how long a byte is in packets that do not say how long they are; 0: unknown.

        What other packets say counts before the header's bit rate, which may be a guess.
        """
        size = sum(compress(self._sizes, self._durations))
        if size:
            return sum(self._durations) * self._time_base / size
        return Fraction(8, bit_rate) if bit_rate else Fraction(0)

    def seconds(self, byte_seconds: Fraction) -> Fraction:
        """Return how much is held in all."""
        silent = sum(self._sizes) - sum(compress(self._sizes, self._durations))
        return sum(self._durations) * self._time_base + silent * byte_seconds

    def seconds_before(self, byte_seconds: Fraction) -> Iterator[Fraction]:
        """Yield how much is held before each packet, and in all."""
        packets = zip(self._sizes, self._durations, strict=True)
        lengths = (own * self._time_base if own else size * byte_seconds for size, own in packets)
        return accumulate(lengths, initial=Fraction(0))


def _is_contradicted(span: StreamSpan, held: Fraction, declared: Fraction, container: str) -> bool:
    """Return whether audio cannot have the times that its packets claim.

    AVI files by FFmpeg count bytes where their readers take them to count blocks: then packets of a
    quarter of a second are minutes apart, or begin long before the ones before them are over.

    Args:
        held: the seconds that it holds.
        declared: the file's length by its own word.
    """
    claimed = span.end - span.start
    if claimed > 2 * declared + FAR_SECONDS:
        return held < declared + ROUGH_SECONDS
    is_too_short = container == "avi" and claimed < declared * SHORT
    return is_too_short and abs(held - declared) < declared * NEAR


def _bit_rate(stream: AnyStream) -> int:
    """Return the bits of a second of an audio stream; 0: unknown, or it is no audio."""
    context = stream.codec_context if stream.type == "audio" else None
    return (context.bit_rate or 0) if isinstance(context, AudioCodecContext) else 0
