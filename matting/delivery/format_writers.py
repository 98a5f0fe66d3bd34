"""What writes each delivered format, and in which samples it takes its frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from matting.delivery.formats import AlphaTravel, DeliveryFormat
from matting.imaging.delivered_frames import (
    Axis,
    DeliveredFrames,
    alpha_as_grey,
    join_alpha,
    joined_size,
)
from matting.imaging.large_frames import is_large
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.alpha_encoders import AlphaCodec, alpha_input
from matting.media.alpha_writer import AlphaVideoWriter
from matting.media.colour_tags import ColourTags
from matting.media.encoder_table import quality_of
from matting.media.encoders import EncoderInput, encoder_input, grey_input, require_encodable
from matting.media.hevc_alpha import DEFAULT_QUALITY, HevcAlphaWriter, require_alpha_layers
from matting.media.images.alpha_writer import RGB_BITS, AlphaPngWriter, ExrWriter
from matting.media.images.exr import ExrLight
from matting.media.images.sequence import ImageSequence
from matting.media.source import FrameSource
from matting.media.video_writer import VideoWriter
from matting.media.vp9_alpha import Vp9AlphaWriter
from matting.options import EncodingOptions, FormatName, VideoCodec
from matting.progress import ignore
from matting.project.paths import picture_name
from matting.system.closing import Closing

ALPHA_CODECS = {
    FormatName.PRORES: AlphaCodec.PRORES,
    FormatName.WEBM: AlphaCodec.VP9,
    FormatName.FFV1: AlphaCodec.FFV1,
    FormatName.HEVC: AlphaCodec.HEVC,
}
AXES = {AlphaTravel.BELOW: Axis.DOWN, AlphaTravel.BESIDE: Axis.RIGHT}


class FormatWriter(Protocol):
    """Writes one delivered file, or one folder of pictures."""

    def write(self, frames: DeliveredFrames, pts: Sequence[int]) -> None:
        """Write T frames at T times in ticks, rising.

        Raises:
            EncodeError, MachineError, StorageError: as `VideoWriter.write`.
        """

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Complete what is written, and prove it; as `VideoWriter.finish`."""

    def close(self) -> None:
        """Close it, however much is written."""

    def __enter__(self) -> FormatWriter: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None: ...


def format_input(
    row: DeliveryFormat, source: FrameSource, encoding: EncodingOptions
) -> EncoderInput:
    """Return the samples in which a format takes the frames of a source, and a note on them.

    Raises:
        MediaError: the format cannot hold frames of that size.
        MissingError: this build of FFmpeg has no such encoder.
    """
    own, height_px = source.sample_format, source.size_px.height
    if row.pictures:
        return EncoderInput("", SampleFormat(RGB_BITS, transfer=own.transfer))
    codec = ALPHA_CODECS.get(row.name)
    if codec is not None:
        if codec is AlphaCodec.HEVC:
            require_alpha_layers()
            require_encodable(source.path, source.size_px, VideoCodec.HEVC)
        return alpha_input(codec, own, source.colour, height_px)
    samples = encoder_input(encoding, own, source.colour, height_px)
    require_encodable(source.path, _written_size(row, source.size_px, samples), encoding.codec)
    if row.alpha is AlphaTravel.ALONE:
        return grey_input(encoding, samples, source.colour.as_sdr(), height_px)
    return samples


