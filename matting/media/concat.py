"""Joining encoded videos into one file, packet by packet, with each frame at a given time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from matting.errors import EncodeError, InputError, MediaError
from matting.media.container import encoding_to, open_video, reading
from matting.media.decode_check import decode_through
from matting.media.foreign_files import work_guarded
from matting.media.mp4.header_room import header_first
from matting.media.mp4.stream_copy import MILLISECOND, add_copied_stream
from matting.media.packet_table import decode_times
from matting.media.probe import frame_times, probe
from matting.progress import Progress

# By FFmpeg's names; they count times in whole milliseconds.
MILLISECOND_CONTAINERS = {"matroska", "webm"}


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


def _join(
    parts: Sequence[JoinPart],
    time_base: Fraction,
    target: Path,
    container: str,
    progress: Progress,
) -> list[int]:
    times: list[int] = []
    for part in parts:
        times += _part_times(part, time_base)
        progress.alive()
    presented = sorted(times)
    if any(later <= earlier for earlier, later in pairwise(presented)):
        raise EncodeError(f"{target}: two frames would have the same time.")
    with encoding_to(target):
        options: dict[str, str] = {}
        if container not in MILLISECOND_CONTAINERS:
            # The start of the picture is noted in the movie's own ticks, by default milliseconds.
            options = {"movie_timescale": str(time_base.denominator), **header_first(len(times))}
        output = av.open(str(target), "w", format=container, options=options)
    with output:
        pts_and_dts = zip(times, decode_times(times), strict=True)
        _copy(parts, output, time_base, pts_and_dts, progress.advance)
        with encoding_to(target):
            output.close()
    return presented


def _part_times(part: JoinPart, time_base: Fraction) -> list[int]:
    """Return the times in the result of a part's packets, in decoding order."""
    pts = frame_times(part.path)
    if part.times is not None:
        if len(pts) != len(part.times):
            raise EncodeError(f"{part.path} has {len(pts)} frames, not {len(part.times)}.")
        planned = dict(zip(sorted(pts), part.times, strict=True))
        return [part.first_pts + planned[time] for time in pts]
    first, own = min(pts), probe(part.path).time_base
    return [part.first_pts + round((time - first) * own / time_base) for time in pts]


def _copy(
    parts: Sequence[JoinPart],
    output: OutputContainer,
    time_base: Fraction,
    times: Iterator[tuple[int, int]],
    on_frames: Callable[[int], None],
) -> None:
    stream: VideoStream | None = None
    first_extradata = b""
    for part in parts:
        with open_video(part.path) as (container, video):
            extradata = bytes(video.codec_context.extradata or b"")
            if stream is None:
                first_extradata = extradata
                stream = add_copied_stream(output, container.format.name, video, time_base)
            elif extradata != first_extradata:
                raise InputError(
                    f"{part.path} is encoded in another way than {parts[0].path.name}.",
                    "Files of one size and rate, matted with the same options, can be joined.",
                )
            for packet in _packets(container.demux(video), part.path):
                if packet.duration:
                    packet.duration = round(packet.duration * packet.time_base / time_base)
                packet.pts, packet.dts = next(times)
                packet.time_base = time_base
                packet.stream = stream
                with encoding_to(Path(output.name)):
                    output.mux_one(packet)
                on_frames(1)


def _packets(demuxed: Iterator[Packet[VideoStream]], path: Path) -> Iterator[Packet[VideoStream]]:
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
