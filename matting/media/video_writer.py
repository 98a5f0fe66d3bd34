"""Encoding pictures to a video file, each at its own time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import torch
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import EncodeError, MachineError, MediaError
from matting.imaging.planes import Planes
from matting.media.codecs import add_video_stream
from matting.media.colour_tags import ColourTags
from matting.media.container import encoding
from matting.media.cuda import SurfacePool
from matting.media.decode_check import decode_through
from matting.media.encoders import EncoderInput, encoder_spec, surface_count
from matting.media.frame_planes import frame_of
from matting.media.hdr_metadata import HdrMetadata
from matting.media.packet_table import decode_times
from matting.options import EncodingOptions
from matting.progress import ignore

KEY_FRAME_SECONDS = 2
# x265 gives meaningless decoding times to a video shorter than its look at frames to come.
SHORT_PACKETS = 16
MAX_RATE = 240


class VideoWriter:
    """An mp4 file being made. Use it in a `with` block; only `finish` makes the file whole."""

    def __init__(
        self,
        path: Path,
        *,
        size_px: tuple[int, int],
        time_base: Fraction,
        rate: Fraction,
        colour: ColourTags,
        choice: EncodingOptions,
        samples: EncoderInput,
        pixel_aspect: Fraction = Fraction(1),
        hdr: HdrMetadata | None = None,
    ) -> None:
        """Opens `path` for writing, replacing what was there.

        Args:
            size_px: width and height of the pictures. An odd one grows by one pixel, which
                repeats the edge, where chroma is shared: 4:2:0 video has no odd sizes.
            time_base: seconds a tick of the times given to `write`.
            rate: frames a second on average; steers the encoder's rate control only.
            colour, hdr: what is said of the picture.
            samples: what `write` will be given.
        Raises:
            MissingError: this build of FFmpeg has no such encoder.
            StorageError: the file cannot be written.
        """
        self._path = path
        self._time_base = time_base
        self._pts: list[int] = []
        self._held: list[Packet[VideoStream]] = []
        self._samples, self._range = samples, colour.range
        self._choice = choice
        with encoding(path):
            self._container = av.open(str(path), "w", format="mp4")
        try:
            with encoding(path):
                self._stream = self._add_stream(size_px, rate, choice, hdr)
            context = self._stream.codec_context
            context.time_base = time_base
            context.sample_aspect_ratio = pixel_aspect
            colour.apply_to(context)
            # After the stream, so that it goes after it, too: NVENC reads that memory.
            self._surfaces: SurfacePool | None = None
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with encoding(self._path):
            self._container.close()

    def write(self, pictures: Planes, pts: Sequence[int]) -> None:
        """Encodes pictures.

        Args:
            pictures: T of them in the coding of `samples`, on the CPU; for NVENC on any device,
                always the same.
            pts: T times in ticks, rising.
        Raises:
            EncodeError: a time does not rise, or the encoder refuses a picture.
            MachineError: NVENC breaks off.
            StorageError: the file cannot be written.
        """
        if pictures.sample_format != self._samples.sample_format:
            raise ValueError(f"{pictures.sample_format} is not {self._samples.sample_format}")
        for picture, time in zip(pictures.split(1), pts, strict=True):
            if self._pts and time <= self._pts[-1]:
                raise EncodeError(
                    f"{self._path}: picture {len(self._pts)} is not later than the one before."
                )
            self._encode(picture, time)
            self._pts.append(time)

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Encodes what the encoder still holds, closes the file, and decodes it through.

        Args:
            on_frames: told how many more frames are checked.
        Raises:
            EncodeError: the file does not hold every picture at its time, each decodable.
            StorageError: the file cannot be written.
        """
        packets = self._packets(None)
        with encoding(self._path):
            self._mux(packets)
            self._mux_held()
            self._container.close()
        # With what held it ends the encoder, its threads and its memory, on a card too.
        self._held.clear()
        del self._stream
        self._surfaces = None
        try:
            shown = decode_through(self._path, on_frames)
        except MediaError as error:
            raise EncodeError(f"{self._path} came out damaged: {error.what}") from error
        written = [time - shown[0] for time in shown]
        if written != [(pts - self._pts[0]) * self._time_base for pts in self._pts]:
            raise EncodeError(
                f"{self._path}: {len(self._pts)} pictures went in, {len(written)} came out, "
                "or came out at other times."
            )

    def _encode(self, picture: Planes, time: int) -> None:
        with self._encoding():
            frame = self._frame(picture)
        frame.color_range = self._range
        frame.pts, frame.time_base = time, self._time_base
        packets = self._packets(frame)
        with encoding(self._path):
            self._mux(packets)

    def _frame(self, picture: Planes) -> VideoFrame:
        name = self._samples.pixel_format
        if not self._choice.by_hardware:
            return frame_of(picture, name)
        if self._surfaces is None:
            device = picture.luma_or_rgb.device
            self._surfaces = SurfacePool(name, device)
            if device.type == "cuda":
                self._stream.pix_fmt = "cuda"
        return self._surfaces.frame(picture)

    def _packets(self, frame: VideoFrame | None) -> list[Packet[VideoStream]]:
        with self._encoding():
            packets = self._stream.encode(frame)
        if self._surfaces is not None:
            self._surfaces.release(len(packets))
        return packets

    @contextmanager
    def _encoding(self) -> Iterator[None]:
        """Whatever goes wrong with NVENC in the block may go well with the next try."""
        if not self._choice.by_hardware:
            with encoding(self._path):
                yield
            return
        try:
            yield
        except (av.error.FFmpegError, RuntimeError) as error:  # the latter are torch's
            words = error.strerror if isinstance(error, av.error.FFmpegError) else error
            raise MachineError(
                f"{self._path} cannot be encoded by NVENC ({words}).",
                if_repeated="use --encoder software.",
                option="--encoder",
            ) from error

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        self._held += packets
        if len(self._pts) > SHORT_PACKETS:
            self._container.mux(self._held)
            self._held = []

    def _mux_held(self) -> None:
        """What is still held at the end: all of a short video, whose decoding times are set."""
        pts = [packet.pts for packet in self._held if packet.pts is not None]
        if len(self._pts) <= SHORT_PACKETS and len(pts) == len(self._held) > 0:
            for packet, dts in zip(self._held, decode_times(pts), strict=True):
                packet.dts = dts
        self._container.mux(self._held)

    def _add_stream(
        self,
        size_px: tuple[int, int],
        rate: Fraction,
        choice: EncodingOptions,
        hdr: HdrMetadata | None,
    ) -> VideoStream:
        codec = encoder_spec(choice)
        avx512 = "AVX512" in torch.backends.cpu.get_cpu_capability()
        options = codec.options_for(choice, hdr, avx512=avx512)
        if choice.by_hardware:
            options["surfaces"] = str(surface_count(size_px, self._samples.sample_format))
        rate = min(rate, Fraction(MAX_RATE)).limit_denominator(1001)
        stream = add_video_stream(self._container, codec.encoder, rate=rate, options=options)
        steps = self._samples.sample_format.subsampling
        stream.width, stream.height = (
            -(-side // step) * step for side, step in zip(size_px, steps, strict=True)
        )
        stream.pix_fmt = self._samples.pixel_format
        stream.codec_context.gop_size = max(1, round(rate * KEY_FRAME_SECONDS))
        stream.codec_context.codec_tag = codec.tag
        if choice.bitrate_bps is not None:
            stream.bit_rate = choice.bitrate_bps
        return stream
