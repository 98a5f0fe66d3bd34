"""What a job was asked for, remembered: whoever takes it up again need not type it again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from matting.background import Background, BackgroundFile, hex_colour
from matting.job_option import JobOption
from matting.media.encoder_table import quality_of
from matting.network_choice import Foreground, MatteQuality, Model, Shots, SmallPeople, Subject
from matting.options import (
    INFERRED,
    Chroma,
    CodecBackend,
    EncodingOptions,
    FormatName,
    MatteOptions,
    MattingOptions,
    OutputKind,
    OutputOptions,
    Precision,
    VideoCodec,
)
from matting.project.entry import (
    PICTURES,
    AutoRatio,
    Entry,
    KeyContrast,
    RecordedSettings,
    Share,
)
from matting.project.recorded_settings import EDGE_SETTINGS
from matting.project.records import Count
from matting.system.invocation import command_line
from matting.view import AutoView, Eyes, View
from matting.vr_options import FisheyeView, Headset, VrOptions

COLOUR = "#[0-9A-F]{6}"
LONGEST_PATH = 1 << 15  # on Windows, which has the longest
DEFAULT_KINDS = OutputOptions().kinds
# What earlier versions did, which knew no choice; and options that records call as they are called.
EARLIER: dict[str, Any] = {"shots": Shots.OFF, "small_people": SmallPeople.OFF}
EARLIER |= {"foreground": Foreground.NETWORK, "view": AutoView.WHOLE, "eyes": Eyes.TOGETHER}
SAME_NAMES = {"precision", "foreground", "matte_quality", "small_people"}
SAME_NAMES |= {"background", "codec", "chroma", *EDGE_SETTINGS}
YES_OR_NO = {True: "yes", False: "no"}
# Typed, these decide more than themselves: the value of the key is not taken from the job then.
DECIDED_BY = {
    JobOption.CHECKPOINT: {JobOption.MODEL},
    JobOption.MODEL: {JobOption.CHECKPOINT},
    JobOption.DOWNSAMPLE_RATIO: {JobOption.SUBJECT},
    JobOption.QUALITY: {JobOption.BITRATE, JobOption.CODEC},  # of another scale
    JobOption.BITRATE: {JobOption.QUALITY},
}


def _background_text(background: Background) -> str:
    if isinstance(background, BackgroundFile):
        return str(background.path.absolute())
    return hex_colour(background)


def _background_of(text: str) -> Background:
    if re.fullmatch(COLOUR, text):
        red, green, blue = bytes.fromhex(text[1:])
        return red, green, blue
    return BackgroundFile(Path(text))


def _is_whole_path(text: str) -> bool:
    """Return whether it is one of this computer, or of another that the job was begun on."""
    return PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()


class JobOptions(Struct, frozen=True, kw_only=True):
    """All options that shape results, as they were asked for; the fields are those of JobOption.

    Attributes:
        background: as "#78FF9B", or the whole path of a file.
        preset: of the encoder, which only callers in Python give.
        formats: what finished files are made of the mattes.
        shots: unset in records of earlier versions, which matted all frames as one shot.
        foreground: unset in records of earlier versions, which took the network's own.
        small_people: unset in records of earlier versions, which saw nobody a second time.
        view: unset in records of earlier versions, which saw every picture as one.
        eyes: unset in records of earlier versions, which matted every picture as one.
        keep_matte: unset in records of earlier versions, which stored none.
    """

    checkpoint: Annotated[str, Meta(max_length=LONGEST_PATH)] | None = None
    model: Model | None = None
    matte_quality: MatteQuality = MatteQuality.NORMAL
    precision: Precision = Precision.AUTO
    downsample_ratio: Annotated[float, Meta(gt=0, le=1)] | None = None
    subject: Subject = Subject.FULL_BODY
    shots: Shots | UnsetType = UNSET
    foreground: Foreground | UnsetType = UNSET
    small_people: SmallPeople | UnsetType = UNSET
    view: View | AutoView | UnsetType = UNSET
    eyes: Eyes | UnsetType = UNSET
    background: Annotated[str, Meta(max_length=LONGEST_PATH)] = "#78FF9B"
    save: Annotated[tuple[OutputKind, ...], Meta(max_length=16)] = ()
    codec: VideoCodec = VideoCodec.HEVC
    quality: Count | None = None
    bitrate: Count | None = None
    preset: Annotated[str, Meta(max_length=100)] | None = None
    chroma: Chroma = Chroma.SOURCE
    encoder: CodecBackend = CodecBackend.AUTO
    frame_rate: Fraction | None = None
    keep_matte: bool | UnsetType = UNSET
    key_cutoff: Share = 0.0
    key_contrast: KeyContrast = 1.0
    despill: Share = 0.0
    headset: Headset = Headset.ANY
    fisheye: FisheyeView = FisheyeView.FISHEYE_190
    fringe: bool = False
    sidecar: bool = True
    formats: Annotated[tuple[FormatName, ...], Meta(max_length=16)] = ()

    def __post_init__(self) -> None:
        if not INFERRED.issuperset(self.save):
            raise ValueError("Expected kinds that --save takes")
        if self.frame_rate is not None and not 0 < self.frame_rate <= 1000:
            raise ValueError("Expected a frame rate above 0, up to 1000")
        if not re.fullmatch(COLOUR, self.background) and not _is_whole_path(self.background):
            raise ValueError("Expected a background as #78FF9B, or the whole path of a file")

    @classmethod
    def of(cls, options: MattingOptions) -> JobOptions:
        """Return what is remembered of `options`."""
        matte, output, encoding = options.matte, options.output, options.output.encoding
        return cls(
            checkpoint=None if matte.checkpoint is None else str(matte.checkpoint),
            model=matte.model,
            matte_quality=matte.quality,
            precision=matte.precision,
            downsample_ratio=matte.ratio,
            subject=matte.subject,
            shots=matte.shots,
            foreground=matte.foreground,
            small_people=matte.small_people,
            view=matte.view,
            eyes=matte.eyes,
            background=_background_text(output.background),
            save=tuple(kind for kind in output.kinds if kind not in DEFAULT_KINDS),
            codec=encoding.codec,
            quality=encoding.quality,
            bitrate=encoding.bitrate_bps,
            preset=encoding.preset,
            chroma=encoding.chroma,
            encoder=encoding.encoder,
            frame_rate=output.frame_rate,
            keep_matte=output.keep_matte,
            key_cutoff=output.key_cutoff,
            key_contrast=output.key_contrast,
            despill=output.despill,
            headset=output.vr.headset,
            fisheye=output.vr.fisheye,
            fringe=output.vr.fringe,
            sidecar=output.vr.sidecar,
            formats=options.formats,
        )

    @classmethod
    def implied_by(cls, entries: Iterable[Entry]) -> JobOptions | None:
        """Return the options by which an earlier version made results, as far as they tell.

        None where there are no results. Where the weights came from is not on record.
        """
        settings = next((entry.settings for entry in entries if entry.outputs), None)
        return None if settings is None else _implied(settings)

    def applied_to(self, options: MattingOptions) -> MattingOptions:
        """Return `options` with these in the place of its own."""
        return replace(
            options,
            matte=MatteOptions(
                None if self.checkpoint is None else Path(self.checkpoint),
                self.precision,
                self.downsample_ratio,
                self.subject,
                **{n: v if (o := getattr(self, n)) is UNSET else o for n, v in EARLIER.items()},
                model=self.model,
                quality=self.matte_quality,
            ),
            output=OutputOptions(
                _background_of(self.background),
                (*DEFAULT_KINDS, *self.save),
                EncodingOptions(
                    self.codec, self.quality, self.bitrate, self.preset, self.chroma, self.encoder
                ),
                self.frame_rate,
                self.keep_matte is True,
                self.key_cutoff,
                self.key_contrast,
                self.despill,
                VrOptions(self.headset, self.fisheye, self.fringe, self.sidecar),
            ),
            formats=self.formats,
        )

    def with_typed(self, asked: JobOptions, typed: frozenset[JobOption]) -> JobOptions:
        """Return these, with what was typed in the place of their own."""
        values = asdict(self)
        for option in JobOption:
            if option in typed or typed & DECIDED_BY.get(option, set()):
                values[option.field] = getattr(asked, option.field)
        if JobOption.CODEC in typed or JobOption.ENCODER in typed:
            values["preset"] = asked.preset
        return JobOptions(**values)

    def in_words(self, than: JobOptions | None = None) -> str:
        """Return those that are others than in `than`, by default the defaults, as they are typed.

        What cannot be typed, such as that there is no bit rate, is left out.
        """
        words: list[str] = []
        for option in JobOption:
            value = getattr(self, option.field)
            if value == getattr(than or DEFAULTS, option.field):
                continue
            if value is None and option is JobOption.QUALITY:
                value = quality_of(EncodingOptions(self.codec))
            elif value is None and option is JobOption.DOWNSAMPLE_RATIO:
                value = "auto"
            elif option is JobOption.FORMATS:
                value = ",".join(value) or None
            if value is None or value is UNSET:
                continue
            if isinstance(value, bool):
                value = YES_OR_NO[value]
            values = value if isinstance(value, tuple) else (value,)
            for one in values:
                text = str(getattr(one, "value", one))
                words += [option.value, text.lower().replace("_", "-") if values is value else text]
        return command_line(words)


DEFAULTS = JobOptions.of(MattingOptions())


def _implied(settings: RecordedSettings) -> JobOptions:
    known = {name: value for name, value in asdict(settings).items() if value is not UNSET}
    if not re.fullmatch(COLOUR, known.get("background", "")):
        known.pop("background", None)  # where its file lay is not on record
    values = {name: known[name] for name in SAME_NAMES if known.get(name) is not None}
    ratio, rate, codec = known.get("ratio"), known.get("frame_rate"), known.get("codec")
    if isinstance(ratio, AutoRatio):
        values["subject"] = Subject.PORTRAIT if ratio is AutoRatio.PORTRAIT else Subject.FULL_BODY
    elif ratio is not None:
        values["downsample_ratio"] = ratio
    kinds = known.get("kinds", ())
    if OutputKind.MATTE in kinds:
        values["keep_matte"] = True
    if "shots" in known:
        values["shots"] = Shots.AUTO
    if "eyes" in known:
        values["view"] = AutoView.FOUND
    if "apart" in known:
        values["eyes"] = Eyes.APART
    values["save"] = tuple(k for k in kinds if k not in {*DEFAULT_KINDS, OutputKind.MATTE})
    values["bitrate"] = known.get("bitrate_bps")
    if codec is not None and known.get("quality") != quality_of(EncodingOptions(codec)):
        values["quality"] = known.get("quality")
    if rate is not None and rate != PICTURES:
        values["frame_rate"] = Fraction(rate)
    return JobOptions(**values)
