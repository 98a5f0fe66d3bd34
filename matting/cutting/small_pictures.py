"""Small copies of decoded frames, to compare: quickly made, and the same on any computer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from matting.imaging.sample_format import Size
from matting.media.pixel_formats import convert_frame, planar_format

SMALL_SIZE = Size(64, 36)
# Taken of each cell, across and down: more cost more (most of it for lines to read), and tell no
# more.
LUMA_SAMPLES, CHROMA_SAMPLES = Size(4, 2), Size(2, 1)
SmallPicture = NDArray[np.uint8]  # [3, 36, 64]: luma and two colour differences, in 8 bits


def small_picture(frame: VideoFrame, colour_range: int) -> SmallPicture:
    """Return a small copy of a frame, by whole numbers only.

    Each of its pixels is the mean of some samples that are spread evenly over its cell.

    Args:
        colour_range: of the stream.
    """
    frame = convert_frame(frame, planar_format(frame.format), colour_range)
    bits = frame.format.components[0].bits
    densities = (LUMA_SAMPLES, CHROMA_SAMPLES, CHROMA_SAMPLES)
    planes = [
        _shrink(plane, bits, per_cell)
        for plane, per_cell in zip(frame.planes, densities, strict=False)
    ]
    if frame.format.is_rgb:
        green, blue, red = (plane.astype(np.int16) for plane in planes)
        luma = (red + 2 * green + blue) >> 2
        differences = ((colour - luma + 256) >> 1 for colour in (blue, red))
        planes = [luma.astype(np.uint8), *(plane.astype(np.uint8) for plane in differences)]
    elif len(planes) < 3:
        planes = [planes[0], *2 * [np.full_like(planes[0], 128)]]
    return np.stack(planes)


def _shrink(plane: VideoPlane, bits: int, per_cell: Size) -> NDArray[np.uint8]:
    """Return a plane at the small size, in 8 bits.

    Args:
        per_cell: how many samples, across and down, are taken of each cell at most.
    """
    samples = np.frombuffer(memoryview(plane), np.uint8 if bits <= 8 else np.dtype("<u2"))
    pitch = plane.line_size // samples.itemsize
    places = _places(Size(plane.width, plane.height), pitch, per_cell)
    sums = np.add.reduce(samples.take(places), axis=0, dtype=np.uint32)
    small: NDArray[np.uint8] = (sums // (len(places) << bits - 8)).astype(np.uint8)
    return small.reshape(SMALL_SIZE.height, SMALL_SIZE.width)


@lru_cache(maxsize=16)
def _places(size: Size, pitch: int, per_cell: Size) -> NDArray[np.intp]:
    """Return where in a plane's memory the samples of each cell lie, [samples, cells].

    Args:
        pitch: from one line to the next, in samples.
    """
    down, across = (
        max(1, min(most, side // cells))
        for side, cells, most in zip(size[::-1], SMALL_SIZE[::-1], per_cell[::-1], strict=True)
    )
    rows = _spread(size.height, down * SMALL_SIZE.height).reshape(-1, 1, down, 1)
    columns = _spread(size.width, across * SMALL_SIZE.width).reshape(1, -1, 1, across)
    return np.ascontiguousarray((rows * pitch + columns).reshape(-1, down * across).T)


def _spread(side: int, count: int) -> NDArray[np.intp]:
    """Return places spread evenly over a side; some of them several times if it is short."""
    return (2 * np.arange(count, dtype=np.intp) + 1) * side // (2 * count)
