"""Decoding files through, as strictly as the decoders can, to know that every frame is sound."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import DecodeError
from matting.media.container import (
    decoder_of,
    is_presented,
    is_presented_when_decoded,
    open_video,
    reading,
    unbroken,
)
from matting.progress import ignore

HINT = "Make it again, or copy it again from where it came."


@dataclass
class Decoding:
    """What came of decoding a file's packets, which are known by their number, from 0.

    Attributes:
        pts: of every frame that the file lists, by its packet's number; None where it has none.
        shown: the numbers of the frames that came out, in the order of display, sound or not.
        failed: the numbers of frames that the decoder refused or called corrupt. With several
            threads an error's packet is not known: then `errors` alone counts it.
        errors: how often the decoder refused a packet.
        next_failed: the numbers of the packets it refused of the next file.
        head: hashes of the first frames' pixels; then how many of these the decoder refused.
        interlaced: how many of the frames that came out are marked as two fields.
        next_head: the same of the next file's, decoded as the continuation of this one.
        time_base: seconds a tick of the times.
    """

    pts: dict[int, int | None] = field(default_factory=dict)
    shown: list[int] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    errors: int = 0
    next_failed: set[int] = field(default_factory=set)
    head: list[bytes] = field(default_factory=list)
    next_head: list[bytes] = field(default_factory=list)
    interlaced: int = 0
    time_base: Fraction = Fraction(0)

    @property
    def is_intact(self) -> bool:
        """Whether every listed frame came out, once, whole, and in the order of the times."""
        times = [self.pts.get(number) for number in self.shown]
        known = [time for time in times if time is not None]
        listed = [time for time in self.pts.values() if time is not None]
        return (
            not self.errors
            and not self.failed
            and len(self.shown) == len(self.pts)
            and sorted(self.shown) == sorted(self.pts)
            and (len(known) < len(times) or known == sorted(listed))
        )

    @property
    def damaged(self) -> set[int]:
        """The numbers of the listed frames that are missing or not sound."""
        return (set(self.pts) - set(self.shown)) | (self.failed & set(self.pts))


def decode_through(path: Path, on_frames: Callable[[int], None] = ignore) -> list[Fraction]:
    """Return when every frame is presented that a strict decoder gives, in seconds, in order.

    Args:
        on_frames: told how many more frames are decoded.
    Raises:
        DecodeError: a frame is damaged, missing or out of order; names file and frame.
        InputError: no such file.
        MediaError: it is no video.
    """
    decoding = decode_all(path, on_frames)
    listed = sorted(time for time in decoding.pts.values() if time is not None)
    if decoding.damaged:
        times = [decoding.pts[number] for number in decoding.damaged]
        first = min((time for time in times if time is not None), default=None)
        index = min(decoding.damaged) if first is None else listed.index(first)
        count = len(decoding.damaged)
        more = f" nor can {count - 1} others" if count > 1 else ""
        raise DecodeError(
            f"{path}: frame {index} of {len(decoding.pts)} cannot be decoded{more}.", HINT
        )
    if not decoding.is_intact or not listed:
        raise DecodeError(f"{path}: its frames do not come out in the order of their times.", HINT)
    return [time * decoding.time_base for time in listed]


def decode_all(
    path: Path,
    on_frames: Callable[[int], None] = ignore,
    *,
    head: int = 0,
    following: Path | None = None,
    next_head: int = 0,
) -> Decoding:
    """Decodes all of `path`, and tells what came of it; damage is no error here.

    Args:
        on_frames: told how many more frames are decoded.
        head: how many frames to hash at the start.
        following: the file whose own frames continue this one's.
        next_head: how many frames to hash of that.
    Raises:
        InputError: no such file.
        MediaError: it is no video.
    """
    files = [path] if following is None or not next_head else [path, following]
    decoding = _decoding(files, 0, head, next_head, on_frames)
    if decoding.is_intact:
        return decoding
    # An error may belong to a hidden frame or to the next file, and PyAV loses frames after one;
    # with one thread it is known whose it is, and nothing else is lost.
    slow = _decoding(files, 1, head, next_head, lambda _: on_frames(0))
    slow.failed &= set(slow.pts)  # what is hidden harms nobody
    slow.errors = len(slow.failed)
    if slow.failed:
        # A decoder that refuses a packet keeps back another, sound frame. A lenient one does not.
        lenient = decoded([path], Decoding(), strict=False, threads=1)
        slow.shown = [number for _, number, _ in lenient]
    return slow


def first_frame_hashes(files: Sequence[Path], count: int) -> list[bytes]:
    """The `head` of the last file, decoded as the continuation of the others.

    Raises:
        InputError: no such file.
        MediaError: it is no video.
    """
    decoding = Decoding()
    head: list[bytes] = []
    numbers: list[int] = []
    for file, number, frame in decoded(files, decoding, strict=True, threads=1):
        if file == len(files) - 1:
            head.append(pixel_hash(frame))
            numbers.append(number)
            if len(head) == count:
                break
    return head + _refused(decoding.next_failed, numbers)


def _decoding(
    files: Sequence[Path],
    threads: int,
    head: int,
    next_head: int,
    on_frames: Callable[[int], None],
) -> Decoding:
    decoding = Decoding()
    numbers: list[int] = []
    for file, number, frame in decoded(files, decoding, strict=True, threads=threads):
        if file == 1:
            decoding.next_head.append(pixel_hash(frame))
            numbers.append(number)
            if len(decoding.next_head) == next_head:
                break
            continue
        decoding.shown.append(number)
        decoding.interlaced += frame.interlaced_frame
        if frame.is_corrupt:
            decoding.failed.add(number)
        if len(decoding.head) < head:
            decoding.head.append(pixel_hash(frame))
        on_frames(1)
    listed_failures = decoding.failed & set(decoding.pts)
    decoding.head += _refused(listed_failures, decoding.shown[: len(decoding.head)])
    decoding.next_head += _refused(decoding.next_failed, numbers)
    return decoding


def _refused(failed: AbstractSet[int], head: Sequence[int]) -> list[bytes]:
    """A note of how many packets were refused up to a head's last; nothing where none was."""
    count = sum(number <= max(head, default=-1) for number in failed)
    return [f"{count} refused".encode()] if count else []


