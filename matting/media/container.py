"""Opening media files by PyAV, and turning its errors into the program's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

import av
from av import logging
from av.codec.context import Flags
from av.container import InputContainer
from av.filter import Graph
from av.format import ContainerFormat
from av.packet import Packet
from av.sidedata.sidedata import SideData, Type
from av.stream import Disposition, Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import DISK_FULL, FORBIDDEN, EncodeError, InputError, MediaError, storage_error
from matting.media.codecs import decode_packet, decoder_of
from matting.media.ffmpeg import FAR, SAFE_INPUT, SELF_DESCRIBING
from matting.media.packet_limits import PacketLimits
from matting.system.files import require_possible
from matting.system.invocation import Command, give, named

# How many kinds of side data FFmpeg may know; it has named 36 so far.
SIDE_DATA_KINDS = 64

AnyStream = TypeVar("AnyStream", bound=Stream)


def require_file(path: Path) -> None:
    """Refuse a path that is no file, or an empty one.

    Raises:
        InputError: says what it is instead.
    """
    require_possible(path)
    if path.is_dir():
        raise InputError(
            f"{path} is a folder, not a video.",
            f"{give('the video file itself')} Folders of segments are for {named(Command.INFER)}.",
        )
    if not path.is_file():
        raise InputError(f"{path} is not there.", "Check the path and its spelling.")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty.", "Copy or download it again.")


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a container and the video stream that is its picture; close it after the block.

    Raises:
        InputError: no such file, or a folder.
        MediaError: it is no video, or holds no picture.
    """
    require_file(path)
    with reading(path):
        try:
            container = _open(path)
        except av.error.ArgumentError:
            _require_taken(path)
            raise
        if container.format.name in SELF_DESCRIBING and not _is_described(container):
            container.close()
            container = _open(path, FAR)
    with container:
        stream = _picture(container, path)
        # Else H.264 and H.265 are cropped at the left only as far as suits the memory's layout.
        stream.codec_context.flags |= Flags.unaligned
        yield container, stream


def decode(
    container: InputContainer, stream: VideoStream, decoder: VideoCodecContext | None = None
) -> Iterator[VideoFrame]:
    """Decode a stream, its transparency included; PyAV's errors are the caller's.

    Args:
        decoder: None: that of `decoder_of`.
    """
    decoder = decoder or decoder_of(stream)
    for packet in container.demux(stream):
        yield from decode_packet(decoder, packet)


def until_break(
    packets: Iterator[Packet[AnyStream]],
    on_break: Callable[[av.error.FFmpegError], None] = lambda _: None,
) -> Iterator[Packet[AnyStream]]:
    """Yield packets up to where the file cannot be read any further; not those that mark the end.

    Args:
        on_break: told of the error there.
    Raises:
        MediaError: there are more packets than a file of this size can hold: lists that point to
            the same bytes again and again, which would take for ever.
    """
    limits: PacketLimits | None = None
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.InvalidDataError as error:
            on_break(error)
            return
        if limits is None:
            limits = PacketLimits(packet.stream.container)
        limits.take(packet.size)
        if packet.size:
            yield packet


def is_presented(packet: Packet[AnyStream], codec: str) -> bool:
    """Return whether a packet holds a frame that a player shows.

    Hidden are what an edit list leaves out, and VP8's frames that only others refer to.
    """
    if packet.is_discard:
        return False
    return codec != "vp8" or bool(bytes(packet)[0] >> 4 & 1)


def is_presented_when_decoded(stream: VideoStream) -> bool:
    """Return whether a packet's decoding time has to stand for its presentation time.

    AVI does not say when a packet is presented, and FFmpeg 8 takes H.264 there to be presented a
    frame later. That is right where no frame waits for a later one; decoding may change what is
    known of that, so ask before the first packet is decoded.
    """
    return stream.container.format.name == "avi" and not stream.codec_context.has_b_frames


def is_cover(stream: Stream) -> bool:
    """Return whether a video stream is no moving picture: a cover, or the pictures of chapters."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def side_data(frame: VideoFrame, kind: Type) -> bytes | None:
    """Return a frame's side data of that kind; None where it has none."""
    try:
        found = frame.side_data
    except ValueError:  # PyAV has no name for some of it, and gives nothing of it then
        found = _without_unnamed(frame).side_data
    by_kind = cast("Mapping[Type, SideData]", found)  # annotated as something else
    data = by_kind.get(kind)
    return None if data is None else bytes(data)


