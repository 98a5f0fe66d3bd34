"""The encoders, and which of their pixel formats holds a source best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from av.video.format import VideoFormat

from matting.imaging.sample_format import SampleFormat, TransferFunction, surface_format
from matting.media.codecs import REINSTALL, encoder_formats, require_codec
from matting.media.colour_tags import ColourTags
from matting.media.hdr_metadata import HdrMetadata
from matting.media.pixel_formats import PLANAR, layout_of
from matting.options import Chroma, EncodingOptions, VideoCodec

LAYOUTS = {
    (1, 1): "4:4:4",
    (2, 1): "4:2:2",
    (2, 2): Chroma.YUV420,
    (1, 2): "4:4:0",
    (4, 1): "4:1:1",
}
LAYOUTS |= {(4, 4): "4:1:0", (1, 4): "4:1:1"}  # the latter turned
HDR_BITS = 10
RGB_BITS_MORE = 2  # in 8 bits, Y'CbCr has a quarter of the colours that R'G'B' has
# What hardware everywhere plays: bits of 4:2:0 video.
COMMON_BITS = {VideoCodec.HEVC: (8, 10), VideoCodec.H264: (8,), VideoCodec.AV1: (8, 10)}


@dataclass(frozen=True)
class EncoderSpec:
    """A choice of `--codec`: FFmpeg's encoder, its options, its scale of quality, HDR's option.

    Without the last, HDR's metadata is lost.
    """

    encoder: str
    tag: str
    options: dict[str, str]
    default_quality: int
    worst_quality: int
    hdr: tuple[str, Callable[[HdrMetadata], str]] | None

    def options_for(
        self, choice: EncodingOptions, hdr: HdrMetadata | None, *, avx512: bool
    ) -> dict[str, str]:
        """What the encoder is told, HDR metadata included where it takes any.

        Args:
            avx512: whether this machine's processor has those instructions.
        """
        options = dict(self.options)
        if avx512:
            options = _more(options, SAME_EVERY_TIME.get(self.encoder, {}))
        if hdr is not None and self.hdr is not None:
            name, text = self.hdr
            options = _more(options, {name: text(hdr)})
        if choice.bitrate_bps is None:
            options |= _constant_quality(choice)
        if choice.preset is not None:
            options["preset"] = choice.preset
        return options


# x265: of people, superfast makes as good pictures of as many bits as fast does (PSNR: -0.1 to
# +0.3 dB), in 0.6 of its time.
# Closed groups of pictures, so that what is made here can be cut again exactly. No note of the
# encoder's processor in the header: segments made on different machines must fit together.
SOFTWARE_ENCODERS = {
    VideoCodec.HEVC: EncoderSpec(
        "libx265",
        "hvc1",
        {"preset": "superfast", "x265-params": "open-gop=0:info=0:log-level=error"},
        20,
        51,
        ("x265-params", HdrMetadata.x265),
    ),
    VideoCodec.H264: EncoderSpec(
        "libx264",
        "avc1",
        {"preset": "fast", "flags": "+cgop"},
        18,
        51,
        ("x264-params", HdrMetadata.x264),
    ),
    VideoCodec.AV1: EncoderSpec(
        "libsvtav1", "av01", {"preset": "8"}, 24, 63, ("svtav1-params", HdrMetadata.svtav1)
    ),
}

# x264's AVX-512 code takes in memory that nobody wrote where a row is no multiple of 128 pixels:
# the same pictures then come out a little differently each time. Its AVX2 code is as fast.
SAME_EVERY_TIME = {"libx264": {"x264-params": "asm=avx2"}}

# Frames in the order they are shown, so that times need no thought and a frame that comes out has
# left its surface. Groups of pictures are closed unless NVENC is told otherwise.
NVENC_OPTIONS = {"preset": "p5", "tune": "hq", "rc": "vbr", "bf": "0"}
# Pictures that NVENC may hold, so that encoding and computing go on side by side: it would have 4.
MOST_SURFACES, LEAST_SURFACES, SURFACE_BYTES = 12, 4, 1 << 29
NVENC_PRESETS = tuple(f"p{number}" for number in range(1, 8))
# The scales of quality have the software encoders' ends; the same number is not the same picture.
NVENC_ENCODERS = {
    VideoCodec.HEVC: EncoderSpec("hevc_nvenc", "hvc1", NVENC_OPTIONS, 20, 51, None),
    VideoCodec.H264: EncoderSpec("h264_nvenc", "avc1", NVENC_OPTIONS, 18, 51, None),
    VideoCodec.AV1: EncoderSpec("av1_nvenc", "av01", NVENC_OPTIONS, 24, 63, None),
}
# The layouts in which frames can be handed over on the card; 10 bits are the upper ones of 16.
NVENC_FORMATS = {8: "nv12", 10: "p010le"}


def encoder_spec(choice: EncodingOptions) -> EncoderSpec:
    """Return who encodes, and how."""
    return (NVENC_ENCODERS if choice.by_hardware else SOFTWARE_ENCODERS)[choice.codec]


def quality_of(choice: EncodingOptions) -> int:
    """Return the constant rate factor that is asked for, or the codec's default."""
    return encoder_spec(choice).default_quality if choice.quality is None else choice.quality


