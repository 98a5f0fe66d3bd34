"""The stored matte of a segment: written without loss, and read so that damage is noticed.

One FFV1 stream of 8 bits in Matroska, each frame a strip of `matte_layout`. FFV1 is lossless, its
coder for 8 bits stores what is flat in next to nothing, and each of its slices has a checksum.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import torch
from av.video.frame import VideoFrame

from matting.errors import DecodeError, EncodeError, InputError
from matting.imaging.matte_planes import MattePlanes
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.codecs import add_video_stream
from matting.media.container import encoding_to, open_video, until_break
from matting.media.ffv1_checksums import is_frame_intact, is_intact
from matting.media.matte_header import HINT, TAG, MatteHeader, stored_format
from matting.media.matte_layout import MatteLayout, Stamp, Strip
from matting.media.media_index import IndexPart, forget_index, index_of
from matting.media.pixel_formats import Samples, plane_samples
from matting.progress import ignore

CODEC, PIXEL_FORMAT = "ffv1", "gray"
SLICES = 16  # so many threads can work on a frame; each slice learns by itself
OPTIONS = {"level": "3", "coder": "0", "context": "0", "slicecrc": "1", "slices": str(SLICES)}
TICK = Fraction(1, 1000)  # of Matroska's times; the exact ones stand in the strips


class MatteWriter:
    """Writes a file of mattes. Use it in a `with` block; only `finish` completes the file."""

    def __init__(
        self,
        path: Path,
        *,
        size_px: Size,
        time_base: Fraction,
        rate: Fraction,
        sample_format: SampleFormat,
    ) -> None:
        """Open `path` for writing, replacing what was there.

        Args:
            size_px: of the frames.
            time_base: seconds a tick of the times given to `write`.
            rate: frames a second on average, for players.
            sample_format: of the source.
        Raises:
            MissingError: this build of FFmpeg has no such encoder.
            StorageError: the file cannot be written.
        """
        self._path = path
        self._size_px, self._time_base = size_px, time_base
        self._sample_format = stored_format(sample_format)
        self._pts: list[int] = []
        self._layout: MatteLayout | None = None
        # The last frame says that it is the last, so each waits for the next one.
        self._waiting: Strip | None = None
        with encoding_to(path):
            self._container = av.open(str(path), "w", format="matroska")
        try:
            with encoding_to(path):
                self._stream = add_video_stream(
                    self._container, CODEC, rate=rate.limit_denominator(1001), options=OPTIONS
                )
            self._stream.pix_fmt = PIXEL_FORMAT
            context = self._stream.codec_context
            context.time_base = TICK
            context.gop_size = 1  # no frame depends on another
            context.thread_count = _threads()
            context.thread_type = "SLICE"
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> MatteWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with encoding_to(self._path):
            self._container.close()

    def write(self, matte: MattePlanes, pts: Sequence[int]) -> None:
        """Encode the mattes of frames.

        Args:
            matte: of T frames, on the CPU, of the size and the source's format that were given.
            pts: T times in ticks, rising.
        Raises:
            EncodeError: a time does not rise, or the encoder refuses a frame.
            StorageError: the file cannot be written.
        """
        for frame, time in enumerate(pts):
            if self._pts and time <= self._pts[-1]:
                raise EncodeError(
                    f"{self._path}: matte {len(self._pts)} is not later than the one before."
                )
            layout = self._layout or self._begin(matte)
            strip = layout.allocate_strip()
            layout.pack(matte, frame, strip)
            self._encode_waiting(is_last=False)
            self._waiting = strip
            self._pts.append(time)

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Encode the last frame, close the file, and decode it through.

        Args:
            on_frames: told how many more frames have been checked.
        Raises:
            EncodeError: there are no frames, or the file does not hold each at its time, intact.
            StorageError: the file cannot be written.
        """
        if not self._pts:
            raise EncodeError(f"{self._path}: there is no matte to store.")
        self._encode_waiting(is_last=True)
        with encoding_to(self._path):
            self._container.mux(self._stream.encode(None))
            self._container.close()
        del self._stream  # with it end the encoder, its threads and its memory
        forget_index(self._path)
        times: list[int] = []
        try:
            with closing(MatteFile.open(self._path).stamps()) as stamps:
                for stamp in stamps:
                    times.append(stamp.pts)
                    on_frames(1)
        except InputError as error:
            raise EncodeError(f"{self._path} came out damaged: {error.what}") from error
        if times != self._pts:
            raise EncodeError(f"{self._path}: its mattes came out at other times.")

    def _encode_waiting(self, *, is_last: bool) -> None:
        strip, self._waiting = self._waiting, None
        if strip is None or self._layout is None:
            return
        stamp = Stamp(len(self._pts) - 1, self._pts[-1], is_last)
        self._layout.put_stamp(stamp, strip)
        since_first = (stamp.pts - self._pts[0]) * self._time_base
        for picture in self._layout.cut(strip):
            frame = VideoFrame(*self._layout.picture_size, PIXEL_FORMAT)
            plane_samples(frame.planes[0], 8)[:] = picture
            frame.pts, frame.time_base = round(since_first / TICK), TICK
            with encoding_to(self._path):
                self._container.mux(self._stream.encode(frame))

    def _begin(self, matte: MattePlanes) -> MatteLayout:
        """Say in the header what the file holds, which the first frame shows."""
        layout = MatteLayout(self._size_px, self._sample_format, matte.chroma is not None)
        self._stream.width, self._stream.height = layout.picture_size
        self._container.metadata[TAG] = MatteHeader(layout, self._time_base).to_text()
        self._layout = layout
        return layout