def decoded(
    files: Sequence[Path], decoding: Decoding, *, strict: bool, threads: int = 0
) -> Generator[tuple[int, int, VideoFrame], None, None]:
    """The frames of files that continue each other, decoded in one go.

    Of all but the first file, only the frames that it shows are decoded: what it hides at its
    start repeats the end of the file before.

    Args:
        decoding: told of the first file's frames and of the decoder's refusals.
        strict: refuse damaged packets, rather than conceal the damage.
        threads: how many; 0: as many as the machine has cores.
    Yields:
        The file's number, the packet's number in that file, and the frame at its packet's time.
    """
    with open_video(files[0]) as (container, stream):
        decoding.time_base = stream.time_base or Fraction(0)
        context = decoder_of(stream)
        context.thread_count = threads
        context.thread_type = "AUTO" if threads != 1 else "SLICE"
        if strict:
            context.options = {**context.options, "err_detect": "explode"}
        starts = [0]
        own: list[int | None] = []
        for file, path in enumerate(files):
            decoding.next_failed.clear()
            failed = decoding.next_failed if file else decoding.failed
            packets = _packets_of_next(path) if file else _packets(files[0], container, stream)
            for packet in packets:
                if file == 0 and is_presented(packet, context.codec.canonical_name):
                    decoding.pts[len(own)] = packet.pts
                # A frame comes out with its packet's time: the number takes its place.
                number = len(own)
                own.append(packet.pts)
                packet.pts = number
                frames = _decode(context, packet, decoding)
                if frames is None:
                    failed.add(number - starts[file])
                    continue
                yield from _located(frames, starts, own)
            starts.append(len(own))
        yield from _located(_decode(context, None, decoding) or [], starts[: len(files)], own)


def _located(
    frames: list[VideoFrame], starts: list[int], pts: list[int | None]
) -> Iterator[tuple[int, int, VideoFrame]]:
    for frame in frames:
        number = frame.pts
        if number is not None:
            file = max(index for index, start in enumerate(starts) if start <= number)
            # Without a time, some decoders make one up.
            frame.pts = pts[number]
            yield file, number - starts[file], frame


def _packets(
    path: Path, container: InputContainer, stream: VideoStream
) -> Iterator[Packet[VideoStream]]:
    when_decoded = is_presented_when_decoded(stream)
    with reading(path):
        for packet in unbroken(container.demux(stream)):
            if when_decoded:
                packet.pts = packet.dts
            yield packet


def _packets_of_next(path: Path) -> Iterator[Packet[VideoStream]]:
    """Those that the file itself presents."""
    with open_video(path) as (container, stream):
        for packet in _packets(path, container, stream):
            if not packet.is_discard:
                yield packet


def _decode(
    context: VideoCodecContext, packet: Packet[VideoStream] | None, decoding: Decoding
) -> list[VideoFrame] | None:
    """The frames that come out; None when the decoder refuses the packet."""
    try:
        return context.decode(packet)
    except av.error.FFmpegError:
        decoding.errors += 1
        return None


def pixel_hash(frame: VideoFrame) -> bytes:
    """A hash of a frame's planes as decoded, without what pads their lines."""
    digest = hashlib.blake2b(f"{frame.width}x{frame.height} {frame.format.name}".encode())
    samples = [(0, 0)] * len(frame.planes)
    for component in frame.format.components:
        count, _ = samples[component.plane]
        samples[component.plane] = (count + 1, (component.bits + 7) // 8)
    for plane, (count, size) in zip(frame.planes, samples, strict=True):
        lines = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]
        digest.update(lines[:, : plane.width * count * size].tobytes())
    return digest.digest()
