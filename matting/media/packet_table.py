"""The packets of a video, as its container lists them: times, sizes and marks, in arrays."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from matting.errors import MediaError
from matting.media.container import AnyStream, reading, unreadable_video, until_break
from matting.media.stream_times import NO_TIME, PacketTimes, StreamSpan, StreamTables
from matting.media.timeline import Timeline

# How much shorter than its own declared length a file may be before it counts as truncated.
TRUNCATED_SECONDS = Fraction(1)
KEY, DISCARDED, CORRUPT = 1, 2, 4


@dataclass(frozen=True)
class PacketSizes:
    """How many frames there were, and their bytes.

    Attributes:
        key: key frames: (how many, bytes).
        other: all others.
    """

    key: tuple[int, int] = (0, 0)
    other: tuple[int, int] = (0, 0)

    def __add__(self, more: PacketSizes) -> PacketSizes:
        return PacketSizes(_sum(self.key, more.key), _sum(self.other, more.other))

    def bytes_of(self, frames: int, key_frames: int) -> float:
        """Estimate the bytes of so many frames, so many key frames among them."""
        key, other = _mean(self.key), _mean(self.other)
        return key_frames * key + (frames - key_frames) * (other or key)


@dataclass(frozen=True, eq=False)
class PacketTable:
    """All packets of a video's picture, in decoding order, and the span of every stream.

    Attributes:
        pts: [N] int64, in ticks of the picture's time base, or NO_TIME.
        sizes: [N] int32, in bytes.
        marks: [N] uint8, of KEY, DISCARDED (hidden by an edit list) and CORRUPT (the container
            itself knows that a part is missing).
        spans: by the stream's index; streams without packets are not there.
        stream_times: when each packet of a stream but the picture's is presented, by its index.
        timeline: how the times of all streams become those on one line.
        declared_frames: how many frames the container says there are; 0: it does not say.
        declared_end: when the file ends by its own word, in seconds; 0: it does not say.
        stopped: what FFmpeg said where the file could not be read any further; "": it could.
    """

    pts: NDArray[np.int64]
    sizes: NDArray[np.int32]
    marks: NDArray[np.uint8]
    spans: dict[int, StreamSpan]
    stream_times: dict[int, PacketTimes]
    timeline: Timeline
    declared_frames: int
    declared_end: Fraction
    stopped: str

    def frame_times(self, path: Path) -> list[int]:
        """Return the PTS of every frame that a player shows, in the order of the packets.

        Raises:
            MediaError: the file `path` is truncated, damaged, or lacks the times of some frames.
        """
        presented = (self.marks & DISCARDED) == 0
        pts = self.pts[presented]
        corrupt = (self.marks[presented] & CORRUPT) != 0
        unusable = np.flatnonzero(corrupt | (pts == NO_TIME))
        if len(unusable):
            first = int(unusable[0])
            if corrupt[first]:
                raise self._truncated(path, first)
            raise MediaError(
                f"{path}: frame {first} carries no time.",
                "Cut it with segment, which gives every frame one.",
            )
        if self.stopped:
            raise unreadable_video(path, self.stopped)
        if not len(pts):
            raise MediaError(f"{path} holds no frames.", "Copy or download it again.")
        end = max([Fraction(0), *(span.end for span in self.spans.values())])
        if self.declared_end - end > TRUNCATED_SECONDS:
            raise self._truncated(path, len(pts))
        times: list[int] = pts.tolist()
        return times

    def packet_sizes(self) -> PacketSizes:
        """Return how large the packets are."""
        is_key = (self.marks & KEY) != 0
        key, other = self.sizes[is_key], self.sizes[~is_key]
        return PacketSizes((len(key), int(key.sum())), (len(other), int(other.sum())))

    def _truncated(self, path: Path, readable: int) -> MediaError:
        of = f" of {self.declared_frames}" if self.declared_frames else ""
        return MediaError(
            f"{path} is cut off or damaged: only {readable}{of} frames can be read.",
            "Copy or download it again. To use what is there: segment --damaged repeat.",
            option="--damaged",
        )


class TableWriter:
    """A PacketTable while the packets of a file are read."""

    def __init__(self, container: InputContainer, picture: VideoStream) -> None:
        self._container = container
        self._picture = picture
        self._pts, self._sizes, self._marks = array("q"), array("i"), array("B")
        self._streams = StreamTables(container.format.name)

    def add(self, packet: Packet[AnyStream]) -> None:
        """Note a packet of any stream: the declared length is that of the longest."""
        self._streams.add(packet)
        if packet.stream_index != self._picture.index:
            return
        self._pts.append(NO_TIME if packet.pts is None else packet.pts)
        self._sizes.append(packet.size)
        marks = KEY * packet.is_keyframe + DISCARDED * packet.is_discard
        # A transport stream's counters may have been started anew; what is lost, decoding shows.
        is_corrupt = packet.is_corrupt and self._container.format.name != "mpegts"
        self._marks.append(marks + CORRUPT * is_corrupt)

    def table(self, stopped: str) -> PacketTable:
        """Return the table. `stopped`: as PacketTable has it."""
        pts, marks = np.array(self._pts, np.int64), np.array(self._marks, np.uint8)
        # First: it mends the times of the streams.
        timeline = self._streams.timeline(
            self._container, self._picture, hidden=(marks & DISCARDED) != 0
        )
        return PacketTable(
            pts=pts,
            sizes=np.array(self._sizes, np.int32),
            marks=marks,
            spans=self._streams.spans(),
            stream_times=self._streams.times(but=self._picture.index),
            timeline=timeline,
            declared_frames=self._picture.frames,
            declared_end=declared_end(self._container),
            stopped=stopped,
        )


def read_frames(
    container: InputContainer, picture: VideoStream, path: Path, alive: Callable[[], None]
) -> tuple[list[int], list[Packet[VideoStream]]]:
    """Return the PTS of every frame that a player shows, and their packets, in the order of these.

    Reads the whole file.

    Args:
        alive: called for every packet.
    Raises:
        MediaError: the file is truncated, damaged, or lacks the times of some frames.
    """
    writer, packets = TableWriter(container, picture), []
    breaks: list[av.error.FFmpegError] = []
    with reading(path):
        for packet in until_break(container.demux(list(container.streams)), breaks.append):
            alive()
            writer.add(packet)
            if packet.stream_index == picture.index and not packet.is_discard:
                packets.append(cast("Packet[VideoStream]", packet))
        table = writer.table(str(breaks[0].strerror) if breaks else "")
    return table.frame_times(path), packets


def declared_end(container: InputContainer) -> Fraction:
    """Return when the container ends at the least by its own word, in seconds; 0: it does not say.

    Some count from where they start, others from zero, and some writers of the same container do
    the one and some the other. So a late start is taken to be counted. One before zero, as where a
    transport stream's clock runs over, is never counted.
    """
    return Fraction((container.duration or 0) + min(container.start_time or 0, 0), av.time_base)


def decode_times(pts: Sequence[int]) -> list[int]:
    """Return when each packet is decoded, given when it is presented; in ticks, decoding order.

    The presentation times in rising order, late enough that no packet is presented before it is
    decoded: what an encoder of the whole would have written.
    """
    return delayed(sorted(pts), decode_delay(pts))


def decode_delay(pts: Sequence[int]) -> int:
    """Return by how many frames a packet is decoded before it is presented, at the most.

    Args:
        pts: when each is presented, in decoding order.
    """
    rank = {time: index for index, time in enumerate(sorted(pts))}
    return max(index - rank[time] for index, time in enumerate(pts))


def delayed(presented: Sequence[int], delay: int) -> list[int]:
    """Return when packets are decoded so that each may wait for so many others, in ticks.

    Args:
        presented: when they are presented, rising.
    """
    step = max(1, presented[1] - presented[0]) if len(presented) > 1 else 1
    early = [presented[0] - step * (delay - index) for index in range(delay)]
    return [*early, *presented][: len(presented)]


def _sum(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    return one[0] + two[0], one[1] + two[1]


def _mean(some: tuple[int, int]) -> float:
    return some[1] / some[0] if some[0] else 0.0
