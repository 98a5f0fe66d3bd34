"""A segment's outputs: in which samples each is, and what writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matting.delivery.format_writers import format_input
from matting.delivery.formats import DELIVERED
from matting.delivery.output_target import OutputTarget
from matting.imaging.sample_format import SampleFormat
from matting.media.encoders import EncoderInput, encoder_input, grey_input, require_encodable
from matting.media.images.sequence import ImageSequence
from matting.media.images.writer import ImageWriter
from matting.media.source import FrameSource
from matting.media.video_writer import VideoWriter
from matting.options import EncodingOptions, OutputKind
from matting.project.paths import picture_name

ALPHA_PNG_BITS = 16


def output_formats(
    source: FrameSource, encoding: EncodingOptions, targets: Mapping[OutputKind, OutputTarget]
) -> dict[OutputKind, EncoderInput]:
    """Return the samples in which each output is written; the stored matte has its own.

    Raises:
        InputError: frames of that size hold no two eyes.
        MediaError: a format cannot hold frames of that size.
        MissingError: this build of FFmpeg has no such encoder.
    """
    return {
        kind: _output_format(kind, source, encoding, target)
        for kind, target in targets.items()
        if kind is not OutputKind.MATTE
    }


def create_writer(
    kind: OutputKind,
    path: Path,
    target: OutputTarget,
    *,
    source: FrameSource,
    encoding: EncodingOptions,
    output_format: EncoderInput,
) -> VideoWriter | ImageWriter:
    """Return a writer of one output, which writes to `path` until that gets its name.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
        StorageError: it cannot be written.
    """
    is_alpha = kind.is_alpha  # coverage, not light: neither profile nor HDR
    colour = source.colour
    if encoding.tags_assumed:  # else editors guess, each another way
        colour = colour.assumed(source.size_px.height)
    if not target.pictures:
        return VideoWriter(
            path,
            size_px=source.size_px,
            time_base=source.time_base,
            rate=source.rate,
            colour=colour.as_sdr() if is_alpha else colour,
            pixel_aspect=source.pixel_aspect,
            encoding=encoding,
            samples=output_format,
            hdr=None if is_alpha else source.hdr,
            most_frames=source.frames,
        )
    depth = output_format.sample_format.bits
    if isinstance(source, ImageSequence):
        own_names = source.result_names[: target.only_frames]
        profile = b"" if is_alpha else source.profile
        return ImageWriter(path, own_names, depth=depth, profile=profile)
    numbers = range(target.first_frame, target.first_frame + source.frames)
    names = [picture_name(number) for number in numbers[: target.only_frames]]
    return ImageWriter(path, names, depth=depth)


def _output_format(
    kind: OutputKind, source: FrameSource, encoding: EncodingOptions, target: OutputTarget
) -> EncoderInput:
    if target.vr is not None:
        return target.vr.samples(source, encoding)
    if kind.is_delivered:
        return format_input(DELIVERED[kind], source, encoding)
    return (
        _picture_format(kind, source) if target.pictures else _video_format(kind, source, encoding)
    )


def _video_format(kind: OutputKind, source: FrameSource, encoding: EncodingOptions) -> EncoderInput:
    height_px = source.size_px.height
    require_encodable(source.path, source.size_px, encoding.codec)
    colours = encoder_input(encoding, source.sample_format, source.colour, height_px)
    if not kind.is_alpha:
        return colours
    return grey_input(encoding, colours, source.colour.as_sdr(), height_px)


def _picture_format(kind: OutputKind, source: FrameSource) -> EncoderInput:
    in_source_depth = isinstance(source, ImageSequence) and kind is not OutputKind.ALPHA_PNG
    bits = source.sample_format.bits if in_source_depth else ALPHA_PNG_BITS
    return EncoderInput("", SampleFormat(bits))
