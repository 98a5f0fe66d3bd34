"""What a file for headsets is to be like, by its source's view and what was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from matting.delivery.vr_names import PlayerLens, player_lens, result_name
from matting.errors import InputError
from matting.imaging.sample_format import Size, TransferFunction
from matting.media.colour_tags import ColourRange, ColourTags
from matting.media.encoders import EncoderInput, encoder_input
from matting.media.mp4.spatial import Spatial, half_sphere_box, stereo_box
from matting.media.source import FrameSource
from matting.options import Chroma, EncodingOptions, FormatName, VideoCodec
from matting.view import Projection, StereoLayout, View
from matting.vr_options import Headset, VrOptions

SIDE_STEP_PX = 32  # else an encoder's padding shows at the edges, where mattes have their middle
SUBSAMPLING, BITS = (2, 2), 8  # what all headsets decode
KEY_FRAME_SECONDS = 1  # players seek by these


class PlaybackLimits(NamedTuple):
    """What can be played.

    Attributes:
        side_px: of an eye's part.
        pixels_a_second: of all eyes.
        bits_a_second: at the peak.
    """

    side_px: int
    pixels_a_second: int
    bits_a_second: int


# Level 6.1 of H.265 (ITU-T H.265, table A.8) bounds all of them; headsets' sizes at 60 frames a
# second are what their makers call safe.
LIMITS = {
    Headset.ANY: PlaybackLimits(4096, 2_139_095_040, 120_000_000),
    Headset.QUEST_2: PlaybackLimits(3840, 7680 * 3840 * 60, 80_000_000),
    Headset.QUEST_3: PlaybackLimits(4096, 8192 * 4096 * 60, 120_000_000),
}


@dataclass(frozen=True)
class VrPlan:
    """What is made of one video.

    Attributes:
        name: VR_GREEN or VR_ALPHA.
        view: of the source.
        lens: how the result is projected.
    """

    name: FormatName
    view: View
    lens: PlayerLens
    options: VrOptions

    @classmethod
    def of(cls, name: FormatName, view: View, options: VrOptions, source: Path) -> VrPlan:
        """Return what is made of a video with that view.

        Args:
            source: it, to be named in the error.
        Raises:
            InputError: it is no VR video that these formats can be made of.
        """
        _require_two_eyes_in_front(name, view, source)
        return cls(name, view, player_lens(view, name, options.fisheye), options)

    @property
    def is_packed(self) -> bool:
        """Whether the matte is in the picture."""
        return self.name is FormatName.VR_ALPHA

    def stem(self, source_stem: str) -> str:
        """Return the finished file's name without its suffix."""
        return result_name(source_stem, self.lens, self.name)

    @property
    def spatial(self) -> Spatial:
        """The boxes that say how the result is viewed; of a fisheye there are none to say it."""
        layout = stereo_box(StereoLayout.LEFT_RIGHT)
        if self.lens.projection is Projection.FISHEYE:
            return Spatial((layout,))
        return Spatial((layout, half_sphere_box()))

    def side_px(self, source_size: Size, rate: Fraction) -> int:
        """Return the side of an eye's part of the result.

        Args:
            source_size: of the upright frames.
            rate: frames a second.
        Raises:
            InputError: the eyes' parts have no whole chroma samples.
        """
        if any(side % 2 for part in self.view.eyes(source_size) for side in part):
            width, height = source_size
            raise InputError(
                f"The eyes' parts of a picture of {width}x{height} begin or end at an odd column "
                f"or row, of which {self.name} cannot be made.",
                "Cut off a row or a column, in any editor.",
            )
        limits = LIMITS[self.options.headset]
        own = max(self.view.eye_size(source_size))  # of squeezed eyes, as much as there is
        by_rate = math.isqrt(int(limits.pixels_a_second / rate / 2))
        side = min(own, limits.side_px, by_rate)
        return max(SIDE_STEP_PX, side // SIDE_STEP_PX * SIDE_STEP_PX)

    def encoding(self, encoding: EncodingOptions) -> EncodingOptions:
        """Return how the result is encoded, for a job that is encoded so.

        Args:
            encoding: its quality and preset count where they are H.265's.
        """
        most_bps = LIMITS[self.options.headset].bits_a_second
        own = encoding.codec is VideoCodec.HEVC
        asked_bps = encoding.bitrate_bps
        return replace(
            encoding,
            codec=VideoCodec.HEVC,
            quality=encoding.quality if own else None,
            preset=encoding.preset if own else None,
            bitrate_bps=None if asked_bps is None else min(asked_bps, most_bps),
            chroma=Chroma.YUV420,
            most_bps=most_bps,
            key_frame_seconds=KEY_FRAME_SECONDS,
        )

    def colour(self, source: FrameSource) -> ColourTags:
        """Return the result's colour tags: the source's, of the limited range that players read."""
        tags = replace(source.colour, range=ColourRange.LIMITED)
        return tags.assumed(self.side_px(source.size_px, source.rate))

    def samples(self, source: FrameSource, encoding: EncodingOptions) -> EncoderInput:
        """Return the samples that the result's encoder is given.

        Args:
            encoding: the job's.
        Raises:
            InputError: as `side_px`.
            MissingError: this build of FFmpeg has no such encoder.
        """
        side_px, colour = self.side_px(source.size_px, source.rate), self.colour(source)
        samples = colour.sample_format(BITS, SUBSAMPLING, side_px)
        plain = replace(samples, transfer=TransferFunction.SDR)  # HDR would ask for more bits
        return encoder_input(self.encoding(encoding), plain, colour, side_px)


def vr_plan(name: FormatName, view: View | None, options: VrOptions, source: Path) -> VrPlan | None:
    """Return what is made of a video in a format; None: that is not for headsets.

    Args:
        view: of the video; None: nobody could look.
    Raises:
        InputError: as `VrPlan.of`.
    """
    return VrPlan.of(name, view or View(), options, source) if name.is_vr else None


def _require_two_eyes_in_front(name: FormatName, view: View, source: Path) -> None:
    """Refuse what headsets do not see with both eyes, in front.

    Raises:
        InputError: says what it is taken for, and what to do.
    """
    what, seen = f"{source.name}, from which {name} is to be made,", view.describe()
    if view.projection is Projection.FLAT:
        raise InputError(
            f"{what} is no VR video, as far as is known: {seen}.",
            "If it is, say so with --view, such as --view left-right,180; else use --as green.",
            option="--view",
        )
    if view.projection is Projection.EQUIRECTANGULAR:
        raise InputError(
            f"{what} shows all around ({seen}), and {name} shows what is in front.",
            "Use --as green; or, if it is wrong, say what it is with --view.",
            option="--view",
        )
    if view.stereo is StereoLayout.MONO:
        raise InputError(
            f"{what} is for one eye, as far as is known ({seen}), and {name} is for two.",
            "If it holds two, say so with --view, such as --view left-right,180; else use --as "
            "green.",
            option="--view",
        )
    if view.projection is Projection.FISHEYE and view.field_of_view_deg is None:
        raise InputError(
            f"{what} is a fisheye whose field of view is not known.",
            "Say it with --view, such as --view left-right,fisheye190 or --view left-right,mkx200.",
            option="--view",
        )
