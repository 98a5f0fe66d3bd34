"""The facts of a video's picture, as its headers state them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from matting.errors import MediaError
from matting.media.alpha import has_alpha
from matting.media.codecs import has_alpha_beside
from matting.media.colour_tags import ColourTags
from matting.media.matroska_header import NO_HEADER, PictureHeader, read_header

USUAL_RATE = Fraction(30)  # where nothing says otherwise
ASSUMED_RATE = Fraction(25)  # by FFmpeg, of bare streams
NO_TIMESTAMPS = 0x80  # FFmpeg's AVFMT_NOTIMESTAMPS
# FFmpeg's AVFieldOrder: by the field that is coded first, and that is presented first.
FIELDS_TOP_FIRST, FIELDS_BOTTOM_FIRST = {2, 4}, {3, 5}


def stated_rate(container: InputContainer, stream: VideoStream) -> Fraction:
    """Return a stream's frames a second, on average where it has times."""
    if container.format.flags & NO_TIMESTAMPS:
        # There is no average: FFmpeg calls it 25, whatever the frames' own headers say.
        return stream.guessed_rate or stream.average_rate or USUAL_RATE
    return stream.average_rate or stream.guessed_rate or USUAL_RATE


def _is_without_rate(container: InputContainer, stream: VideoStream) -> bool:
    name = container.format.name
    has_no_times = container.format.flags & NO_TIMESTAMPS or name.endswith("_pipe")
    return bool(
        has_no_times
        and not stream.codec_context.framerate
        and stream.guessed_rate in {None, ASSUMED_RATE}
    )


@dataclass(frozen=True)
class VideoInfo:
    """The facts of a video's picture.

    Attributes:
        container: FFmpeg's name of its format.
        width_px, height_px: as coded, before any rotation.
        pixel_aspect: width of a pixel by its height.
        reorders: whether frames are decoded in another order than they are presented in.
        rate: frames a second on average.
        start_pts: when the container starts, in ticks of `time_base`; audio may start before the
            picture.
        header: what the container says of cropping and the like.
        interlaced, top_field_first: by its headers; frames may say otherwise.
        states_rate: whether it says in any way how many frames there are in a second; else FFmpeg
            and players take it for 25.
        declared_seconds: how long the file takes to play, by its own word; 0: it does not say.
    """

    path: Path
    container: str
    codec: str
    width_px: int
    height_px: int
    pixel_aspect: Fraction
    reorders: bool
    pixel_format: str
    time_base: Fraction
    rate: Fraction
    start_pts: int
    colour: ColourTags
    header: PictureHeader = NO_HEADER
    interlaced: bool = False
    top_field_first: bool = True
    states_rate: bool = True
    declared_seconds: Fraction = Fraction(0)

    @property
    def has_alpha(self) -> bool:
        return has_alpha(self.pixel_format)

    @classmethod
    def of(cls, path: Path, container: InputContainer, stream: VideoStream) -> VideoInfo:
        """Return what the headers of an opened file say.

        Raises:
            MediaError: they do not say what the picture is.
        """
        context = stream.codec_context
        pixel_format = context.pix_fmt
        if not (context.width and context.height and pixel_format and stream.time_base):
            raise MediaError(
                f"{path}: its picture cannot be made out.",
                "Check that it plays; copy or download it again if it does not.",
            )
        if has_alpha_beside(stream):
            pixel_format = pixel_format.replace("yuv", "yuva")
        start = Fraction(container.start_time or 0, av.time_base) / stream.time_base
        header = read_header(stream)
        # PyAV 17 does not show it; there only the decoded frames do.
        fields = getattr(context, "field_order", 0)
        return cls(
            path=path,
            container=container.format.name,
            codec=context.name,
            width_px=context.width,
            height_px=context.height,
            pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
            reorders=bool(context.has_b_frames),
            pixel_format=pixel_format,
            time_base=stream.time_base,
            rate=stated_rate(container, stream),
            start_pts=round(start),
            colour=ColourTags.of(context, pixel_format, header.chroma_location),
            header=header,
            interlaced=fields in FIELDS_TOP_FIRST | FIELDS_BOTTOM_FIRST,
            top_field_first=fields not in FIELDS_BOTTOM_FIRST,
            states_rate=not _is_without_rate(container, stream),
            declared_seconds=Fraction(container.duration or 0, av.time_base),
        )
