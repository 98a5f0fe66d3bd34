"""Writing pieces anew: without loss from the decoded planes, or at a constant quality."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.packet import Packet
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import EncodeError
from matting.media.codecs import add_video_stream, encoder_formats
from matting.media.container import encoding
from matting.media.decode_check import decode_all, pixel_hash
from matting.media.hdr_metadata import HdrMetadata
from matting.media.pixel_formats import SAME_SAMPLES, chroma_cells, converted
from matting.media.probe import VideoInfo, probe


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
    ) -> None:
        self._path = path
        self._time_base = info.time_base
        self._info = info
        self._pts: list[int] = []
        self._hashes: list[bytes] = []
        how = intermediate_codec(first.format.name, (first.width, first.height), crf)
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
                stream = add_video_stream(self._output, encoder, rate=rate, options=options)
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
        if not decoding.is_intact or times != wanted or decoding.head != self._hashes:
            raise EncodeError(f"{self._path} does not hold the frames that were written to it.")

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            if packet.pts is not None:
                first = self._pts[0] if self._pts else packet.pts
                packet.pts -= first
                packet.dts = packet.pts
            self._output.mux_one(packet)


def _with_light(how: IntermediateCodec, info: VideoInfo, hdr: HdrMetadata | None) -> dict[str, str]:
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


# Every frame shown when it is decoded: then its decoding time needs no thought.
X264 = {"preset": "veryfast", "bf": "0"}
X265 = {"preset": "fast"}
X265_PARAMS = "open-gop=0:bframes=0:info=0:log-level=error"
# Each frame for itself, with a checksum for each of its slices.
FFV1 = {"level": "3", "slicecrc": "1"}


@dataclass(frozen=True)
class IntermediateCodec:
    """How frames are encoded: FFmpeg's encoder, the pixel format it is given, its options."""

    encoder: str
    pixel_format: str
    options: dict[str, str]


def intermediate_codec(
    pixel_format: str, size_px: tuple[int, int], crf: int | None
) -> IntermediateCodec:
    """How frames of that format and size are encoded to mp4.

    H.264 where it can, else H.265, else FFV1; the other way round at a constant quality.

    Args:
        crf: the encoder's constant rate factor; None: without loss.
    Raises:
        MissingError: this build of FFmpeg lacks an encoder that may be needed.
    """
    same = SAME_SAMPLES.get(pixel_format, pixel_format)
    x265 = X265_PARAMS + (":lossless=1" if crf is None else "")
    constant = {} if crf is None else {"crf": str(crf)}
    h264 = X264 | (constant or {"qp": "0"})
    h265 = X265 | constant | {"x265-params": x265}
    if crf is not None:
        return IntermediateCodec("libx265", nearest_h265_format(same, size_px), h265)
    if _fits(same, size_px):
        for encoder, options in (("libx264", h264), ("libx265", h265)):
            if same in formats_of(encoder):
                return IntermediateCodec(encoder, same, options)
    wide = "gbrp16le" if VideoFormat(same, 2, 2).is_rgb else "yuv444p16le"
    return IntermediateCodec("ffv1", same if same in formats_of("ffv1") else wide, FFV1)


def is_lossless(pixel_format: str) -> bool:
    """Whether frames of that format can be written without loss."""
    same = SAME_SAMPLES.get(pixel_format, pixel_format)
    return intermediate_codec(pixel_format, (2, 2), None).pixel_format == same


def nearest_h265_format(pixel_format: str, size_px: tuple[int, int]) -> str:
    """The format of H.265 that keeps most of another one, for that size of picture."""
    if pixel_format in formats_of("libx265") and _fits(pixel_format, size_px):
        return pixel_format
    known = VideoFormat(pixel_format, 8, 8)
    deepest = max(component.bits for component in known.components)
    bits = 8 if deepest <= 8 else 10 if deepest <= 10 else 12
    depth = "" if bits == 8 else f"{bits}le"
    if known.is_rgb or known.has_palette:
        return f"gbrp{depth}"
    columns, rows = chroma_cells(pixel_format)
    for name in (f"yuv420p{depth}", f"yuv422p{depth}"):
        own_columns, own_rows = chroma_cells(name)
        if own_columns <= columns and own_rows <= rows and _fits(name, size_px):
            return name
    return f"yuv444p{depth}"


def formats_of(encoder: str) -> frozenset[str]:
    """The pixel formats that an encoder takes and gives back.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    formats = encoder_formats(encoder)
    # x265 lists formats with transparency, but the decoder gives none back.
    return frozenset(name for name in formats if encoder == "ffv1" or not name.startswith("yuva"))


def _fits(pixel_format: str, size_px: tuple[int, int]) -> bool:
    """Whether x264 and x265 take pictures of that size: whole cells of chroma only."""
    cells = chroma_cells(pixel_format)
    return all(side % cell == 0 for side, cell in zip(size_px, cells, strict=True))
