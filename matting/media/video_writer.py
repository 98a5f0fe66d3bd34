"""Encoding frames to a video file, each at its own time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import torch
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import MachineError
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.media.codecs import add_video_stream
from matting.media.colour_tags import ColourTags
from matting.media.container import encoding_to
from matting.media.cuda import SurfacePool
from matting.media.encoder_table import encoder_spec
from matting.media.encoders import EncoderInput, surface_count
from matting.media.frame_planes import frame_of
from matting.media.hdr_metadata import HdrMetadata
from matting.media.mp4.header_room import header_first
from matting.media.packet_table import decode_times
from matting.media.timed_writer import TimedWriter
from matting.options import EncodingOptions

# x265 gives meaningless decoding times to a video shorter than its look at frames to come.
SHORT_PACKETS = 16
KEY_FRAME_SECONDS = EncodingOptions().key_frame_seconds
MAX_RATE = 240


class VideoWriter(TimedWriter):
    """Writes an mp4 file. Use it in a `with` block; only `finish` completes the file."""

    def __init__(
        self,
        path: Path,
        *,
        size_px: Size,
        time_base: Fraction,
        rate: Fraction,
        colour: ColourTags,
        encoding: EncodingOptions,
        samples: EncoderInput,
        pixel_aspect: Fraction = Fraction(1),
        hdr: HdrMetadata | None = None,
        most_frames: int | None = None,
    ) -> None:
        """Open `path` for writing, replacing what was there.

        Args:
            size_px: of the frames. An odd width or height grows by one pixel, which repeats
                the edge, where chroma is shared: 4:2:0 video has no odd sizes.
            time_base: seconds a tick of the times given to `write`.
            rate: frames a second on average; steers the encoder's rate control only.
            colour, hdr: how the frames are tagged.
            samples: what `write` will be given.
            most_frames: how many there will be at most; the file's header then comes first. None:
                that is not known.
        Raises:
            MissingError: this build of FFmpeg has no such encoder.
            StorageError: the file cannot be written.
        """
        options = {} if most_frames is None else header_first(most_frames)
        super().__init__(path, container="mp4", options=options, time_base=time_base)
        self._encoding = encoding
        self._samples, self._range = samples, colour.range
        self._held: list[Packet[VideoStream]] = []
        with self._opening():
            self._stream = self._add_stream(size_px, rate, hdr)
            context = self._stream.codec_context
            context.time_base = time_base
            context.sample_aspect_ratio = pixel_aspect
            colour.apply_to(context)
        # After the stream, so that it goes after it, too: NVENC reads that memory.
        self._surfaces: SurfacePool | None = None

    def write(self, pictures: Planes, pts: Sequence[int]) -> None:
        """Encode frames.

        Args:
            pictures: T of them in the format of `samples`, on the CPU; for NVENC on any device,
                always the same.
            pts: T times in ticks, rising.
        Raises:
            EncodeError: a time does not rise, or the encoder refuses a frame.
            MachineError: NVENC fails.
            StorageError: the file cannot be written.
        """
        if pictures.sample_format != self._samples.sample_format:
            raise ValueError(f"{pictures.sample_format} is not {self._samples.sample_format}")
        for picture, time in zip(pictures.split(1), pts, strict=True):
            self._encode(partial(self._frame, picture), time)

    def _frame(self, picture: Planes) -> VideoFrame:
        pixel_format = self._samples.pixel_format
        if not self._encoding.by_hardware:
            frame = frame_of(picture, pixel_format)
        else:
            if self._surfaces is None:
                device = picture.luma_or_rgb.device
                self._surfaces = SurfacePool(pixel_format, device)
                if device.type == "cuda":
                    self._stream.pix_fmt = "cuda"
            frame = self._surfaces.frame(picture)
        frame.color_range = self._range
        return frame

    def _packets_of(self, frame: VideoFrame | None) -> list[Packet[VideoStream]]:
        packets = super()._packets_of(frame)
        if self._surfaces is not None:
            self._surfaces.release(len(packets))
        return packets

    @contextmanager
    def _encoder_errors(self) -> Iterator[None]:
        """Turn errors in the block into an EncodeError; with NVENC into one worth another try."""
        if not self._encoding.by_hardware:
            with encoding_to(self._path):
                yield
            return
        try:
            yield
        except (av.error.FFmpegError, RuntimeError) as error:  # the latter are torch's
            reason = error.strerror if isinstance(error, av.error.FFmpegError) else error
            raise MachineError(
                f"{self._path} cannot be encoded by NVENC ({reason}).",
                option="--encoder",
                if_repeated="use --encoder software.",
            ) from error

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        self._held += packets
        if len(self._pts) > SHORT_PACKETS:
            self._container.mux(self._held)
            self._held = []

    def _mux_rest(self) -> None:
        """Write what is still held at the end: all of a short video, with new decoding times."""
        pts = [packet.pts for packet in self._held if packet.pts is not None]
        if len(self._pts) <= SHORT_PACKETS and len(pts) == len(self._held) > 0:
            for packet, dts in zip(self._held, decode_times(pts), strict=True):
                packet.dts = dts
        self._container.mux(self._held)

    def _release_encoder(self) -> None:
        self._held.clear()  # they hold it, too
        super()._release_encoder()
        self._surfaces = None

    def _add_stream(self, size_px: Size, rate: Fraction, hdr: HdrMetadata | None) -> VideoStream:
        encoding, spec = self._encoding, encoder_spec(self._encoding)
        avx512 = "AVX512" in torch.backends.cpu.get_cpu_capability()
        options = spec.options_for(encoding, hdr, avx512=avx512)
        if encoding.by_hardware:
            options["surfaces"] = str(surface_count(size_px, self._samples.sample_format))
        rate = min(rate, Fraction(MAX_RATE)).limit_denominator(1001)
        stream = add_video_stream(self._container, spec.encoder, rate=rate, options=options)
        subsampling = self._samples.sample_format.subsampling
        stream.width, stream.height = (
            -(-side // shared) * shared for side, shared in zip(size_px, subsampling, strict=True)
        )
        stream.pix_fmt = self._samples.pixel_format
        stream.codec_context.gop_size = max(1, round(rate * encoding.key_frame_seconds))
        stream.codec_context.codec_tag = spec.tag
        if encoding.bitrate_bps is not None:
            stream.bit_rate = encoding.bitrate_bps
        return stream
