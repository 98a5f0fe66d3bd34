"""The formats that a matte is delivered in: one row each, and who takes it.

Needs neither torch nor PyAV, so that the command line can list them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from matting.delivery.source_traits import (
    EIGHT_BIT_LIMITS,
    MILLISECONDS,
    NO_MASTERING,
    PICTURE_LIMITS,
    Limit,
    Trait,
)
from matting.errors import InputError
from matting.options import FormatName, OutputKind
from matting.project.paths import COMPOSITE_CONTAINERS, Container


class AlphaTravel(Enum):
    """How alpha reaches whoever takes a format; the value says it in a sentence."""

    NONE = "There is no alpha: the people are over a background."
    STRAIGHT = "The alpha is straight: colours are not multiplied by it."
    PREMULTIPLIED = "The alpha is premultiplied: colours are multiplied by it, in linear light."
    ALONE = "The picture is the alpha: white is opaque."
    BELOW = "The alpha is the lower half of the picture, white where opaque; colours are straight."
    BESIDE = "The alpha is the right half of the picture, white where opaque; colours are straight."
    PACKED = "The alpha is red in the black around each eye's circle, at two fifths of its size."


class Audio(Enum):
    """What becomes of audio that a format's container does not hold as it is."""

    AS_COMPOSITE = "another container is chosen, as for the composite"
    PCM = "it becomes PCM"
    OPUS = "it becomes Opus"
    NONE = "it is left out: pictures have none"


# What is written of each segment; the format `matte` is no stored matte.
KINDS = {
    FormatName.GREEN: OutputKind.COMPOSITE,
    FormatName.BACKGROUND: OutputKind.COMPOSITE,
    FormatName.PRORES: OutputKind.PRORES4444,
    FormatName.WEBM: OutputKind.WEBM_ALPHA,
    FormatName.HEVC: OutputKind.HEVC_ALPHA,
    FormatName.PNG: OutputKind.PNG,
    FormatName.EXR: OutputKind.EXR,
    FormatName.MATTE: OutputKind.MATTE_VIDEO,
    FormatName.STACKED: OutputKind.STACKED,
    FormatName.SIDE_BY_SIDE: OutputKind.SIDE_BY_SIDE,
    FormatName.FFV1: OutputKind.FFV1,
    FormatName.VR_GREEN: OutputKind.VR_GREEN,
    FormatName.VR_ALPHA: OutputKind.VR_ALPHA,
}


@dataclass(frozen=True)
class DeliveryFormat:
    """A row of the table.

    Attributes:
        purpose: what it is for, in a sentence.
        takers: who takes it.
        suffix: of the file's name, or of each picture's in the folder.
        codec: as people call it; "": as `--codec` says.
        samples: what the codec is given.
        alpha: how alpha travels.
        audio: what becomes of what its container does not hold.
        pictures: whether it is a folder of numbered pictures.
        limits: what it does not hold of a source that has it; none: it holds all.
    """

    name: FormatName
    purpose: str
    takers: str
    suffix: str
    codec: str
    samples: str
    alpha: AlphaTravel
    audio: Audio = Audio.AS_COMPOSITE
    pictures: bool = False
    limits: tuple[Limit, ...] = ()

    @property
    def kind(self) -> OutputKind:
        """What is written of each segment."""
        return KINDS[self.name]

    @property
    def has_own_encoding(self) -> bool:
        """Whether what is asked for of the encoding plays no part in it."""
        return bool(self.codec) and not self.name.is_vr

    @property
    def containers(self) -> tuple[Container, ...]:
        """What its file can be: the first is preferred, the last holds most; pictures have none."""
        if self.pictures:
            return ()
        if self.name is FormatName.HEVC or self.name.is_vr:  # which devices open
            return Container.MP4, Container.MOV
        if self.audio is Audio.AS_COMPOSITE:
            return COMPOSITE_CONTAINERS
        return tuple(container for container in Container if container.suffix == self.suffix)


AS_VIDEO = "8 to 12 bits, chroma as the codec has it"
VR_SAMPLES = "4:2:0, 8 bits, two eyes side by side, each square"

