"""Joining encoded videos into one file, packet by packet, with each frame at a given time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from matting.errors import EncodeError, MediaError
from matting.media.container import open_video, reading
from matting.media.decode_check import decode_through
from matting.media.foreign_files import work_guarded
from matting.media.joined_file import MILLISECOND_CONTAINERS, JoinedFile
from matting.media.mp4.stream_copy import MILLISECOND
from matting.media.packet_table import decode_delay, read_frames
from matting.media.probe import frame_times, probe
from matting.progress import Progress

# Packets of larger parts are not held until their times are known, but read once more.
MOST_HELD_BYTES = 1 << 26


@dataclass(frozen=True)
class JoinPart:
    """A file to join.

    Attributes:
        first_pts: the time of its first frame in the result.
        times: of all its frames, counted from the first, in the result's ticks; None: those of
            the file.
    """

    path: Path
    first_pts: int
    times: tuple[int, ...] | None = None


def join(
    parts: Sequence[JoinPart],
    time_base: Fraction,
    target: Path,
    progress: Progress,
    *,
    container: str = "mp4",
) -> list[int]:
    """Write all frames of `parts` to the file `target`, without encoding.

    mp4 and mov hold each time exactly; Matroska and WebM hold the nearest whole millisecond.

    Args:
        parts: in order; all encoded alike.
        time_base: seconds a tick of the parts' `first_pts`.
        progress: told how many more frames have been written.
        container: FFmpeg's name of the format of `target`.
    Returns:
        the PTS that each frame should have, rising; `check_joined` finds out whether it has.
    Raises:
        InputError: the parts were encoded in different ways.
        EncodeError: two frames would have the same time.
        MediaError: reading a part crashes or hangs the process that does so.
        StorageError: it cannot be written.
    """
    read = parts[0].path if len(parts) == 1 else parts[0].path.parent
    work = partial(_join, tuple(parts), time_base, target, container)
    return work_guarded(read, work, progress)


class _Part(NamedTuple):
    """A file to join, at its place in the result.

    Attributes:
        times: of its frames in the result, rising.
        pts: its own times of them, in the order of its packets; None: they are read with these.
    """

    path: Path
    times: Sequence[int]
    pts: Sequence[int] | None = None


def _join(
    parts: Sequence[JoinPart],
    time_base: Fraction,
    target: Path,
    container: str,
    progress: Progress,
) -> list[int]:
    placed = [_placed(part, time_base) for part in parts]
    presented = [time for part in placed for time in part.times]
    if any(later <= earlier for earlier, later in pairwise(presented)):
        raise EncodeError(f"{target}: two frames would have the same time.")
    delay = 0
    while True:
        with JoinedFile(target, container, time_base, presented, delay) as joined:
            delay = _copy(placed, joined, progress)
        if delay <= joined.delay:
            return presented
        progress.advance(-joined.frames)


def _placed(part: JoinPart, time_base: Fraction) -> _Part:
    if part.times is not None:
        return _Part(part.path, [part.first_pts + time for time in part.times])
    pts, own = frame_times(part.path), probe(part.path).time_base
    first = min(pts)
    times = [part.first_pts + round((time - first) * own / time_base) for time in sorted(pts)]
    return _Part(part.path, times, pts)


def _copy(parts: Sequence[_Part], joined: JoinedFile, progress: Progress) -> int:
    """Copy the packets of all parts; return the decoding delay that they need.

    Where that is more than the file was begun with, as the first part shows it, not all are copied.
    """
    for part in parts:
        with open_video(part.path) as (source, video):
            pts, packets = _contents(part, source, video, progress)
            delay = decode_delay(pts)
            if not joined.begin(source, video, part.path, delay):
                return delay
            if len(pts) != len(part.times):
                raise EncodeError(f"{part.path} has {len(pts)} frames, not {len(part.times)}.")
            times = dict(zip(sorted(pts), part.times, strict=True))
            for packet, time in zip(packets, pts, strict=True):
                joined.add(packet, times[time])
                progress.advance(1)
    return joined.delay


def _contents(
    part: _Part, source: InputContainer, video: VideoStream, progress: Progress
) -> tuple[Sequence[int], Iterable[Packet[VideoStream]]]:
    """Return the times of a part's frames, in the order of its packets; and these."""
    if part.pts is None and part.path.stat().st_size <= MOST_HELD_BYTES:
        return read_frames(source, video, part.path, progress.alive)
    pts = frame_times(part.path) if part.pts is None else part.pts
    return pts, _shown(source.demux(video), part.path)


def _shown(demuxed: Iterator[Packet[VideoStream]], path: Path) -> Iterator[Packet[VideoStream]]:
    with reading(path):
        for packet in demuxed:
            if packet.size and not packet.is_discard:
                yield packet


def check_joined(
    target: Path,
    expected: Sequence[int],
    time_base: Fraction,
    progress: Progress,
    *,
    container: str = "mp4",
) -> None:
    """Decode a joined file through, and compare every frame's time with what it should be.

    Args:
        expected, time_base: what `join` returned and was given.
        progress: told how many more frames have been checked.
        container: FFmpeg's name of the format of `target`.
    Raises:
        EncodeError: a frame is missing, damaged, or not at its time: within one tick of it, or at
            the whole millisecond nearest to it where the container has no other times.
    """
    tolerance = MILLISECOND / 2 if container in MILLISECOND_CONTAINERS else time_base
    check = partial(_check_times, target, tuple(expected), time_base, tolerance)
    try:
        work_guarded(target, check, progress)
    except MediaError as error:
        raise EncodeError(f"{target} came out damaged: {error.what}") from error


def _check_times(
    target: Path,
    expected: Sequence[int],
    time_base: Fraction,
    tolerance: Fraction,
    progress: Progress,
) -> None:
    times = decode_through(target, progress.advance)
    exact = len(times) == len(expected) and all(
        abs(time - pts * time_base) <= tolerance for time, pts in zip(times, expected, strict=True)
    )
    if not exact:
        raise EncodeError(
            f"{target}: {len(expected)} frames went in, {len(times)} came out, or at other times."
        )
