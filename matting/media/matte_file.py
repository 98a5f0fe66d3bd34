"""The stored matte of a segment: written without loss, and read so that damage is noticed.

One FFV1 stream of 8 bits in Matroska, each frame some pictures as `matte_layout` makes them. FFV1
is lossless, and each of its slices has a checksum.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from matting.errors import DecodeError, EncodeError, InputError, MediaError
from matting.imaging.matte_planes import MattePlanes
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.codecs import add_video_stream
from matting.media.container import encoding_to, open_video
from matting.media.ffv1_checksums import is_intact
from matting.media.matte_header import HINT, TAG, MatteHeader, stored_format
from matting.media.matte_layout import MatteLayout, Stamp, Strip
from matting.media.matte_strips import broken_matte, codec_threads, read_strips
from matting.media.media_index import IndexPart, forget_index, index_of
from matting.media.pixel_formats import plane_samples
from matting.media.source import FrameSource
from matting.media.stream_times import NO_TIME
from matting.progress import ignore
from matting.system.closing import Closing

CODEC, PIXEL_FORMAT = "ffv1", "gray"
# Golomb-Rice codes: read in half the time that the range coder takes, and 2 to 4 % larger.
OPTIONS = {"level": "3", "coder": "0", "context": "0", "slicecrc": "1"}
TICK = Fraction(1, 1000)  # of Matroska's times; the exact ones stand in the stamps
LONGEST_GAP = 1 << 31  # between two frames, in such ticks: an int64 has to hold them all
LEAST_RATE = Fraction(1, 1001)


class MatteWriter(Closing):
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
        self._tick = -1  # of the last frame, in Matroska
        self._layout: MatteLayout | None = None
        self._checksum = 0
        # The last frame says that it is the last, so each waits for the next one.
        self._waiting: Strip | None = None
        with encoding_to(path):
            # Else each file is given a random number.
            options = {"fflags": "bitexact"}
            self._container = av.open(str(path), "w", format="matroska", options=options)
        try:
            with encoding_to(path):
                rate = max(LEAST_RATE, rate.limit_denominator(1001))
                self._stream = add_video_stream(self._container, CODEC, rate=rate, options=OPTIONS)
            self._stream.pix_fmt = PIXEL_FORMAT
            context = self._stream.codec_context
            context.time_base = TICK
            context.gop_size = 1  # no frame depends on another
        except BaseException:
            self._container.close()
            raise

    def close(self) -> None:
        """Close the file, however much of it is written."""
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
        height, width = matte.alpha.shape[2:]
        given = Size(width, height), stored_format(matte.sample_format), len(matte.alpha)
        if given != (self._size_px, self._sample_format, len(pts)):
            raise ValueError(f"{given} are no mattes of {self._size_px}, {self._sample_format}")
        for frame, time in enumerate(pts):
            if self._pts and time <= self._pts[-1]:
                raise EncodeError(
                    f"{self._path}: matte {len(self._pts)} is not later than the one before."
                )
            layout = self._layout or self._begin(matte)
            strip = layout.pack(matte, frame)
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
        pts = self._pts[-1]
        stamp = Stamp(self._checksum, len(self._pts) - 1, pts, is_last)
        self._layout.put_stamp(stamp, strip)
        # No two frames have one time there: the pictures of a frame are known by it.
        since_first = round((pts - self._pts[0]) * self._time_base / TICK)
        self._tick = min(max(self._tick + 1, since_first), self._tick + LONGEST_GAP)
        for picture in self._layout.cut(strip):
            frame = VideoFrame(*self._layout.picture_size, PIXEL_FORMAT)
            plane_samples(frame.planes[0], 8)[:] = picture
            frame.pts, frame.time_base = self._tick, TICK
            with encoding_to(self._path):
                self._container.mux(self._stream.encode(frame))

    def _begin(self, matte: MattePlanes) -> MatteLayout:
        """Say in the header what the file holds, which the first frame shows."""
        layout = MatteLayout(self._size_px, self._sample_format, matte.chroma is not None)
        self._stream.width, self._stream.height = layout.picture_size
        context = self._stream.codec_context
        context.options = {**context.options, "slices": str(layout.slices)}
        context.thread_count, context.thread_type = codec_threads(layout), "SLICE"
        header = MatteHeader(layout, self._time_base)
        self._container.metadata[TAG], self._checksum = header.to_text(), header.checksum
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
        times = index.packets.pts
        if index.packets.stopped or not len(times) or NO_TIME in times:
            raise DecodeError(f"{path} is cut off or damaged.", HINT)
        return cls(path, header, len(np.unique(times)))

    @property
    def size_px(self) -> Size:
        return self.header.layout.size_px

    @property
    def sample_format(self) -> SampleFormat:
        return self.header.layout.sample_format

    @property
    def time_base(self) -> Fraction:
        return self.header.time_base

    def require_of(self, source: FrameSource) -> None:
        """Refuse mattes of other frames than a source's.

        Raises:
            MediaError: names both.
        """
        theirs = source.frames, source.size_px, stored_format(source.sample_format)
        if (self.frames, self.size_px, self.sample_format) != theirs:
            what = f"{self.path} is the matte of other frames than those of {source.path}."
            raise MediaError(what)

    def chunks(self, size: int) -> Generator[MatteChunk, None, None]:
        """Yield the mattes of all frames in chunks of `size`; the last may hold fewer.

        Raises:
            DecodeError: a frame is missing, damaged or out of order; names file and frame.
        """
        layout = self.header.layout
        with closing(read_strips(self.path, self.header, self.frames)) as strips:
            for first in range(0, self.frames, size):
                count = min(size, self.frames - first)
                mattes, pts = layout.blank(count), []
                for place in range(count):
                    stamp, strip = next(strips)
                    try:
                        layout.unpack(strip, mattes, place)
                    except ValueError as error:
                        what = f"is no matte ({error})"
                        raise broken_matte(self.path, stamp.index, self.frames, what) from error
                    pts.append(stamp.pts)
                yield MatteChunk(layout.crop(mattes), tuple(pts))

    def stamps(self) -> Generator[Stamp, None, None]:
        """Decode all frames, and yield which they are.

        Raises:
            DecodeError: a frame is missing, damaged or out of order; names file and frame.
        """
        with closing(read_strips(self.path, self.header, self.frames)) as strips:
            for stamp, _ in strips:
                yield stamp
