"""The encoders of results, and which of their pixel formats holds a source best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from av.video.format import VideoFormat

from matting.errors import MediaError
from matting.imaging.sample_format import SampleFormat, Size, TransferFunction, surface_format
from matting.media.codecs import encoder_formats, require_codec
from matting.media.colour_tags import ColourTags
from matting.media.hdr_metadata import HdrMetadata
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


@dataclass(frozen=True)
class EncoderSpec:
    """What a choice of `--codec` stands for.

    Attributes:
        encoder: FFmpeg's name.
        tag: what the codec is called in mp4 files.
        options: what it is always given.
        default_quality: on the encoder's own scale, from 0, the best, to the codec's worst.
        hdr: the option for HDR metadata, and how to put it; None: it would be lost.
    """

    encoder: str
    tag: str
    options: dict[str, str]
    default_quality: int
    hdr: tuple[str, Callable[[HdrMetadata], str]] | None

    def options_for(
        self, encoding: EncodingOptions, hdr: HdrMetadata | None, *, avx512: bool
    ) -> dict[str, str]:
        """Return the encoder's options, with HDR metadata if it takes any.

        Args:
            avx512: whether this machine's processor has those instructions.
        """
        options = dict(self.options)
        if avx512:
            options = _merge_options(options, REPRODUCIBLE.get(self.encoder, {}))
        if hdr is not None and self.hdr is not None:
            name, text = self.hdr
            options = _merge_options(options, {name: text(hdr)})
        if encoding.bitrate_bps is None:
            options |= _constant_quality(encoding)
        if encoding.most_bps is not None:  # over a second
            options |= {"maxrate": str(encoding.most_bps), "bufsize": str(encoding.most_bps)}
        if encoding.preset is not None:
            options["preset"] = encoding.preset
        return options


# x265: of people, superfast makes as good pictures of as many bits as fast does (PSNR: -0.1 to
# +0.3 dB), in 0.6 of its time.
# Closed groups of pictures, so that the results can be cut exactly, too. No note of the encoder's
# processor in the header: segments made on different machines must fit together.
SOFTWARE_ENCODERS = {
    VideoCodec.HEVC: EncoderSpec(
        encoder="libx265",
        tag="hvc1",
        options={"preset": "superfast", "x265-params": "open-gop=0:info=0:log-level=error"},
        default_quality=20,
        hdr=("x265-params", HdrMetadata.x265),
    ),
    VideoCodec.H264: EncoderSpec(
        encoder="libx264",
        tag="avc1",
        options={"preset": "fast", "flags": "+cgop"},
        default_quality=18,
        hdr=("x264-params", HdrMetadata.x264),
    ),
    VideoCodec.AV1: EncoderSpec(
        encoder="libsvtav1",
        tag="av01",
        options={"preset": "8"},
        default_quality=24,
        hdr=("svtav1-params", HdrMetadata.svtav1),
    ),
}

# x265 refuses less; SVT-AV1 stands still at some sizes of less than that.
SMALLEST_SIDE_PX = {VideoCodec.HEVC: 16, VideoCodec.AV1: 32}
# FFmpeg's decoders of H.264 and H.265 take no larger ones, and SVT-AV1 none higher.
LARGEST_PX = {
    VideoCodec.HEVC: Size(16384, 16384),
    VideoCodec.H264: Size(16384, 16384),
    VideoCodec.AV1: Size(16384, 8704),
}

# x264's AVX-512 code reads memory that nobody wrote where a row is no multiple of 128 pixels: the
# same pictures then come out a little differently each time. Its AVX2 code is as fast.
REPRODUCIBLE = {"libx264": {"x264-params": "asm=avx2"}}

# Frames in the order of presentation, so that times need no thought and a frame that comes out has
# left its surface. Groups of pictures are closed unless NVENC is told otherwise.
NVENC_OPTIONS = {"preset": "p5", "tune": "hq", "rc": "vbr", "bf": "0"}
NVENC_PRESETS = tuple(f"p{number}" for number in range(1, 8))
# The scales of quality have the software encoders' ends; the same number is not the same picture.
NVENC_ENCODERS = {
    VideoCodec.HEVC: EncoderSpec("hevc_nvenc", "hvc1", NVENC_OPTIONS, 20, None),
    VideoCodec.H264: EncoderSpec("h264_nvenc", "avc1", NVENC_OPTIONS, 18, None),
    VideoCodec.AV1: EncoderSpec("av1_nvenc", "av01", NVENC_OPTIONS, 24, None),
}
# How frames are handed over in the GPU's memory; 10 bits are the upper ones of 16.
NVENC_FORMATS = {8: "nv12", 10: "p010le"}
# Frames that NVENC may hold, so that encoding and computing overlap: by itself it would take 4.
MOST_SURFACES, LEAST_SURFACES, SURFACE_BYTES = 12, 4, 1 << 29


def encoder_spec(encoding: EncodingOptions) -> EncoderSpec:
    """Return who encodes, and how."""
    encoders = NVENC_ENCODERS if encoding.by_hardware else SOFTWARE_ENCODERS
    return encoders[encoding.codec]


def quality_of(encoding: EncodingOptions) -> int:
    """Return the constant rate factor that is asked for, or the codec's default."""
    default = encoder_spec(encoding).default_quality
    return default if encoding.quality is None else encoding.quality


def preset_of(encoding: EncodingOptions) -> str:
    """Return the preset that is asked for, or the codec's default."""
    return encoding.preset or encoder_spec(encoding).options["preset"]


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


def _merge_options(options: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    """Add options; where both have one, its lists of parameters are joined."""
    return options | {k: f"{options[k]}:{v}" if k in options else v for k, v in more.items()}


def _constant_quality(encoding: EncodingOptions) -> dict[str, str]:
    if not encoding.by_hardware:
        return {"crf": str(quality_of(encoding))}
    # A cq of 0 would let NVENC choose; without a bit rate of 0 it would keep to a default one.
    return {"cq": str(max(1, quality_of(encoding))), "b": "0"}


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