def _without_unnamed(frame: VideoFrame) -> VideoFrame:
    """Return the frame without side data that PyAV does not name, such as EXIF."""
    graph = Graph()
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1)
    )
    for number in set(range(SIDE_DATA_KINDS)) - {kind.value for kind in Type}:
        deleted = graph.add("sidedata", f"mode=delete:type={number}")
        last.link_to(deleted)
        last = deleted
    last.link_to(graph.add("buffersink"))
    graph.configure()
    graph.vpush(frame)
    return graph.vpull()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn PyAV's errors in the block into a MediaError that names `path`."""
    try:
        yield
    except av.error.FFmpegError as error:
        raise unreadable_video(path, error.strerror or str(error)) from error


def unreadable_video(path: Path, reason: str) -> MediaError:
    """Return the error for a file that FFmpeg refuses, for the reason it gives."""
    return MediaError(
        f"{path} cannot be read as a video ({reason}).",
        "Check that it plays; copy or download it again if it does not.",
    )


@contextmanager
def encoding_to(path: Path) -> Iterator[None]:
    """Turn PyAV's errors in the block into those of the file `path` that is being written."""
    try:
        yield
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL | FORBIDDEN:
            raise storage_error(error, path) from error
        raise EncodeError(f"{path} cannot be encoded ({error.strerror}).") from error


@contextmanager
def ffmpeg_log(level: int) -> Iterator[list[str]]:
    """Give what FFmpeg logs in the block, once that has ended: more than its errors say.

    Not for blocks in which FFmpeg's own threads work: one might wait for this one to listen.

    Args:
        level: PyAV's least level to listen to.
    """
    lines: list[str] = []
    previous_level = logging.get_level()
    logging.set_level(level)
    logging.set_skip_repeated(False)  # a second probe fails with the same words
    try:
        with logging.Capture() as messages:
            try:
                yield lines
            finally:
                lines += dict.fromkeys(text.strip() for _, _, text in messages)
    finally:
        logging.set_skip_repeated(True)
        logging.set_level(previous_level)


def _open(path: Path, options: Mapping[str, str] = MappingProxyType({})) -> InputContainer:
    options = {**SAFE_INPUT, **options}
    return av.open(str(path), "r", options=options, metadata_errors="replace")


def _is_described(container: InputContainer) -> bool:
    """Return whether it is known what all audio is encoded as."""
    contexts = (stream.codec_context for stream in container.streams.audio)
    return all(context is None or context.sample_rate for context in contexts)


def _require_taken(path: Path) -> None:
    """Refuse by its name a kind of file that is not among those taken.

    Raises:
        MediaError: it is such a file.
    """
    try:
        with ffmpeg_log(logging.ERROR):
            _open(path).close()
    except av.error.ArgumentError as error:
        log = cast("tuple[int, str, str] | None", error.log)  # annotated as something else
        if log is None or "whitelist" not in log[2]:
            return
        kind = ContainerFormat(log[1], "r").long_name
        picture = re.fullmatch(r"piped (\w+) sequence", kind)
        raise MediaError(
            f"{path} cannot be read as a video: {picture[1] if picture else kind} is not taken.",
            "Convert it to an .mp4 with H.264 or H.265 first.",
        ) from error


def _picture(container: InputContainer, path: Path) -> VideoStream:
    """Return the video stream marked as the default, else the first; never a cover."""
    pictures = [stream for stream in container.streams.video if not is_cover(stream)]
    if not pictures:
        types = sorted({stream.type for stream in container.streams})
        content = f"holds only {' and '.join(types)}" if types else "holds nothing"
        raise MediaError(f"{path} has no picture: it {content}.", "Give a file with a video track.")
    default = [stream for stream in pictures if stream.disposition & Disposition.default]
    picture = (default or pictures)[0]
    if picture.codec_context is None:
        raise MediaError(
            f"{path}: this build of FFmpeg has no decoder for its picture.",
            "Convert the video to H.264 or H.265 first.",
        )
    return picture
