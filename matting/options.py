"""All that a user can ask for, and its defaults, each of which stands here alone.

Nothing here needs a package: the command line's help works where some are missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from matting.background import COLOUR, Background
from matting.cluster_options import ClusterOptions
from matting.job_option import Choice, JobOption
from matting.network_choice import Foreground, MatteQuality, Model, Shots, SmallPeople, Subject
from matting.view import AutoView, Eyes, View
from matting.vr_options import VrOptions


class OutputKind(Choice):
    """What is written of each segment; the value is the name of its folder.

    The last ones are written by `deliver`, of the stored matte.
    """

    COMPOSITE = "COMPOSITE"
    ALPHA = "ALPHA"
    FOREGROUND = "FOREGROUND"
    ALPHA_PNG = "ALPHA_PNG"
    MATTE = "MATTE"  # what the network found, from which all others are made
    PRORES4444 = "PRORES4444"
    WEBM_ALPHA = "WEBM_ALPHA"
    HEVC_ALPHA = "HEVC_ALPHA"
    PNG = "PNG"
    EXR = "EXR"
    MATTE_VIDEO = "MATTE_VIDEO"  # the format `matte`
    STACKED = "STACKED"
    SIDE_BY_SIDE = "SIDE_BY_SIDE"
    FFV1 = "FFV1"
    VR_GREEN = "VR_GREEN"
    VR_ALPHA = "VR_ALPHA"

    @property
    def is_delivered(self) -> bool:
        """Whether it is a format of its own, made of a matte that is stored."""
        return self not in INFERRED

    @property
    def is_alpha(self) -> bool:
        """Whether it is a grey picture of coverage, not of light."""
        return self in {OutputKind.ALPHA, OutputKind.ALPHA_PNG}

    @property
    def is_joined(self) -> bool:
        """Whether it is a video whose segments are joined for viewers and editors."""
        return self not in {OutputKind.MATTE, OutputKind.ALPHA_PNG, OutputKind.PNG, OutputKind.EXR}


# What `infer` writes.
INFERRED = frozenset(map(OutputKind, ("COMPOSITE", "ALPHA", "FOREGROUND", "ALPHA_PNG", "MATTE")))


class FormatName(Choice):
    """What finished files are made of mattes; the value is what is typed after `--as`."""

    GREEN = "green"
    BACKGROUND = "background"
    PRORES = "prores4444"
    WEBM = "webm-alpha"
    HEVC = "hevc-alpha"
    PNG = "png"
    EXR = "exr"
    MATTE = "matte"
    STACKED = "stacked"
    SIDE_BY_SIDE = "side-by-side"
    FFV1 = "ffv1"
    VR_GREEN = "vr-green"
    VR_ALPHA = "vr-alpha"

    @property
    def is_vr(self) -> bool:
        """Whether it is for headsets, of both eyes, and by its source's view."""
        return self in {FormatName.VR_GREEN, FormatName.VR_ALPHA}


class CodecBackend(Choice):
    """Who decodes or encodes: FFmpeg on the CPU, or NVDEC and NVENC."""

    AUTO = "auto"
    SOFTWARE = "software"
    HARDWARE = "hardware"


class RendererBackend(Choice):
    """How full-size pictures are rendered: in one pass by a kernel, or in bands by torch."""

    AUTO = "auto"
    FUSED = "fused"
    PLAIN = "plain"


class VideoCodec(Choice):
    """What results are encoded in."""

    HEVC = "hevc"
    H264 = "h264"
    AV1 = "av1"

    @property
    def worst_quality(self) -> int:
        """The largest number of `--quality`, on the encoders' own scale; 0 is the best."""
        return 63 if self is VideoCodec.AV1 else 51


class Chroma(Choice):
    """Chroma subsampling and bit depth: the source's, or what all players take."""

    SOURCE = "source"
    YUV420 = "4:2:0"


class OnDamage(Choice):
    """What `segment` does with damaged frames: show them as they are, stop, or replace them."""

    SHOW = "show"  # what a tolerant decoder shows, as players do; nothing where it shows nothing
    STOP = "stop"
    REPEAT = "repeat"  # the last good frame in place of each


class Precision(Choice):
    """The numbers that the network computes with."""

    AUTO = "auto"
    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"


AUTO_DEVICE = "auto"
# Without a segment length asked for, or one that the folder was cut with before.
DEFAULT_SEGMENT_SECONDS = Fraction(15)
MOST_KEY_CONTRAST = 64
REENCODE_CRF = 12  # of re-encoded segments


@dataclass(frozen=True)
class CuttingOptions:
    """How to cut.

    Attributes:
        seconds: the segment length to aim at; None: DEFAULT_SEGMENT_SECONDS, or as cut before.
        reencode: make new segments in H.265 at REENCODE_CRF.
        overwrite: cut anew what is cut already.
        view: how the video is meant to be seen; None: by its plan, else it is looked for.
    """

    seconds: Fraction | None = None
    reencode: bool = False
    overwrite: bool = False
    damaged: OnDamage = OnDamage.SHOW
    view: View | AutoView | None = None


