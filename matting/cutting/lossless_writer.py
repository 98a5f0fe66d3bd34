"""Decoded frames encoded to mp4: lossless in their own planes, or at a constant quality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import EncodeError
from matting.imaging.sample_format import Size
from matting.media.codecs import add_video_stream, encoder_formats
from matting.media.container import encoding_to
from matting.media.decode_check import decode_all
from matting.media.display_matrix import display_matrix
from matting.media.encoders import SMALLEST_SIDE_PX
from matting.media.frame_decoding import pixel_hash
from matting.media.hdr_metadata import HdrMetadata
from matting.media.mp4.header_room import header_first
from matting.media.pixel_formats import EQUIVALENT_FORMATS, chroma_subsampling, convert_frame
from matting.media.video_info import VideoInfo
from matting.options import VideoCodec
from matting.progress import ignore
from matting.system.closing import Closing

# No B-frames: every frame is presented when it is decoded, so that its DTS is its PTS.
X264 = {"preset": "veryfast", "bf": "0"}
X265 = {"preset": "fast"}
X265_PARAMS = "open-gop=0:bframes=0:info=0:log-level=error"
# Each frame by itself, with a checksum for each of its slices.
FFV1 = {"level": "3", "slicecrc": "1"}


class FrameWriter(Closing):
    """Writes decoded frames to an mp4 file. Use it in a `with` block; only `finish` completes it.

    Args:
        path: the file; replaced if it is there.
        info: of the source, whose tags and time base the file takes over.
        first: the first frame; all have its size, pixel format and display matrix.
        crf: the encoder's constant rate factor; None: lossless.
        hdr: the source's mastering display and light levels.
        most_frames: how many the file will hold at most.
    Raises:
        EncodeError: no encoder takes such frames.
        MissingError: this build of FFmpeg lacks the encoder.
        StorageError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        first: VideoFrame,
        crf: int | None = None,
        hdr: HdrMetadata | None = None,
        *,
        most_frames: int,
    ) -> None:
        self._path = path
        self._time_base = info.time_base
        self._info = info
        self._pts: list[int] = []
        self._hashes: list[bytes] = []
        codec = intermediate_codec(first.format.name, Size(first.width, first.height), crf)
        self.pixel_format = codec.pixel_format
        options = _options_with_light(codec, info, hdr)
        self._lossless = crf is None
        timescale = {"movie_timescale": str(info.time_base.denominator)}
        muxing = timescale | header_first(most_frames)
        if codec.encoder == "ffv1":  # its stream does not carry the range: the container has to
            muxing["movflags"] = "write_colr"
        rate = max(Fraction(1), min(info.rate, Fraction(240))).limit_denominator(1001)
        with encoding_to(path):
            self._output = av.open(str(path), "w", format="mp4", options=muxing)
        try:
            with encoding_to(path):
                stream = add_video_stream(self._output, codec.encoder, rate=rate, options=options)
            stream.width, stream.height = first.width, first.height
            stream.pix_fmt = self.pixel_format
            context = stream.codec_context
            context.time_base = info.time_base
            context.sample_aspect_ratio = info.pixel_aspect
            info.colour.completed(first).apply_to(context)
            if codec.encoder == "libx265":
                context.codec_tag = "hvc1"
            stream.set_display_matrix(display_matrix(first))
            self._stream = stream
        except BaseException:
            self._output.close()
            raise

    def close(self) -> None:
        """Close the file, however much of it is written."""
        with encoding_to(self._path):
            self._output.close()

    def write(self, frame: VideoFrame, pts: int) -> None:
        """Encode a frame at a time in ticks of the source, later than the one before.

        Raises:
            EncodeError: the encoder refuses it.
            StorageError: the file cannot be written.
        """
        frame = convert_frame(frame, self.pixel_format, self._info.colour.range)
        if self._lossless:
            self._hashes.append(pixel_hash(frame))
        # The source's picture types are no orders to this encoder.
        frame.pict_type = av.video.frame.PictureType.NONE
        frame.pts, frame.time_base = pts, self._time_base
        with encoding_to(self._path):
            self._mux(self._stream.encode(frame))
        self._pts.append(pts)

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Close the file and decode it through: it must give the same frames at the same times.

        Args:
            on_frames: told how many more frames have been checked; of none, as a sign of life.
        Raises:
            EncodeError: it does not hold what was written.
            StorageError: the file cannot be written.
        """
        with encoding_to(self._path):
            # What the encoder still holds can take it minutes.
            for packet in self._stream.codec_context.encode_lazy(None):
                on_frames(0)
                self._mux([packet])
            self._output.close()
        decoding = decode_all(
            self._path, on_frames, hash_first=len(self._pts) if self._lossless else 0
        )
        times = [pts * decoding.time_base for pts in decoding.indexed.values() if pts is not None]
        expected = [(pts - self._pts[0]) * self._time_base for pts in self._pts]
        if not decoding.is_intact or times != expected or decoding.first_hashes != self._hashes:
            raise EncodeError(f"{self._path} does not hold the frames that were written to it.")

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            if packet.pts is not None:
                first = self._pts[0] if self._pts else packet.pts
                packet.pts -= first
                packet.dts = packet.pts
            self._output.mux_one(packet)


def _options_with_light(
    codec: IntermediateCodec, info: VideoInfo, hdr: HdrMetadata | None
) -> dict[str, str]:
    """Return the encoder's options, with the source's HDR metadata and chroma siting."""
    x265 = codec.encoder == "libx265"
    parameters = [] if hdr is None else [hdr.x265() if x265 else hdr.x264()]
    siting = info.header.chroma_location
    if siting and chroma_subsampling(codec.pixel_format) == (2, 2):
        parameters.append(f"chromaloc={siting - 1}")  # FFmpeg counts from one
    if not parameters or codec.encoder == "ffv1":
        return codec.options
    key = "x265-params" if x265 else "x264-params"
    own = [codec.options[key]] if key in codec.options else []
    return codec.options | {key: ":".join(own + parameters)}


@dataclass(frozen=True)
class IntermediateCodec:
    """FFmpeg's name of an encoder, the pixel format that it is given, and its options."""

    encoder: str
    pixel_format: str
    options: dict[str, str]


