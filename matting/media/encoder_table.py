"""The codecs' encoders: what each is called, what it is given, and where quality begins.

Needs no PyAV, so that what only records options can import it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matting.options import EncodingOptions, VideoCodec

if TYPE_CHECKING:
    from matting.media.hdr_metadata import HdrMetadata

# x264's AVX-512 code reads memory that nobody wrote where a row is no multiple of 128 pixels: the
# same pictures then come out a little differently each time. Its AVX2 code is as fast.
REPRODUCIBLE = {"libx264": {"x264-params": "asm=avx2"}}


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
        hdr=("x265-params", lambda hdr: hdr.x265()),
    ),
    VideoCodec.H264: EncoderSpec(
        encoder="libx264",
        tag="avc1",
        options={"preset": "fast", "flags": "+cgop"},
        default_quality=18,
        hdr=("x264-params", lambda hdr: hdr.x264()),
    ),
    VideoCodec.AV1: EncoderSpec(
        encoder="libsvtav1",
        tag="av01",
        options={"preset": "8"},
        default_quality=24,
        hdr=("svtav1-params", lambda hdr: hdr.svtav1()),
    ),
}

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


def _merge_options(options: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    """Add options; where both have one, its lists of parameters are joined."""
    return options | {k: f"{options[k]}:{v}" if k in options else v for k, v in more.items()}


def _constant_quality(encoding: EncodingOptions) -> dict[str, str]:
    if not encoding.by_hardware:
        return {"crf": str(quality_of(encoding))}
    # A cq of 0 would let NVENC choose; without a bit rate of 0 it would keep to a default one.
    return {"cq": str(max(1, quality_of(encoding))), "b": "0"}
