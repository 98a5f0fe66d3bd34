"""Files that continue each other decoded in one go, each frame with its packet's number."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Container, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av import logging
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.imaging.sample_format import Size
from matting.media.codecs import decode_packet, decoder_of
from matting.media.container import (
    ffmpeg_log,
    is_presented,
    is_presented_when_decoded,
    open_video,
    reading,
    until_break,
)
from matting.media.frame_threads import AUTO, use_threads
from matting.media.pixel_formats import top_down
from matting.progress import ignore

# FFmpeg's AVFMT_FLAG_GENPTS: PyAV's default, but not that of FFmpeg's program.
GENERATE_PTS = 1


class Shape(NamedTuple):
    """A frame's size and pixel format."""

    size_px: Size
    pixel_format: str

    @classmethod
    def of(cls, frame: VideoFrame) -> Shape:
        return cls(Size(frame.width, frame.height), frame.format.name)

    def __str__(self) -> str:
        return f"{self.size_px.width}x{self.size_px.height} ({self.pixel_format})"


@dataclass
class Decoding:
    """What came of decoding a file's packets, which are numbered from 0.

    Attributes:
        indexed: the PTS of every frame that the file lists, by its packet's number; None where it
            says none itself.
        presented: the numbers of the frames that came out, in the order of presentation, intact
            or not.
        brought_by: the packet with which each of them came out; None: at the end.
        failed: the numbers of frames that the decoder refused or called corrupt. With several
            threads an error's packet is not known: then `errors` alone counts it.
        errors: how often the decoder refused a packet.
        next_failed: the numbers of the packets that it refused of the next file.
        first_hashes: of the first frames' pixels; then how many of these the decoder refused.
        next_hashes: the same of the next file's, decoded as the continuation of this one.
        complaints: what the decoder said, or how it refused, by the first file's packets; only
            where it was listened to.
        interlaced: how many of the frames that came out are marked as two fields.
        shapes: how many of them have which size and pixel format.
        time_base: seconds a tick of the file's times.
    """

    indexed: dict[int, int | None] = field(default_factory=dict)
    presented: list[int] = field(default_factory=list)
    brought_by: dict[int, int | None] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    errors: int = 0
    next_failed: set[int] = field(default_factory=set)
    first_hashes: list[bytes] = field(default_factory=list)
    next_hashes: list[bytes] = field(default_factory=list)
    complaints: dict[int, list[str]] = field(default_factory=dict)
    interlaced: int = 0
    shapes: Counter[Shape] = field(default_factory=Counter)
    time_base: Fraction = Fraction(0)

    @property
    def is_intact(self) -> bool:
        """Whether every indexed frame came out, once, whole, and in the order of the times."""
        times = [self.indexed.get(number) for number in self.presented]
        known = [time for time in times if time is not None]
        expected = [time for time in self.indexed.values() if time is not None]
        return (
            not self.errors
            and not self.failed
            and len(self.presented) == len(self.indexed)
            and sorted(self.presented) == sorted(self.indexed)
            and (len(known) < len(times) or known == sorted(expected))
        )

    @property
    def damaged(self) -> set[int]:
        """The numbers of the indexed frames that are missing or not intact."""
        return (set(self.indexed) - set(self.presented)) | (self.failed & set(self.indexed))


