"""FFmpeg's frames as planes of samples, and back, with the same code values."""

from __future__ import annotations

import numpy as np
import torch
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray
from torch import Tensor

from matting.imaging.orientation import UPRIGHT, Orientation
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.media.colour_tags import ColourTags
from matting.media.pixel_formats import (
    Samples,
    convert_frame,
    planar_format,
    plane_samples,
    sample_format_of,
)


def planes_of(frame: VideoFrame, colour: ColourTags, orientation: Orientation = UPRIGHT) -> Planes:
    """Return a decoded frame, brought upright, [1, .., H, W].

    Args:
        colour: the stream's tags.
        orientation: what brings it upright.
    """
    name = planar_format(frame.format)
    frame = convert_frame(frame, name, colour.range)
    sample_format = sample_format_of(frame.format, colour, orientation)
    arrays = [
        _upright(plane_samples(plane, sample_format.bits), orientation) for plane in frame.planes
    ]
    if frame.format.is_rgb:
        green, blue, red = arrays
        return Planes(sample_format, _tensor([red, green, blue]))
    chroma = _tensor(arrays[1:]) if len(arrays) > 1 else None
    return Planes(sample_format, _tensor(arrays[:1]), chroma)


def frame_of(planes: Planes, pixel_format: str, size_px: Size | None = None) -> VideoFrame:
    """Return a frame for an encoder, whose edge repeats where it is larger.

    Args:
        planes: [1, .., H, W] in that format's bits and layout; grey where it has no chroma.
        size_px: of the frame; None: that of `planes`, grown to whole chroma samples.
    """
    width, height = size_px or (
        -(-side // s) * s
        for side, s in zip(planes.size, planes.sample_format.subsampling, strict=True)
    )
    frame = VideoFrame(width, height, pixel_format)
    _fill_colour(frame, planes)
    return frame


def frame_with_alpha(planes: Planes, alpha: Tensor, pixel_format: str, size_px: Size) -> VideoFrame:
    """Return a frame for an encoder of alpha.

    Args:
        planes: [1, .., H, W] in that format's bits and layout.
        alpha: [1, 1, H, W], of the same bits.
        size_px: of the frame; where it is larger, the edge repeats.
    """
    frame = VideoFrame(*size_px, pixel_format)
    _fill_colour(frame, planes)
    _fill(frame.planes[3], alpha[0, 0].numpy())
    return frame


def _fill_colour(frame: VideoFrame, planes: Planes) -> None:
    """Copy planes into the first three of a frame; grey gets chroma of no colour."""
    sample_format = planes.sample_format
    if sample_format.luma_coefficients is None:
        red, green, blue = planes.luma_or_rgb[0]
        tensors = [green, blue, red]
    else:
        tensors = [planes.luma_or_rgb[0, 0], *([] if planes.chroma is None else planes.chroma[0])]
    for plane, values in zip(frame.planes, tensors, strict=False):
        _fill(plane, values.numpy())
    for plane in frame.planes[len(tensors) : 3]:
        plane_samples(plane, sample_format.bits)[:] = int(sample_format.chroma_code_range.zero)


def _upright(samples: Samples, orientation: Orientation) -> Samples:
    mirrored = samples[:, ::-1] if orientation.mirrored else samples
    return np.rot90(mirrored, orientation.turns)


def _tensor(arrays: list[Samples]) -> Tensor:
    """Return arrays [h, w] as one tensor [1, N, h, w], in its own memory."""
    return torch.from_numpy(np.stack(arrays)[None])


def _fill(plane: VideoPlane, values: NDArray[np.generic]) -> None:
    """Copy `values` [h, w] to a plane that may be a little larger, and whose edge then repeats."""
    target = plane_samples(plane, 8 * values.dtype.itemsize)
    height, width = values.shape
    target[:height, :width] = values
    target[:height, width:] = values[:, -1:]
    target[height:] = target[height - 1]
