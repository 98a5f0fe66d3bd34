"""Frames that change their size or pixel format in the course of a video, brought to one."""

from __future__ import annotations

from collections import Counter

from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from matting.media.colour_tags import ColourRange
from matting.media.frame_decoding import Shape

FEWEST_FRAMES = 8  # of a shape that all frames may be brought to: damage makes up others


def common_shape(shapes: Counter[Shape]) -> Shape | None:
    """Return the shape that all frames are to have; None where they have one.

    The largest of those that more than a few frames have; of several formats at that size, the one
    that keeps most.
    """
    if len(shapes) < 2:
        return None
    lasting = [shape for shape, count in shapes.items() if count >= FEWEST_FRAMES]
    if not lasting:
        ((shape, _),) = shapes.most_common(1)
        return shape
    size = max((shape.size_px for shape in lasting), key=lambda px: px.width * px.height)
    return Shape(size, max((shape.pixel_format for shape in lasting), key=_samples))


def in_shape(frame: VideoFrame, shape: Shape) -> VideoFrame:
    """Return a frame scaled and converted as by FFmpeg's own scaler, with its time and tags."""
    if Shape.of(frame) == shape:
        return frame
    width, height = shape.size_px
    own, others = (_range(frame, name) for name in (frame.format.name, shape.pixel_format))
    return frame.reformat(
        width=width,
        height=height,
        format=shape.pixel_format,
        interpolation=Interpolation.BICUBIC,
        src_color_range=own,
        dst_color_range=others,
    )


def _range(frame: VideoFrame, pixel_format: str) -> ColourRange:
    full = pixel_format.startswith("yuvj") or frame.color_range == ColourRange.FULL
    return ColourRange.FULL if full else ColourRange.LIMITED


def _samples(pixel_format: str) -> tuple[int, int]:
    """Return how much a format keeps: bits of all of a cell's samples, and of one sample."""
    components = VideoFormat(pixel_format, 8, 8).components
    bits = sum(part.bits * part.width * part.height for part in components)
    return bits, max((part.bits for part in components), default=0)