def decode_files(
    files: Sequence[Path],
    decoding: Decoding,
    *,
    strict: bool,
    threads: int = AUTO,
    only: Container[int] | None = None,
    listen: bool = False,
    alive: Callable[[], None] = ignore,
) -> Generator[tuple[int, int, VideoFrame], None, None]:
    """Decode files that continue each other in one go.

    A frame's `dts` is the number of the packet that brought it, counted through all files.

    Of all but the first file, only the frames that it presents are decoded: what it hides at its
    start repeats the end of the file before.

    Args:
        decoding: is told of the first file's frames and of the decoder's refusals.
        strict: refuse damaged packets, rather than conceal the damage.
        threads: 1, or AUTO: as many as `use_threads` says.
        only: the numbers of the first file's packets to decode; None: all.
        listen: note the decoder's complaints; with one thread.
        alive: called for every packet, whether it gives a frame or not.
    Yields:
        the file's number, the packet's number in that file, and the frame at its packet's time.
    """
    with open_video(files[0]) as (container, stream):
        container.flags &= ~GENERATE_PTS
        decoding.time_base = stream.time_base or Fraction(0)
        context = decoder_of(stream)
        if threads == 1:
            context.thread_count, context.thread_type = 1, "SLICE"
        else:
            use_threads(context)
        if strict:
            context.options = {**context.options, "err_detect": "explode"}
        starts = [0]
        times: list[int | None] = []
        for file, path in enumerate(files):
            decoding.next_failed.clear()
            failed = decoding.next_failed if file else decoding.failed
            packets = _packets_of_next(path) if file else _packets(files[0], container, stream)
            for packet in packets:
                alive()
                if file == 0 and is_presented(packet, context.codec.canonical_name):
                    decoding.indexed[len(times)] = packet.pts
                # A frame comes out with its packet's time, and with the time of decoding of the
                # packet that brings it: numbers take their place.
                number = len(times)
                times.append(packet.pts)
                if file == 0 and only is not None and number not in only:
                    continue
                packet.pts = packet.dts = number
                if listen and file == 0:
                    frames = _decode_listening(context, packet, number, decoding)
                else:
                    frames = _decode_packet(context, packet, decoding)
                if frames is None:
                    failed.add(number - starts[file])
                    continue
                yield from _locate_frames(frames, starts, times)
            starts.append(len(times))
        rest = _decode_packet(context, None, decoding) or []
        yield from _locate_frames(rest, starts[: len(files)], times)


def pixel_hash(frame: VideoFrame) -> bytes:
    """Hash a frame's planes as decoded, without what pads their lines."""
    frame = top_down(frame)
    # Some decoders put the full range into the format's name (yuvj420p), others beside it.
    name = frame.format.name.replace("yuvj", "yuv")
    digest = hashlib.blake2b(f"{frame.width}x{frame.height} {name}".encode())
    samples = [(0, 0)] * len(frame.planes)
    for component in frame.format.components:
        count, _ = samples[component.plane]
        samples[component.plane] = (count + 1, (component.bits + 7) // 8)
    for plane, (count, size) in zip(frame.planes, samples, strict=True):
        if not plane.line_size:  # a palette, which has no lines
            digest.update(bytes(plane))
            continue
        lines = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]
        digest.update(lines[:, : plane.width * count * size].tobytes())
    return digest.digest()


def _locate_frames(
    frames: list[VideoFrame], starts: list[int], times: list[int | None]
) -> Iterator[tuple[int, int, VideoFrame]]:
    for frame in frames:
        number = frame.pts
        if number is not None:
            file = max(index for index, start in enumerate(starts) if start <= number)
            # Without a time, some decoders make one up.
            frame.pts = times[number]
            yield file, number - starts[file], frame


def _packets(
    path: Path, container: InputContainer, stream: VideoStream
) -> Iterator[Packet[VideoStream]]:
    when_decoded = is_presented_when_decoded(stream)
    with reading(path):
        for packet in until_break(container.demux(stream)):
            if when_decoded:
                packet.pts = packet.dts
            yield packet


def _packets_of_next(path: Path) -> Iterator[Packet[VideoStream]]:
    """Yield the packets that the file itself presents."""
    with open_video(path) as (container, stream):
        for packet in _packets(path, container, stream):
            if not packet.is_discard:
                yield packet


def _decode_packet(
    context: VideoCodecContext, packet: Packet[VideoStream] | None, decoding: Decoding
) -> list[VideoFrame] | None:
    """Return the frames that come out; None when the decoder refuses the packet."""
    try:
        return decode_packet(context, packet)
    except av.error.FFmpegError:
        decoding.errors += 1
        return None


def _decode_listening(
    context: VideoCodecContext, packet: Packet[VideoStream], number: int, decoding: Decoding
) -> list[VideoFrame] | None:
    """Do as `_decode_packet`, and note what the decoder says at the level of errors."""
    with ffmpeg_log(logging.ERROR) as complaints:
        frames = _decode_packet(context, packet, decoding)
    if frames is None and not complaints:
        complaints.append("refused without a word")
    if complaints:
        decoding.complaints[number] = complaints
    return frames