def intermediate_codec(pixel_format: str, size_px: Size, crf: int | None) -> IntermediateCodec:
    """Return how frames of that format and size are encoded to mp4.

    Losslessly in H.264 where it takes such samples, else in H.265, else in FFV1; at a constant
    quality in H.265, unless the picture is too small for that.

    Args:
        crf: the encoder's constant rate factor; None: lossless.
    Raises:
        MissingError: this build of FFmpeg lacks an encoder that may be needed.
    """
    planar = EQUIVALENT_FORMATS.get(pixel_format, pixel_format)
    fits_x265 = min(size_px) >= SMALLEST_SIDE_PX[VideoCodec.HEVC]
    if crf is not None and fits_x265:
        options = X265 | {"crf": str(crf), "x265-params": X265_PARAMS}
        return IntermediateCodec("libx265", nearest_h265_format(planar, size_px), options)
    x264 = X264 | {"qp": "0"}
    x265 = X265 | {"x265-params": f"{X265_PARAMS}:lossless=1"}
    if _has_whole_chroma_cells(planar, size_px):
        for encoder, options in (("libx264", x264), ("libx265", x265)):
            taken = encoder != "libx265" or fits_x265
            if taken and planar in decodable_formats(encoder):
                return IntermediateCodec(encoder, planar, options)
    widest = "gbrp16le" if VideoFormat(planar, 2, 2).is_rgb else "yuv444p16le"
    supported = planar in decodable_formats("ffv1")
    return IntermediateCodec("ffv1", planar if supported else widest, FFV1)


def is_lossless(pixel_format: str) -> bool:
    """Return whether frames of that format can be written without loss."""
    planar = EQUIVALENT_FORMATS.get(pixel_format, pixel_format)
    return intermediate_codec(pixel_format, Size(64, 64), None).pixel_format == planar


def nearest_h265_format(pixel_format: str, size_px: Size) -> str:
    """Return the format of H.265 that keeps most of another one, for that size of picture."""
    supported = pixel_format in decodable_formats("libx265")
    if supported and _has_whole_chroma_cells(pixel_format, size_px):
        return pixel_format
    known = VideoFormat(pixel_format, 8, 8)
    deepest = max(component.bits for component in known.components)
    bits = 8 if deepest <= 8 else 10 if deepest <= 10 else 12
    depth = "" if bits == 8 else f"{bits}le"
    if known.is_rgb or known.has_palette:
        return f"gbrp{depth}"
    columns, rows = chroma_subsampling(pixel_format)
    for name in (f"yuv420p{depth}", f"yuv422p{depth}"):
        own_columns, own_rows = chroma_subsampling(name)
        if own_columns <= columns and own_rows <= rows and _has_whole_chroma_cells(name, size_px):
            return name
    return f"yuv444p{depth}"


def decodable_formats(encoder: str) -> frozenset[str]:
    """Return the pixel formats that an encoder takes and its decoder gives back.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    formats = encoder_formats(encoder)
    # x265 lists formats with transparency, but the decoder gives none back.
    return frozenset(name for name in formats if encoder == "ffv1" or not name.startswith("yuva"))


def _has_whole_chroma_cells(pixel_format: str, size_px: Size) -> bool:
    """Return whether every chroma sample of such a picture covers as many pixels.

    x264 and x265 take no others.
    """
    cells = chroma_subsampling(pixel_format)
    return all(side % cell == 0 for side, cell in zip(size_px, cells, strict=True))