@dataclass(frozen=True)
class MatteChunk:
    """The mattes of consecutive frames.

    Attributes:
        matte: of T frames, on the CPU.
        pts: their T times, in ticks of the source's time base.
    """

    matte: MattePlanes
    pts: tuple[int, ...]


@dataclass(frozen=True)
class MatteFile:
    """A file of mattes, to be read.

    Attributes:
        frames: how many it holds.
    """

    path: Path
    header: MatteHeader
    frames: int

    @classmethod
    def open(cls, path: Path) -> MatteFile:
        """Return what a file says of itself and lists.

        Raises:
            InputError: no such file, or no stored matte, or one of a newer version.
            DecodeError: it is damaged.
        """
        index = index_of(path, IndexPart.PACKETS)
        with open_video(path) as (container, stream):
            header = MatteHeader.from_text(container.metadata.get(TAG), path)
            extradata = stream.codec_context.extradata or b""
        info, layout = index.info, header.layout
        stored = info.codec, info.pixel_format, (info.width_px, info.height_px)
        if stored != (CODEC, PIXEL_FORMAT, layout.picture_size) or not is_intact(extradata):
            raise DecodeError(f"{path}: its header is not that of its mattes.", HINT)
        frames, incomplete = divmod(len(index.packets.pts), layout.pictures)
        if index.packets.stopped or incomplete or not frames:
            raise DecodeError(f"{path} is cut off or damaged.", HINT)
        return cls(path, header, frames)

    @property
    def size_px(self) -> Size:
        return self.header.layout.size_px

    @property
    def sample_format(self) -> SampleFormat:
        return self.header.layout.sample_format

    @property
    def time_base(self) -> Fraction:
        return self.header.time_base

    def chunks(self, size: int) -> Generator[MatteChunk, None, None]:
        """Yield the mattes of all frames in chunks of `size`; the last may hold fewer.

        Raises:
            DecodeError: a frame is missing, damaged or out of order; names file and frame.
        """
        layout = self.header.layout
        with closing(self._strips()) as strips:
            for first in range(0, self.frames, size):
                count = min(size, self.frames - first)
                matte, pts = layout.allocate(count), []
                for place in range(count):
                    stamp, strip = next(strips)
                    layout.unpack(strip, matte, place)
                    pts.append(stamp.pts)
                yield MatteChunk(matte, tuple(pts))

    def stamps(self) -> Generator[Stamp, None, None]:
        """Decode all frames, and yield which they are.

        Raises:
            DecodeError: a frame is missing, damaged or out of order; names file and frame.
        """
        with closing(self._strips()) as strips:
            for stamp, _ in strips:
                yield stamp

    def _strips(self) -> Generator[tuple[Stamp, Strip], None, None]:
        """Yield every frame's strip, which lasts until the next one, with its stamp."""
        layout, previous = self.header.layout, None
        strip = layout.allocate_strip()
        with closing(self._pictures()) as pictures:
            for count in range(self.frames):
                for place in layout.cut(strip):
                    picture = next(pictures, None)
                    if picture is None:
                        raise self._broken(count, "cannot be read")
                    place[:] = picture
                stamp = layout.stamp_of(strip)
                if (stamp.index, stamp.is_last) != (count, count == self.frames - 1):
                    raise self._broken(count, "is missing, or not in its place")
                if previous is not None and stamp.pts <= previous:
                    raise self._broken(count, "is not later than the one before")
                yield stamp, strip
                previous = stamp.pts

    def _pictures(self) -> Generator[Samples, None, None]:
        """Decode packet by packet, each of which is a whole picture with its own checksums."""
        layout, count = self.header.layout, 0
        try:
            with open_video(self.path) as (container, stream):
                context = stream.codec_context
                context.thread_count, context.thread_type = _threads(), "SLICE"
                for packet in until_break(container.demux(stream)):
                    if not is_frame_intact(bytes(packet)):
                        raise self._broken(count // layout.pictures, "is damaged")
                    for frame in context.decode(packet):
                        if Size(frame.width, frame.height) != layout.picture_size:
                            raise self._broken(count // layout.pictures, "has another size")
                        yield plane_samples(frame.planes[0], 8)
                    count += 1
        except av.error.FFmpegError as error:
            reason = f"cannot be decoded ({error.strerror})"
            raise self._broken(count // layout.pictures, reason) from error

    def _broken(self, index: int, what: str) -> DecodeError:
        return DecodeError(f"{self.path}: matte {index} of {self.frames} {what}.", HINT)


def _threads() -> int:
    """Return how many threads a codec may use: as many as a step of the network."""
    return min(SLICES, torch.get_num_threads())