FORMATS = {
    row.name: row
    for row in (
        DeliveryFormat(
            name=FormatName.GREEN,
            purpose="The people over one colour, for chroma key and headset passthrough.",
            takers="headset players, editors",
            suffix=".mp4",
            codec="",
            samples=AS_VIDEO,
            alpha=AlphaTravel.NONE,
        ),
        DeliveryFormat(
            name=FormatName.BACKGROUND,
            purpose="The people over a picture or a video of your own.",
            takers="every player",
            suffix=".mp4",
            codec="",
            samples=AS_VIDEO,
            alpha=AlphaTravel.NONE,
        ),
        DeliveryFormat(
            name=FormatName.PRORES,
            purpose="For editing: colours and alpha in one file of high quality.",
            takers="DaVinci Resolve, Premiere, Final Cut, After Effects",
            suffix=".mov",
            codec="ProRes 4444",
            samples="4:4:4, 10 bits, alpha without loss",
            alpha=AlphaTravel.STRAIGHT,
            audio=Audio.PCM,
            limits=(
                Limit(Trait.MORE_THAN_10_BITS, "Colours have 10 bits of limited range."),
                Limit(Trait.RGB, "RGB becomes Y'CbCr."),
                NO_MASTERING,
            ),
        ),
        DeliveryFormat(
            name=FormatName.WEBM,
            purpose="For the web and live streams: small, with alpha.",
            takers="Chrome, Edge and Firefox, OBS",
            suffix=".webm",
            codec="VP9",
            samples="4:2:0, 8 bits, alpha of 8 bits",
            alpha=AlphaTravel.STRAIGHT,
            audio=Audio.OPUS,
            limits=(*EIGHT_BIT_LIMITS, MILLISECONDS),
        ),
        DeliveryFormat(
            name=FormatName.HEVC,
            purpose="For Apple's devices: small, with alpha.",
            takers="Safari, iPhone, iPad, Vision Pro",
            suffix=".mp4",
            codec="HEVC",
            samples="4:2:0, 8 bits, alpha of 8 bits in a layer of its own",
            alpha=AlphaTravel.STRAIGHT,
            limits=EIGHT_BIT_LIMITS,
        ),
        DeliveryFormat(
            name=FormatName.PNG,
            purpose="A folder of pictures, for compositing without loss.",
            takers="Blender, Nuke, every picture editor",
            suffix=".png",
            codec="PNG",
            samples="RGBA, 16 bits",
            alpha=AlphaTravel.STRAIGHT,
            audio=Audio.NONE,
            pictures=True,
            limits=(
                *PICTURE_LIMITS,
                Limit(Trait.HDR, "HDR's transfer function stays, without a tag that says so."),
            ),
        ),
        DeliveryFormat(
            name=FormatName.EXR,
            purpose="A folder of pictures in linear light, for compositing.",
            takers="Nuke, Blender, Fusion",
            suffix=".exr",
            codec="OpenEXR",
            samples="RGBA, half floats, linear light",
            alpha=AlphaTravel.PREMULTIPLIED,
            audio=Audio.NONE,
            pictures=True,
            limits=(
                *PICTURE_LIMITS,
                Limit(
                    Trait.HDR,
                    "HDR's reference white (203 nits) is 1, and what is brighter lies above.",
                ),
            ),
        ),
        DeliveryFormat(
            name=FormatName.MATTE,
            purpose="The alpha alone, to be used as a luma matte.",
            takers="every editor",
            suffix=".mp4",
            codec="",
            samples="grey, 8 to 12 bits",
            alpha=AlphaTravel.ALONE,
        ),
        DeliveryFormat(
            name=FormatName.STACKED,
            purpose="Colours above and alpha below in one plain video, for shaders.",
            takers="Unity, web players",
            suffix=".mp4",
            codec="",
            samples=AS_VIDEO,
            alpha=AlphaTravel.BELOW,
            limits=(
                Limit(Trait.TALL, "It is twice as high: few players take more than 4320 lines."),
            ),
        ),
        DeliveryFormat(
            name=FormatName.SIDE_BY_SIDE,
            purpose="Colours at the left and alpha at the right in one plain video, for shaders.",
            takers="Unity, web players",
            suffix=".mp4",
            codec="",
            samples=AS_VIDEO,
            alpha=AlphaTravel.BESIDE,
            limits=(
                Limit(Trait.WIDE, "It is twice as wide: few players take more than 8192 columns."),
            ),
        ),
        DeliveryFormat(
            name=FormatName.FFV1,
            purpose="A master for the archive: colours and alpha without loss.",
            takers="ffmpeg, VLC, archives",
            suffix=".mkv",
            codec="FFV1",
            samples="the source's chroma and bits, at least 10, alpha of as many",
            alpha=AlphaTravel.STRAIGHT,
            audio=Audio.PCM,
            limits=(MILLISECONDS, NO_MASTERING),
        ),
        DeliveryFormat(
            name=FormatName.VR_GREEN,
            purpose="VR video over one colour, named so that headset players need no settings.",
            takers="DeoVR, HereSphere, Skybox, 4XVR, Moon Player",
            suffix=".mp4",
            codec="H.265",
            samples=VR_SAMPLES,
            alpha=AlphaTravel.NONE,
            limits=EIGHT_BIT_LIMITS,
        ),
        DeliveryFormat(
            name=FormatName.VR_ALPHA,
            purpose="VR video with its alpha packed, for passthrough without keying.",
            takers="DeoVR, HereSphere, 4XVR and Skybox in their newer versions",
            suffix=".mp4",
            codec="H.265",
            samples=VR_SAMPLES,
            alpha=AlphaTravel.PACKED,
            limits=EIGHT_BIT_LIMITS,
        ),
    )
}


DELIVERED = {row.kind: row for row in FORMATS.values() if row.kind.is_delivered}


def delivery_format(name: str) -> DeliveryFormat:
    """Return the row of a format.

    Raises:
        InputError: there is none of that name; lists all.
    """
    try:
        return FORMATS[FormatName(name.strip().lower().replace("_", "-"))]
    except ValueError as error:
        raise InputError(
            f"There is no format {name!r}.", f"Formats: {', '.join(FORMATS)}.", option="--as"
        ) from error


def delivery_formats(names: str) -> tuple[DeliveryFormat, ...]:
    """Return the rows of formats whose names are separated by commas, each once, in their order.

    Raises:
        InputError: as `delivery_format`, or no name is there.
    """
    rows = [delivery_format(name) for name in names.split(",") if name.strip()]
    if not rows:
        raise InputError("No format is named.", f"Formats: {', '.join(FORMATS)}.", option="--as")
    return tuple(dict.fromkeys(rows))
