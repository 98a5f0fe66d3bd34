"""Writing pieces anew: without loss from the decoded planes, or at a constant quality."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import TracebackType

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import EncodeError, writing
from matting.media.container import encoding
from matting.media.decode_check import Decoding, decode_all, decoded, pixel_hash
from matting.media.fill import fill
from matting.media.hdr_metadata import HdrMetadata
from matting.media.holding import Holding, holding
from matting.media.pixel_formats import chroma_cells, converted
from matting.media.probe import VideoInfo, probe
from matting.system import atomic_files

# A decoded frame; for those who only hand it on.
Frame = VideoFrame
# Frames, each with its time in ticks of the source, rising.
Frames = Generator[tuple[int, VideoFrame], None, None]


class FrameWriter:
    """An mp4 file of decoded frames. Use it in a `with` block; only `finish` makes it whole.

    Args:
        path: the file; replaced when it is there.
        info: of the source, whose tags and time base it takes over.
        first: the first frame; all have its size, pixel format and rotation.
        crf: the encoder's constant rate factor; None: without loss.
        hdr: what the source says of its display and light.
    Raises:
        EncodeError: no encoder takes such frames.
        StorageError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        first: VideoFrame,
        crf: int | None = None,
        hdr: HdrMetadata | None = None,
    ) -> None:
        self._path = path
        self._time_base = info.time_base
        self._info = info
        self._pts: list[int] = []
        self._hashes: list[bytes] = []
        how = holding(first.format.name, (first.width, first.height), crf)
        encoder, self.pixel_format = how.encoder, how.pixel_format
        options = _with_light(how, info, hdr)
        self._lossless = crf is None
        ticks = {"movie_timescale": str(min(info.time_base.denominator, 2**31 - 1))}
        if encoder == "ffv1":  # it does not know its range itself: the container has to tell
            ticks["movflags"] = "write_colr"
        rate = max(Fraction(1), min(info.rate, Fraction(240))).limit_denominator(1001)
        with encoding(path):
            self._output = av.open(str(path), "w", format="mp4", options=ticks)
        try:
            with encoding(path):
                stream = self._output.add_stream(encoder, rate=rate, options=options)
            if not isinstance(stream, VideoStream):
                raise TypeError(f"{encoder} is no video encoder")
            stream.width, stream.height = first.width, first.height
            stream.pix_fmt = self.pixel_format
            context = stream.codec_context
            context.time_base = info.time_base
            context.sample_aspect_ratio = info.pixel_aspect
            info.colour.completed(first).apply_to(context)
            if encoder == "libx265":
                context.codec_tag = "hvc1"
            if first.rotation:
                stream.set_display_rotation(first.rotation)
            self._stream = stream
        except BaseException:
            self._output.close()
            raise

    def __enter__(self) -> FrameWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with encoding(self._path):
            self._output.close()

    def write(self, frame: VideoFrame, pts: int) -> None:
        """Encodes a frame at a time in ticks of the source, later than the one before.

        Raises:
            EncodeError: the encoder refuses it.
            StorageError: the file cannot be written.
        """
        frame = converted(frame, self.pixel_format, self._info.colour.range)
        if self._lossless:
            self._hashes.append(pixel_hash(frame))
        frame.pict_type = av.video.frame.PictureType.NONE  # the source's is no order to ours
        frame.pts, frame.time_base = pts, self._time_base
        with encoding(self._path):
            self._mux(self._stream.encode(frame))
        self._pts.append(pts)

    def finish(self) -> None:
        """Closes the file, and decodes it through: the same frames at the same times.

        Raises:
            EncodeError: it does not hold what was written.
            StorageError: the file cannot be written.
        """
        with encoding(self._path):
            self._mux(self._stream.encode(None))
            self._output.close()
        decoding = decode_all(self._path, head=len(self._pts) if self._lossless else 0)
        own = probe(self._path).time_base
        times = [pts * own for pts in decoding.pts.values() if pts is not None]
        wanted = [(pts - self._pts[0]) * self._time_base for pts in self._pts]
        if not decoding.is_sound or times != wanted or decoding.head != self._hashes:
            raise EncodeError(f"{self._path} does not hold the frames that were written to it.")

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            if packet.pts is not None:
                first = self._pts[0] if self._pts else packet.pts
                packet.pts -= first
                packet.dts = packet.pts
            self._output.mux_one(packet)


