"""The encoders of results, and which of their pixel formats holds a source best."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from av.video.format import VideoFormat

from matting.errors import MediaError
from matting.imaging.sample_format import SampleFormat, Size, TransferFunction, surface_format
from matting.media.codecs import encoder_formats, require_codec
from matting.media.colour_tags import ColourTags
from matting.media.encoder_table import encoder_spec
from matting.media.pixel_formats import PLANAR, Subsampling, layout_of, nearest_layout
from matting.options import Chroma, EncodingOptions, VideoCodec

SUBSAMPLING_NAMES: dict[Subsampling, str] = {
    (1, 1): "4:4:4",
    (2, 1): "4:2:2",
    (2, 2): Chroma.YUV420,
    (1, 2): "4:4:0",
    (4, 1): "4:1:1",
    (1, 4): "4:1:1",  # turned by a quarter
    (4, 4): "4:1:0",
}
HDR_BITS = 10
EXTRA_RGB_BITS = 2  # in 8 bits, Y'CbCr has a quarter of the colours that R'G'B' has
# The bits of 4:2:0 video that hardware everywhere plays.
COMMON_BITS = {VideoCodec.HEVC: (8, 10), VideoCodec.H264: (8,), VideoCodec.AV1: (8, 10)}

# x265 refuses less; SVT-AV1 stands still at some sizes of less than that.
SMALLEST_SIDE_PX = {VideoCodec.HEVC: 16, VideoCodec.AV1: 32}
# FFmpeg's decoders of H.264 and H.265 take no larger ones, and SVT-AV1 none higher.
LARGEST_PX = {
    VideoCodec.HEVC: Size(16384, 16384),
    VideoCodec.H264: Size(16384, 16384),
    VideoCodec.AV1: Size(16384, 8704),
}

# How frames are handed over in the GPU's memory; 10 bits are the upper ones of 16.
NVENC_FORMATS = {8: "nv12", 10: "p010le"}
# Frames that NVENC may hold, so that encoding and computing overlap: by itself it would take 4.
MOST_SURFACES, LEAST_SURFACES, SURFACE_BYTES = 12, 4, 1 << 29


@dataclass(frozen=True)
class EncoderInput:
    """The samples that an encoder is given.

    Attributes:
        pixel_format: FFmpeg's name; "" for pictures, which FFmpeg does not encode as a video.
        note: a sentence for the user on how they differ from the source's, or that few players
            take them; "": neither.
    """

    pixel_format: str
    sample_format: SampleFormat
    note: str = ""


def bits_that_hold(source: SampleFormat, *, as_rgb: bool = False) -> int:
    """Return of how many bits samples have to be that lose nothing of a source's.

    Args:
        as_rgb: whether they are R'G'B' where the source is; else Y'CbCr, which needs more.
    """
    bits = source.bits if source.transfer is TransferFunction.SDR else max(HDR_BITS, source.bits)
    return bits if as_rgb or source.luma_coefficients is not None else bits + EXTRA_RGB_BITS


def encoder_input(
    encoding: EncodingOptions, source: SampleFormat, colour: ColourTags, height_px: int
) -> EncoderInput:
    """Return the encoder's pixel format that holds `source` best: its chroma first, then its bits.

    Args:
        colour: the source's tags.
        height_px: of the upright frames.
    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    formats = _formats(encoding)
    bits = bits_that_hold(source)
    columns, rows = source.subsampling
    if encoding.chroma == Chroma.YUV420:
        (columns, rows), bits = (2, 2), min(bits, COMMON_BITS[encoding.codec][-1])
    subsampling, depth = nearest_layout(formats, (columns, rows), bits)
    sample_format = _in_memory(encoding, colour.sample_format(depth, subsampling, height_px))
    note = _note(encoding, source, sample_format)
    return EncoderInput(formats[subsampling, depth], sample_format, note)


def require_encodable(path: Path, size_px: Size, codec: VideoCodec) -> None:
    """Refuse pictures that a codec's encoder does not take.

    Args:
        path: of the video that they come from.
    Raises:
        MediaError: they are too small, or too large.
    """
    largest = LARGEST_PX[codec]
    if size_px.width > largest.width or size_px.height > largest.height:
        raise MediaError(
            f"{path} becomes too large for {codec}: {size_px.width}x{size_px.height} pixels, where "
            f"{largest.width}x{largest.height} are the most.",
            "Choose another format, or make the video smaller.",
        )
    smallest = SMALLEST_SIDE_PX.get(codec, 1)
    if min(size_px) < smallest:
        raise MediaError(
            f"{path} is too small for {codec}: {size_px.width}x{size_px.height} pixels, where "
            f"{smallest} are the least on either side.",
            f"Add --codec {VideoCodec.H264}, which takes any size.",
            option="--codec",
        )


def grey_input(
    encoding: EncodingOptions, like: EncoderInput, colour: ColourTags, height_px: int
) -> EncoderInput:
    """Return 4:2:0 for grey frames, in as many bits as `like` has.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    bits = like.sample_format.bits
    sample_format = _in_memory(encoding, colour.sample_format(bits, (2, 2), height_px))
    return EncoderInput(_formats(encoding)[(2, 2), bits], sample_format)


def surface_count(size_px: Size, sample_format: SampleFormat) -> int:
    """Return how many frames NVENC may hold: enough, and of no more than SURFACE_BYTES."""
    frame_bytes = size_px.width * size_px.height * sample_format.pixel_bytes
    return max(LEAST_SURFACES, min(MOST_SURFACES, int(SURFACE_BYTES / frame_bytes)))


def _formats(encoding: EncodingOptions) -> dict[tuple[Subsampling, int], str]:
    """Return an encoder's formats of Y'CbCr with chroma, by their subsampling and bits."""
    if encoding.by_hardware:
        depths = COMMON_BITS[encoding.codec]
        return {((2, 2), bits): NVENC_FORMATS[bits] for bits in depths}
    encoder = encoder_spec(encoding).encoder
    require_codec(encoder, "w", "Choose another --codec.", option="--codec")
    formats = {}
    for name in encoder_formats(encoder):
        match = PLANAR.fullmatch(name)
        if match and match[1].startswith("yuv4"):
            bits, subsampling = layout_of(VideoFormat(name))
            formats[subsampling, bits] = name
    return formats


def _in_memory(encoding: EncodingOptions, sample_format: SampleFormat) -> SampleFormat:
    """Return the format as the encoder takes it, in surfaces or in planes."""
    return surface_format(sample_format) if encoding.by_hardware else sample_format


def _note(encoding: EncodingOptions, source: SampleFormat, result: SampleFormat) -> str:
    before, after = (
        f"{SUBSAMPLING_NAMES.get(own.subsampling, own.subsampling)} in {own.bits} bits"
        for own in (source, result)
    )
    is_common = result.subsampling == (2, 2) and result.bits in COMMON_BITS[encoding.codec]
    if source.luma_coefficients is None:
        before = f"RGB in {source.bits} bits"
    if before == after:
        what = "" if is_common else f"The results are {after}, as the source is."
    else:
        codec = encoding.codec
        who = f"the graphics card's {codec} (NVENC)" if encoding.by_hardware else codec
        nearest = f", the nearest that {who} has" if encoding.chroma == Chroma.SOURCE else ""
        what = f"The source is {before}; the results are {after}{nearest}."
    few = "Few players take that; --chroma 4:2:0 makes what all take."
    return what if is_common else f"{what} {few}"