def preset_of(choice: EncodingOptions) -> str:
    """Return the preset that is asked for, or the codec's default."""
    return choice.preset or encoder_spec(choice).options["preset"]


@dataclass(frozen=True)
class EncoderInput:
    """The samples that an encoder is given.

    Attributes:
        note: what a user has to know of them; empty: they are the source's, and common.
    """

    pixel_format: str
    sample_format: SampleFormat
    note: str = ""


def encoder_input(
    choice: EncodingOptions, source: SampleFormat, colour: ColourTags, height_px: int
) -> EncoderInput:
    """The encoder's pixel format that holds `source` best: its chroma first, then its bits.

    Args:
        colour: the source's tags.
        height_px: of the upright picture.
    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    formats = _formats(choice)
    bits = source.bits if source.transfer is TransferFunction.SDR else max(HDR_BITS, source.bits)
    if source.luma_coefficients is None:
        bits += RGB_BITS_MORE
    step = source.subsampling
    if choice.chroma == Chroma.YUV420:
        step, bits = (2, 2), min(bits, COMMON_BITS[choice.codec][-1])
    steps = {found for found, _ in formats}
    # One that loses no chroma, the coarsest of these; else the finest there is.
    finer = [found for found in steps if found[0] <= step[0] and found[1] <= step[1]]
    layout = max(finer, key=_coarseness) if finer else min(steps, key=_coarseness)
    depths = sorted(depth for found, depth in formats if found == layout)
    depth = next((depth for depth in depths if depth >= bits), depths[-1])
    sample_format = _coding(choice, colour.sample_format(depth, layout, height_px))
    return EncoderInput(formats[layout, depth], sample_format, _note(choice, source, sample_format))


def grey_input(
    choice: EncodingOptions, like: EncoderInput, colour: ColourTags, height_px: int
) -> EncoderInput:
    """4:2:0 for grey pictures, in as many bits as `like` has.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    sample_format = _coding(
        choice, colour.sample_format(like.sample_format.bits, (2, 2), height_px)
    )
    return EncoderInput(_formats(choice)[(2, 2), sample_format.bits], sample_format)


def surface_count(size_px: tuple[int, int], sample_format: SampleFormat) -> int:
    """How many pictures NVENC may hold: enough, and of no more than SURFACE_BYTES."""
    picture = size_px[0] * size_px[1] * sample_format.pixel_bytes
    return max(LEAST_SURFACES, min(MOST_SURFACES, int(SURFACE_BYTES / picture)))


def _formats(choice: EncodingOptions) -> dict[tuple[tuple[int, int], int], str]:
    """The formats of Y'CbCr with chroma that are used with an encoder, by its step and bits."""
    if choice.by_hardware:
        depths = COMMON_BITS[choice.codec]
        return {((2, 2), bits): NVENC_FORMATS[bits] for bits in depths}
    return _formats_of(encoder_spec(choice).encoder)


def _coding(choice: EncodingOptions, sample_format: SampleFormat) -> SampleFormat:
    """The coding as the encoder's format has it in memory."""
    return surface_format(sample_format) if choice.by_hardware else sample_format


def _formats_of(encoder: str) -> dict[tuple[tuple[int, int], int], str]:
    """The planar ones that a software encoder takes."""
    require_codec(encoder, "w", f"Choose another --codec. {REINSTALL}", option="--codec")
    formats = {}
    for name in encoder_formats(encoder):
        match = PLANAR.fullmatch(name)
        if match and match[1].startswith("yuv4"):
            bits, step = layout_of(VideoFormat(name))
            formats[step, bits] = name
    return formats


def _more(options: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    """Options with more of them; where both name one, its lists of parameters are joined."""
    return options | {k: f"{options[k]}:{v}" if k in options else v for k, v in more.items()}


def _constant_quality(choice: EncodingOptions) -> dict[str, str]:
    if not choice.by_hardware:
        return {"crf": str(quality_of(choice))}
    # A cq of 0 would let NVENC choose; without a bit rate of 0 it would keep to a default one.
    return {"cq": str(max(1, quality_of(choice))), "b": "0"}


def _coarseness(step: tuple[int, int]) -> int:
    return step[0] * step[1]


def _note(choice: EncodingOptions, source: SampleFormat, made: SampleFormat) -> str:
    has, gets = (
        f"{LAYOUTS.get(c.subsampling, c.subsampling)} in {c.bits} bits" for c in (source, made)
    )
    common = made.subsampling == (2, 2) and made.bits in COMMON_BITS[choice.codec]
    if source.luma_coefficients is None:
        has = f"RGB in {source.bits} bits"
    if has == gets:
        what = "" if common else f"The results are {gets}, as the source is."
    else:
        nearest = (
            f", the nearest that {_named(choice)} has" if choice.chroma == Chroma.SOURCE else ""
        )
        what = f"The source is {has}; the results are {gets}{nearest}."
    return what if common else f"{what} Few players take that; --chroma 4:2:0 makes what all take."


def _named(choice: EncodingOptions) -> str:
    return f"the graphics card's {choice.codec} (NVENC)" if choice.by_hardware else choice.codec
