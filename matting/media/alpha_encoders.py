"""Encoders of video with alpha, and which of their pixel formats holds a source best."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction

from av.video.format import VideoFormat

from matting.imaging.sample_format import SampleFormat, Size, TransferFunction
from matting.media.codecs import encoder_formats
from matting.media.colour_tags import LUMA_COEFFICIENTS, ColourRange, ColourTags, Matrix
from matting.media.encoders import (
    HDR_BITS,
    SUBSAMPLING_NAMES,
    EncoderInput,
    bits_that_hold,
)
from matting.media.pixel_formats import Subsampling, layout_of, nearest_layout

WITH_ALPHA = re.compile(r"(yuva4\d\dp|gbrap)(10|12|14|16)?(le)?")
MILLISECOND = Fraction(1, 1000)  # of Matroska and WebM, as FFmpeg writes them
REPRODUCIBLE = {"fflags": "+bitexact"}  # Matroska gives each file a number at random otherwise
LEAST_ALPHA_BITS = 10  # of what is lossless: alpha is stored in as many
SMALL_PX, SMALL_SLICES, SLICES = 1 << 16, 4, 16


class AlphaCodec(Enum):
    """A codec whose streams hold alpha, straight, beside the colours."""

    PRORES = "ProRes 4444"
    VP9 = "VP9"
    FFV1 = "FFV1"
    HEVC = "HEVC"


@dataclass(frozen=True)
class AlphaEncoderSpec:
    """How a codec is written.

    Attributes:
        encoder, container: FFmpeg's names.
        options: what the encoder is always given.
        pixel_formats: those that are used; empty: all that have LEAST_ALPHA_BITS.
        matrices: those that its streams can name; empty: all.
        takes_full_range: whether its samples may be of full range.
        tick_seconds: what the container rounds times to; None: it keeps them as they are.
        muxing: the container's own options.
        has_odd_sizes: whether a frame may have part of a chroma sample at its edge.
        keeps_aspect: whether PyAV's FFmpeg can tell the container what shape pixels have.
    """

    encoder: str
    container: str
    options: Mapping[str, str]
    pixel_formats: tuple[str, ...] = ()
    matrices: frozenset[Matrix] = frozenset()
    takes_full_range: bool = True
    tick_seconds: Fraction | None = None
    keeps_aspect: bool = True
    muxing: Mapping[str, str] = field(default_factory=dict)
    has_odd_sizes: bool = True


ENCODERS = {
    # FFmpeg's encoder takes colours of 10 bits; alpha it stores without loss. No name of its
    # version in the stream.
    AlphaCodec.PRORES: AlphaEncoderSpec(
        encoder="prores_ks",
        container="mov",
        options={"profile": "4444", "alpha_bits": "16", "vendor": "apl0"},
        pixel_formats=("yuva444p10le",),
        matrices=frozenset({Matrix.BT709, Matrix.SMPTE170M, Matrix.BT2020}),
        takes_full_range=False,
    ),
    # Frames that are never shown would have no alpha beside them. Rows in threads of their own
    # come out a little differently each time; columns do not. Without such frames, looking ahead
    # changes nothing in the file, but takes 2.6 GB at 8192x4096.
    AlphaCodec.VP9: AlphaEncoderSpec(
        encoder="libvpx-vp9",
        container="webm",
        options={
            "crf": "18",
            "b": "0",
            "deadline": "good",
            "cpu-used": "4",
            "auto-alt-ref": "0",
            "lag-in-frames": "0",
            "row-mt": "0",
            "tile-columns": "6",
        },
        pixel_formats=("yuva420p",),
        matrices=frozenset(
            {Matrix.BT709, Matrix.BT470BG, Matrix.SMPTE170M, Matrix.SMPTE240M, Matrix.BT2020}
        ),
        tick_seconds=MILLISECOND,
        muxing=REPRODUCIBLE,
        keeps_aspect=False,
    ),
    AlphaCodec.FFV1: AlphaEncoderSpec(
        encoder="ffv1",
        container="matroska",
        options={"level": "3", "slicecrc": "1"},
        tick_seconds=MILLISECOND,
        muxing=REPRODUCIBLE,
        keeps_aspect=False,
    ),
    # What the ffmpeg program encodes: x265 in PyAV has no layers for alpha. The stream of FFV1 does
    # not carry the range, and the container has to.
    AlphaCodec.HEVC: AlphaEncoderSpec(
        encoder="ffv1",
        container="mp4",
        options={"level": "3", "slicecrc": "1"},
        pixel_formats=("yuva420p",),
        muxing={"movflags": "write_colr"},
        has_odd_sizes=False,
    ),
}


def alpha_options(codec: AlphaCodec, size_px: Size) -> dict[str, str]:
    """Return an encoder's options, the same on every computer."""
    options = dict(ENCODERS[codec].options)
    if ENCODERS[codec].encoder == "ffv1":
        small = size_px.width * size_px.height < SMALL_PX
        options["slices"] = str(SMALL_SLICES if small else SLICES)
    return options


