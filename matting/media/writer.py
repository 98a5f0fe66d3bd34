"""Encoding pictures to a video file, each at its own time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from torch import Tensor

from matting.errors import EncodeError, MediaError, MissingError
from matting.media.check import decode_through, ignore
from matting.media.colour import Colour, FromGrey, FromRGB
from matting.media.door import encoding
from matting.media.probe import probe
from matting.media.timing import decode_times

KEY_FRAME_SECONDS = 2
# x265 gives meaningless decoding times to a video shorter than its look at frames to come.
SHORT_PACKETS = 16
MAX_RATE = 240


@dataclass(frozen=True)
class Codec:
    """A choice of `--codec`: FFmpeg's encoder, what it is told, and its scale of quality."""

    encoder: str
    tag: str
    options: dict[str, str]
    default_quality: int
    worst_quality: int


# Closed groups of pictures, so that what is made here can be cut again exactly. No note of the
# encoder's processor in the header: segments made on different machines must fit together.
CODECS = {
    "hevc": Codec(
        "libx265",
        "hvc1",
        {"preset": "fast", "x265-params": "open-gop=0:info=0:log-level=error"},
        20,
        51,
    ),
    "h264": Codec("libx264", "avc1", {"preset": "fast", "flags": "+cgop"}, 18, 51),
    "av1": Codec("libsvtav1", "av01", {"preset": "8"}, 24, 63),
}


@dataclass(frozen=True)
class Encoding:
    """How results are encoded.

    Attributes:
        codec: a key of CODECS.
        quality: the encoder's constant rate factor; lower is better. None: the codec's default.
        bitrate_bps: bits a second instead of a quality.
        preset: the encoder's own name of how much time it takes; None: the codec's default.
    """

    codec: str = "hevc"
    quality: int | None = None
    bitrate_bps: int | None = None
    preset: str | None = None


class VideoWriter:
    """An mp4 file being made. Use it in a `with` block; only `finish` makes the file whole."""

    def __init__(
        self,
        path: Path,
        *,
        size_px: tuple[int, int],
        time_base: Fraction,
        rate: Fraction,
        colour: Colour,
        choice: Encoding,
        pixel_aspect: Fraction = Fraction(1),
    ) -> None:
        """Opens `path` for writing, replacing what was there.

        Args:
            size_px: width and height of the pictures. An odd one grows by one pixel, which
                repeats the edge: 4:2:0 video has no odd sizes.
            time_base: seconds a tick of the times given to `write`.
            rate: frames a second on average; steers the encoder's rate control only.
        Raises:
            MissingError: this build of FFmpeg has no such encoder.
            StorageError: the file cannot be written.
        """
        self._path = path
        self._time_base = time_base
        self._pts: list[int] = []
        self._held: list[Packet[VideoStream]] = []
        self._from_rgb = FromRGB(colour, "yuv420p")
        self._from_grey = FromGrey(colour)
        with encoding(path):
            self._container = av.open(str(path), "w", format="mp4")
        try:
            with encoding(path):
                self._stream = self._add_stream(size_px, rate, choice)
            context = self._stream.codec_context
            context.time_base = time_base
            context.sample_aspect_ratio = pixel_aspect
            colour.apply_to(context)
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

    def write(self, pictures: Tensor, pts: Sequence[int]) -> None:
        """Encodes pictures.

        Args:
            pictures: RGB [T, 3, H, W] or grey [T, 1, H, W], uint8, 0..255, on the CPU.
            pts: T times in ticks, rising.
        Raises:
            EncodeError: a time does not rise, or the encoder refuses a picture.
            StorageError: the file cannot be written.
        """
        arrays = np.asarray(pictures.permute(0, 2, 3, 1).contiguous().numpy())  # [T, H, W, C]
        for array, time in zip(arrays, pts, strict=True):
            if self._pts and time <= self._pts[-1]:
                raise EncodeError(
                    f"{self._path}: picture {len(self._pts)} is not later than the one before."
                )
            even = _even(array)
            frame = self._from_rgb(even) if even.shape[2] == 3 else self._from_grey(even[..., 0])
            frame.pts, frame.time_base = time, self._time_base
            with encoding(self._path):
                self._mux(self._stream.encode(frame))
            self._pts.append(time)

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Encodes what the encoder still holds, closes the file, and decodes it through.

        Args:
            on_frames: told how many more frames are checked.
        Raises:
            EncodeError: the file does not hold every picture at its time, each decodable.
            StorageError: the file cannot be written.
        """
        with encoding(self._path):
            self._mux(self._stream.encode(None))
            self._mux_held()
            self._container.close()
        try:
            shown = decode_through(self._path, on_frames)
        except MediaError as error:
            raise EncodeError(f"{self._path} came out damaged: {error.what}") from error
        written = _seconds(shown, self._file_time_base())
        if written != _seconds(self._pts, self._time_base):
            raise EncodeError(
                f"{self._path}: {len(self._pts)} pictures went in, {len(written)} came out, "
                "or came out at other times."
            )

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
        self, size_px: tuple[int, int], rate: Fraction, choice: Encoding
    ) -> VideoStream:
        codec = CODECS[choice.codec]
        options = dict(codec.options)
        if choice.bitrate_bps is None:
            quality = codec.default_quality if choice.quality is None else choice.quality
            options["crf"] = str(quality)
        if choice.preset is not None:
            options["preset"] = choice.preset
        # SVT-AV1 writes to the console unless told by its own variable not to.
        os.environ.setdefault("SVT_LOG", "1")
        rate = min(rate, Fraction(MAX_RATE)).limit_denominator(1001)
        try:
            stream = self._container.add_stream(codec.encoder, rate=rate, options=options)
        except (av.codec.codec.UnknownCodecError, ValueError) as error:
            raise MissingError(
                f"The encoder {codec.encoder} is not in this installation of PyAV.",
                "Choose another --codec, or install PyAV anew: pip install --force-reinstall av",
            ) from error
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{codec.encoder} is no video encoder")
        stream.width, stream.height = (side + side % 2 for side in size_px)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = max(1, round(rate * KEY_FRAME_SECONDS))
        stream.codec_context.codec_tag = codec.tag
        if choice.bitrate_bps is not None:
            stream.bit_rate = choice.bitrate_bps
        return stream

    def _file_time_base(self) -> Fraction:
        return probe(self._path).time_base


def _seconds(pts: list[int], time_base: Fraction) -> list[Fraction]:
    """Times relative to the first, in seconds."""
    return [(time - pts[0]) * time_base for time in pts]


def _even(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """[H, W, C] with odd sides grown by one pixel that repeats the edge."""
    height, width = picture.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return picture
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
