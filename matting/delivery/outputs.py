"""What the results of a segment are: their kinds, their samples, and who writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matting.imaging.sample_format import SampleFormat
from matting.media.encoders import Delivery, delivery, grey
from matting.media.images.sequence import ImageSequence
from matting.media.images.writer import ImageWriter
from matting.media.source import FrameSource
from matting.media.video_writer import VideoWriter
from matting.options import EncodingOptions, OutputKind
from matting.project.paths import picture_name

ALPHA_PNG_BITS = 16


@dataclass(frozen=True)
class OutputTarget:
    """Where one kind of result of a segment goes.

    Attributes:
        path: a video file, or a folder of pictures.
        pictures: whether it is that folder.
        first_frame: the number of the first picture of a video; those of a sequence have names.
        only_frames: how many of the frames come; None: all.
    """

    path: Path
    pictures: bool = False
    first_frame: int = 0
    only_frames: int | None = None


def output_formats(
    source: FrameSource, choice: EncodingOptions, targets: Mapping[OutputKind, OutputTarget]
) -> dict[OutputKind, Delivery]:
    """The samples in which each kind of result is written.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    return {
        kind: _picture_samples(kind, source)
        if target.pictures
        else _video_samples(kind, source, choice)
        for kind, target in targets.items()
    }


def create_writer(
    kind: OutputKind,
    path: Path,
    target: OutputTarget,
    *,
    source: FrameSource,
    choice: EncodingOptions,
    samples: Delivery,
) -> VideoWriter | ImageWriter:
    """A writer of one kind of result, as yet under the name `path`.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
        StorageError: it cannot be written.
    """
    is_alpha = kind.is_alpha  # a share, not light: neither profile nor HDR
    if not target.pictures:
        return VideoWriter(
            path,
            size_px=(source.width_px, source.height_px),
            time_base=source.time_base,
            rate=source.rate,
            colour=source.colour.as_sdr() if is_alpha else source.colour,
            pixel_aspect=source.pixel_aspect,
            choice=choice,
            samples=samples,
            hdr=None if is_alpha else source.hdr,
        )
    if isinstance(source, ImageSequence):
        profile = b"" if is_alpha else source.profile
        own = source.result_names[: target.only_frames]
        return ImageWriter(path, own, depth=samples.sample_format.bits, profile=profile)
    numbers = range(target.first_frame, target.first_frame + source.frames)
    names = [picture_name(number) for number in numbers[: target.only_frames]]
    return ImageWriter(path, names, depth=samples.sample_format.bits)


def _video_samples(kind: OutputKind, source: FrameSource, choice: EncodingOptions) -> Delivery:
    height_px = source.height_px
    colours = delivery(choice, source.sample_format, source.colour, height_px)
    if not kind.is_alpha:
        return colours
    return grey(choice, colours, source.colour.as_sdr(), height_px)


def _picture_samples(kind: OutputKind, source: FrameSource) -> Delivery:
    own = isinstance(source, ImageSequence) and kind in {
        OutputKind.COMPOSITE,
        OutputKind.FOREGROUND,
        OutputKind.ALPHA,
    }
    bits = source.sample_format.bits if own else ALPHA_PNG_BITS
    return Delivery("", SampleFormat(bits))