def written_size(codec: AlphaCodec, size_px: Size) -> Size:
    """Return the size of frames as a codec has them: HEVC has no odd sides, which grow by one."""
    if ENCODERS[codec].has_odd_sizes:
        return size_px
    return Size(*(side + side % 2 for side in size_px))


def alpha_tags(codec: AlphaCodec, colour: ColourTags) -> ColourTags:
    """Return a source's colour tags as far as a codec can hold them.

    One that has the coefficients of the source's matrix under another name gets that; else it
    is the matrix of a source without tags.
    """
    spec = ENCODERS[codec]
    matrix = colour.matrix
    if spec.matrices and matrix in LUMA_COEFFICIENTS and matrix not in spec.matrices:
        same = [m for m in spec.matrices if LUMA_COEFFICIENTS[m] == LUMA_COEFFICIENTS[matrix]]
        matrix = same[0] if same else Matrix.BT709
    full = spec.takes_full_range and colour.range == ColourRange.FULL
    return replace(colour, matrix=matrix, range=ColourRange.FULL if full else ColourRange.LIMITED)


def alpha_input(
    codec: AlphaCodec, source: SampleFormat, colour: ColourTags, height_px: int
) -> EncoderInput:
    """Return the pixel format with alpha that holds `source` best.

    Args:
        colour: the source's tags.
        height_px: of the upright frames.
    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    formats = _formats(codec, rgb=source.luma_coefficients is None)
    is_rgb = VideoFormat(next(iter(formats.values()))).is_rgb
    bits = bits_that_hold(source, as_rgb=is_rgb)
    subsampling, depth = nearest_layout(formats, source.subsampling, bits)
    if is_rgb:
        sample_format = SampleFormat(depth, transfer=source.transfer)
    else:
        sample_format = alpha_tags(codec, colour).sample_format(depth, subsampling, height_px)
    note = _note(codec, source, sample_format)
    return EncoderInput(formats[subsampling, depth], sample_format, note)


def _formats(codec: AlphaCodec, *, rgb: bool) -> dict[tuple[Subsampling, int], str]:
    """Return an encoder's formats with alpha by their subsampling and bits.

    Args:
        rgb: whether those of R'G'B', where it has any, or those of Y'CbCr.
    """
    spec = ENCODERS[codec]
    supported = encoder_formats(spec.encoder)
    by_kind: dict[bool, dict[tuple[Subsampling, int], str]] = {False: {}, True: {}}
    for name in supported:
        if not WITH_ALPHA.fullmatch(name) or name not in (spec.pixel_formats or supported):
            continue
        known = VideoFormat(name)
        bits, subsampling = layout_of(known)
        if spec.pixel_formats or bits >= LEAST_ALPHA_BITS:
            by_kind[known.is_rgb][subsampling, bits] = name
    return by_kind[rgb] or by_kind[not rgb]


def _note(codec: AlphaCodec, source: SampleFormat, result: SampleFormat) -> str:
    """Return a sentence where a format holds less than the source; "" where it does not."""
    loses_chroma = any(
        own > other for own, other in zip(result.subsampling, source.subsampling, strict=True)
    )
    if result.bits >= source.bits and not loses_chroma:
        return ""
    before, after = (
        f"{SUBSAMPLING_NAMES.get(own.subsampling, own.subsampling)} in {own.bits} bits"
        if own.luma_coefficients
        else f"RGB in {own.bits} bits"
        for own in (source, result)
    )
    steps = "" if source.transfer is TransferFunction.SDR else " HDR shows steps in so few."
    few = steps if result.bits < HDR_BITS else ""
    return f"The source is {before}; {codec.value} with alpha holds {after}.{few}"