def create_format_writer(
    row: DeliveryFormat,
    path: Path,
    *,
    source: FrameSource,
    encoding: EncodingOptions,
    samples: EncoderInput,
    first_frame: int = 0,
    only_frames: int | None = None,
) -> FormatWriter:
    """Return a writer of one segment's file or folder; use it in a `with` block.

    Args:
        samples: by `format_input`.
        first_frame: the number of the first picture, where the source's have no names.
        only_frames: how many of the frames are written; None: all.
    Raises:
        MissingError: this build of FFmpeg has no such encoder.
        StorageError: it cannot be written.
    """
    colour = source.colour
    if encoding.tags_assumed:  # else editors guess, each another way
        colour = colour.assumed(source.size_px.height)
    if row.pictures:
        names = picture_names(row, source, first_frame)[:only_frames]
        return _picture_writer(row, path, names, source)
    codec = ALPHA_CODECS.get(row.name)
    if codec is not None:
        create: Callable[..., FormatWriter] = partial(AlphaVideoWriter, codec=codec)
        if codec is AlphaCodec.VP9 and is_large(source.size_px):
            create = Vp9AlphaWriter
        elif codec is AlphaCodec.HEVC:
            same = encoding.codec is VideoCodec.HEVC
            quality = quality_of(encoding) if same else DEFAULT_QUALITY
            create = partial(HevcAlphaWriter, quality=quality)
        return create(
            path,
            size_px=source.size_px,
            time_base=source.time_base,
            rate=source.rate,
            colour=colour,
            samples=samples,
            pixel_aspect=source.pixel_aspect,
            most_frames=source.frames,
        )
    return _plain_writer(
        row, path, source=source, encoding=encoding, samples=samples, colour=colour
    )


def picture_names(row: DeliveryFormat, source: FrameSource, first_frame: int = 0) -> list[str]:
    """Return the file names of a source's pictures in a format: its own, or their numbers.

    Args:
        first_frame: the number of the first picture.
    """
    if isinstance(source, ImageSequence):
        names = list(source.result_names)
    else:
        names = [picture_name(first_frame + number) for number in range(source.frames)]
    return [Path(name).with_suffix(row.suffix).name for name in names]


def _picture_writer(
    row: DeliveryFormat, path: Path, names: Sequence[str], source: FrameSource
) -> FormatWriter:
    is_picture = isinstance(source, ImageSequence)
    if row.alpha is AlphaTravel.PREMULTIPLIED:
        light = ExrLight.of(source.colour, source.pixel_aspect, picture=is_picture)
        return ExrWriter(path, names, light)
    return AlphaPngWriter(path, names, source.profile if isinstance(source, ImageSequence) else b"")


def _plain_writer(
    row: DeliveryFormat,
    path: Path,
    *,
    source: FrameSource,
    encoding: EncodingOptions,
    samples: EncoderInput,
    colour: ColourTags,
) -> FormatWriter:
    """Return a writer of video without a channel for alpha.

    Args:
        samples: by `format_input`.
        colour: how colours are tagged.
    """
    is_alpha = row.alpha is AlphaTravel.ALONE  # coverage, not light: no HDR
    writer = VideoWriter(
        path,
        size_px=_written_size(row, source.size_px, samples),
        time_base=source.time_base,
        rate=source.rate,
        colour=colour.as_sdr() if is_alpha else colour,
        pixel_aspect=source.pixel_aspect,
        encoding=encoding,
        samples=samples,
        hdr=None if is_alpha else source.hdr,
        most_frames=source.frames,
    )
    return _PlainVideoWriter(writer, _to_pictures(row, samples.sample_format))


class _PlainVideoWriter(Closing):
    """Puts alpha into the picture, where it travels there, and writes that.

    Args:
        pictures: makes of frames what `writer` takes.
    """

    def __init__(self, writer: VideoWriter, pictures: Callable[[DeliveredFrames], Planes]) -> None:
        self._writer = writer
        self._pictures = pictures

    def close(self) -> None:
        self._writer.close()

    def write(self, frames: DeliveredFrames, pts: Sequence[int]) -> None:
        self._writer.write(self._pictures(frames), pts)

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        self._writer.finish(on_frames)


def _written_size(row: DeliveryFormat, size_px: Size, samples: EncoderInput) -> Size:
    axis = AXES.get(row.alpha)
    return size_px if axis is None else joined_size(size_px, samples.sample_format, axis)


def _to_pictures(row: DeliveryFormat, target: SampleFormat) -> Callable[[DeliveredFrames], Planes]:
    """Return what makes of frames the pictures that are encoded."""
    if row.alpha in AXES:
        return partial(join_alpha, axis=AXES[row.alpha])
    if row.alpha is AlphaTravel.ALONE:
        return lambda frames: Planes(target, alpha_as_grey(frames.require_alpha(), target))
    return DeliveredFrames.require_colour
