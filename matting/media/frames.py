"""FFmpeg's frames as planes of samples, and back. Numbers pass through unchanged."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import torch
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray
from torch import Tensor

from matting.media.colour import Colour
from matting.media.holding import SAME_SAMPLES, chroma_cells, converted
from matting.planes import Coding, Planes

PLANAR = re.compile(r"(yuvj?4\d\dp|gbrp|gray)(9|10|12|14|16)?(le)?")


def planes_of(frame: VideoFrame, colour: Colour, turns: int = 0) -> Planes:
    """A decoded frame, turned upright, [1, .., H, W].

    Args:
        colour: the stream's tags.
        turns: quarter turns counter-clockwise.
    """
    name = planar_format(frame.format)
    frame = converted(frame, name, colour.range)
    coding = coding_of(frame.format, colour, turns)
    arrays = [np.rot90(_samples(plane, coding.bits), turns) for plane in frame.planes]
    if frame.format.is_rgb:
        green, blue, red = arrays
        return Planes(coding, _tensor([red, green, blue]))
    chroma = _tensor(arrays[1:]) if len(arrays) > 1 else None
    return Planes(coding, _tensor(arrays[:1]), chroma)


def coding_of(pixel_format: VideoFormat, colour: Colour, turns: int = 0) -> Coding:
    """What `planes_of` makes of frames of that format and size.

    Args:
        colour, turns: as for `planes_of`.
    """
    planar = VideoFormat(planar_format(pixel_format), pixel_format.width, pixel_format.height)
    bits, step = layout_of(planar)
    if planar.is_rgb:
        return Coding(bits)
    coding = colour.coding(bits, step, planar.height)  # as stored, before it is turned
    return _turned(coding, planar.width, planar.height, turns) if turns % 4 else coding


def frame_of(planes: Planes, pixel_format: str) -> VideoFrame:
    """One picture as a frame for an encoder; sizes that the format has not grow by its edge.

    Args:
        planes: [1, .., H, W] in that format's bits and layout; grey where it has no chroma.
    """
    coding = planes.coding
    width, height = (-(-side // s) * s for side, s in zip(_size(planes), coding.step, strict=True))
    frame = VideoFrame(width, height, pixel_format)
    if coding.weights is None:
        red, green, blue = planes.main[0]
        tensors = [green, blue, red]
    else:
        tensors = [planes.main[0, 0], *([] if planes.chroma is None else planes.chroma[0])]
    for plane, values in zip(frame.planes, tensors, strict=False):
        _fill(plane, values.numpy())
    for plane in frame.planes[len(tensors) :]:
        _rows(plane, coding.dtype.itemsize)[:] = int(coding.chroma[0])
    return frame


def planar_format(pixel_format: VideoFormat) -> str:
    """The planar format, of those this program computes with, that holds all of another one."""
    name = pixel_format.name
    if PLANAR.fullmatch(name):
        return name
    if name in SAME_SAMPLES:
        return SAME_SAMPLES[name]
    bits = max(part.bits for part in pixel_format.components)
    depth = next(depth for depth in (8, 10, 12, 16) if depth >= bits)
    suffix = "" if depth == 8 else f"{depth}le"
    if pixel_format.is_rgb or pixel_format.has_palette:
        return f"gbrp{suffix}"
    return f"gray{suffix}" if len(pixel_format.components) < 3 else f"yuv444p{suffix}"


def layout_of(pixel_format: VideoFormat) -> tuple[int, tuple[int, int]]:
    """Bits of a sample, and how many columns and rows of pixels share a chroma sample."""
    bits = pixel_format.components[0].bits
    if pixel_format.is_rgb:
        return bits, (1, 1)
    if len(pixel_format.components) < 3:
        return bits, (2, 2)  # grey has no chroma to lose
    return bits, chroma_cells(pixel_format.name)


def _turned(coding: Coding, width: int, height: int, turns: int) -> Coding:
    """The coding of a picture of that size after quarter turns counter-clockwise."""
    for _ in range(turns % 4):
        (across, down), (columns, rows) = coding.siting, coding.step
        # What was the right edge is the top one now.
        last = (-(-width // columns) - 1) * columns
        coding = replace(coding, step=(rows, columns), siting=(down, width - 1 - last - across))
        width, height = height, width
    return coding


def _size(planes: Planes) -> tuple[int, int]:
    return planes.width, planes.height


def _rows(plane: VideoPlane, item_bytes: int) -> NDArray[np.generic]:
    """A plane's samples [h, w], in its own memory."""
    memory = np.asarray(memoryview(plane)).view(np.uint8 if item_bytes == 1 else "<u2")
    return memory.reshape(-1, plane.line_size // item_bytes)[: plane.height, : plane.width]


def _samples(plane: VideoPlane, bits: int) -> NDArray[np.generic]:
    return _rows(plane, 1 if bits == 8 else 2)


def _tensor(arrays: list[NDArray[np.generic]]) -> Tensor:
    """[1, N, h, w], in memory of its own."""
    return torch.from_numpy(np.stack(arrays)[None])


def _fill(plane: VideoPlane, values: NDArray[np.generic]) -> None:
    """Copies `values` [h, w] to a plane that may be a little larger."""
    target = _rows(plane, values.dtype.itemsize)
    height, width = values.shape
    target[:height, :width] = values
    target[:height, width:] = values[:, -1:]
    target[height:] = target[height - 1]