@dataclass(frozen=True)
class MatteOptions:
    """What shapes the matte.

    Attributes:
        checkpoint: the network's weights; None: the published ones.
        model: whose published weights; None: the file that RVM_CHECKPOINT names, else MOBILENETV3.
        ratio: the downsample ratio in (0, 1]; None: by what one eye sees, and by the subject.
        shots: AUTO: each shot from its own start, where the plan says where shots start.
        foreground: where the colours at soft edges come from.
    """

    checkpoint: Path | None = None
    precision: Precision = Precision.AUTO
    ratio: float | None = None
    subject: Subject = Subject.FULL_BODY
    shots: Shots = Shots.AUTO
    foreground: Foreground = Foreground.FUSED
    model: Model | None = None
    quality: MatteQuality = MatteQuality.NORMAL
    small_people: SmallPeople = SmallPeople.AUTO
    view: View | AutoView = AutoView.FOUND
    eyes: Eyes = Eyes.AUTO


@dataclass(frozen=True)
class EncodingOptions:
    """How results are encoded.

    Attributes:
        quality: the encoder's constant rate factor; lower is better. None: the codec's default.
        bitrate_bps: bits a second instead of a quality.
        preset: the encoder's own name of how much time it takes; None: the codec's default.
        chroma: SOURCE: the source's subsampling and bit depth, if the codec has it; YUV420: 4:2:0
            in no more bits than hardware everywhere plays.
        encoder: AUTO until the run chooses one; whatever encodes before that is SOFTWARE.
        tags_assumed: whether results of a source without colour tags carry those it is taken as.
        most_bps: bits a second that are never exceeded for long; None: there is no bound.
        key_frame_seconds: how far key frames lie apart at the most.
    """

    codec: VideoCodec = VideoCodec.HEVC
    quality: int | None = None
    bitrate_bps: int | None = None
    preset: str | None = None
    chroma: Chroma = Chroma.SOURCE
    encoder: CodecBackend = CodecBackend.AUTO
    tags_assumed: bool = True
    most_bps: int | None = None
    key_frame_seconds: int = 2

    @property
    def by_hardware(self) -> bool:
        return self.encoder is CodecBackend.HARDWARE


@dataclass(frozen=True)
class OutputOptions:
    """What shapes the results made from a matte.

    Attributes:
        background: what is behind the composite.
        kinds: COMPOSITE, and of the other kinds those that were asked for; MATTE is none of them.
        frame_rate: frames a second of the videos that image sequences become; None: they become
            pictures again.
        keep_matte: whether the matte is stored, too, for other outputs to be made from it.
        key_cutoff: the share of alpha below which it is 0, in [0, 1].
        key_contrast: how many times as steep alpha is around one half, 1 to MOST_KEY_CONTRAST.
        despill: how much of the background's hue is taken out of half-transparent pixels, [0, 1].
        vr: of files for headsets.
    """

    background: Background = COLOUR
    kinds: tuple[OutputKind, ...] = (OutputKind.COMPOSITE,)
    encoding: EncodingOptions = field(default_factory=EncodingOptions)
    frame_rate: Fraction | None = None
    keep_matte: bool = True
    key_cutoff: float = 0.0
    key_contrast: float = 1.0
    despill: float = 0.0
    vr: VrOptions = field(default_factory=VrOptions)

    @property
    def written(self) -> tuple[OutputKind, ...]:
        """All that is written of a segment, the matte first: the others are made from it."""
        return (OutputKind.MATTE, *self.kinds) if self.keep_matte else self.kinds


@dataclass(frozen=True)
class ComputeOptions:
    """Where and how the work is done; none of it is to be seen in the results.

    Attributes:
        device: auto, or a name that `choose_device` takes; the first of several.
        largest_chunk: how many frames are computed at once at most; None: as suits the device.
        threads: of the CPU for each step of the network; None: as suits it.
        isolated: whether the network works in a process of its own, which is watched.
        patience_seconds: how long that may go without any progress. A software encoder that is
            told to end may work on dozens of large pictures before it answers.
        cluster: several devices of this computer, or other computers, that share the work.
    """

    device: str = AUTO_DEVICE
    decoder: CodecBackend = CodecBackend.AUTO
    renderer: RendererBackend = RendererBackend.AUTO
    largest_chunk: int | None = None
    threads: int | None = None
    isolated: bool = True
    patience_seconds: float = 120.0
    cluster: ClusterOptions = field(default_factory=ClusterOptions)


@dataclass(frozen=True)
class MattingOptions:
    """How to matte.

    Attributes:
        formats: what finished files are made of the mattes, beside what a command makes anyway.
        force: whether to go on although the disk seems too small.
        then_joined: whether the results are joined and get their audio at once.
        typed: the options that count, where a job remembers others; None: all.
        again: whether what is done by other options is matted again without a question.
    """

    matte: MatteOptions = field(default_factory=MatteOptions)
    output: OutputOptions = field(default_factory=OutputOptions)
    compute: ComputeOptions = field(default_factory=ComputeOptions)
    formats: tuple[FormatName, ...] = ()
    force: bool = False
    then_joined: bool = False
    typed: frozenset[JobOption] | None = None
    again: bool = True