def _with_light(how: Holding, info: VideoInfo, hdr: HdrMetadata | None) -> dict[str, str]:
    """The encoder's options, with what the source says of light and of chroma's place."""
    x265 = how.encoder == "libx265"
    said = [] if hdr is None else [hdr.x265() if x265 else hdr.x264()]
    place = info.header.chroma_location
    if place and chroma_cells(how.pixel_format) == (2, 2):
        said.append(f"chromaloc={place - 1}")  # FFmpeg counts from one
    if not said or how.encoder == "ffv1":
        return how.options
    key = "x265-params" if x265 else "x264-params"
    given = [how.options[key]] if key in how.options else []
    return how.options | {key: ":".join(given + said)}


def frames_of(
    files: Sequence[Path],
    time_of: Callable[[int, int | None], int | None],
    *,
    strict: bool,
    threads: int = 1,
) -> Frames:
    """The frames that the last of some files shows, decoded as the continuation of the others.

    Args:
        time_of: a frame's time in the source, from its packet's number and PTS in that file;
            None: leave it out. Times that do not rise are left out, too.
        strict: refuse damaged packets; else conceal damage as well as can be, for the sake of
            the frames that refer to it.
        threads: how many; 0: as many as there are cores. With more than one, sound frames
            beside damaged ones are lost.
    """
    last: int | None = None
    for file, number, frame in decoded(files, Decoding(), strict=strict, threads=threads):
        time = time_of(number, frame.pts) if file == len(files) - 1 else None
        if time is not None and (last is None or time > last):
            last = time
            yield time, frame


def first_frame(path: Path, damaged: Collection[int]) -> VideoFrame | None:
    """The first frame of a file; not one whose packet's number is among `damaged`."""
    frames = frames_of([path], lambda number, pts: None if number in damaged else pts, strict=False)
    with closing(frames):
        return next((frame for _, frame in frames), None)


def last_frame(path: Path) -> VideoFrame | None:
    """The last frame of a file."""
    last = None
    for _, frame in frames_of([path], lambda _, pts: pts, strict=True, threads=0):
        last = frame
    return last


def encode_files(
    info: VideoInfo,
    groups: Mapping[Path, Sequence[int]],
    frames: Frames,
    *,
    damaged: Collection[int],
    before: VideoFrame | None = None,
    crf: int | None,
    on_frames: Callable[[int], None],
) -> None:
    """Encodes frames to files; each file is closed and decoded through before the next begins.

    Args:
        groups: the files, and the times of each one's frames, rising.
        frames: the good frames there are, in order.
        damaged: the times of those there are not.
        before: the frame that stands in for missing ones at the start; None: the first one.
        crf: the encoder's constant rate factor; None: without loss.
        on_frames: told how many more frames are encoded.
    Raises:
        DecodeError: there is not one frame, or one that is not damaged does not come.
        EncodeError: a file does not hold what was written to it.
        StorageError: a file cannot be written.
    """
    wanted = [time for times in groups.values() for time in times]
    hdr: HdrMetadata | None = None
    with closing(frames):
        filled = fill(wanted, frames, damaged, before, info.path)
        for path, times in groups.items():
            partial = atomic_files.partial(path)
            try:
                # Some decoders say it with the source's first frame only.
                piece = islice(filled, len(times))
                hdr = _encode_file(partial, info, piece, crf=crf, hdr=hdr, on_frames=on_frames)
                atomic_files.publish(partial, path)
            finally:
                with writing(partial):
                    partial.unlink(missing_ok=True)


def _encode_file(
    path: Path,
    info: VideoInfo,
    frames: Iterator[tuple[int, VideoFrame]],
    *,
    crf: int | None,
    hdr: HdrMetadata | None,
    on_frames: Callable[[int], None],
) -> HdrMetadata | None:
    time, first = next(frames)
    hdr = HdrMetadata.of(first) or hdr
    with FrameWriter(path, info, first, crf, hdr) as writer:
        writer.write(first, time)
        on_frames(1)
        for time, frame in frames:
            writer.write(frame, time)
            on_frames(1)
        writer.finish()
    return hdr
