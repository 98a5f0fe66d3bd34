"""Transparent frames over black, in the stream's own code values."""

from __future__ import annotations

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from matting.media.colour_tags import ColourRange
from matting.media.pixel_formats import Samples, plane_samples


def has_alpha(pixel_format: str) -> bool:
    """Return whether a pixel format holds transparency; a palette always can."""
    own = VideoFormat(pixel_format, 2, 2)
    return own.has_palette or any(component.is_alpha for component in own.components)


def flatten_alpha(frame: VideoFrame) -> VideoFrame:
    """Return the frame over black, without alpha; itself if it has none.

    Alpha is straight (colours are not multiplied by it yet) and of full range, as in VP9, ProRes
    and PNG. Exact to rounding, halves up, in YUV and RGB, of limited and of full range: luma and
    RGB go towards black, chroma towards its middle, by the mean of alpha over its pixels.

    Returns:
        a frame in the planar format of the same depth and subsampling, with the same time, colour
        tags and rotation.
    """
    if not has_alpha(frame.format.name):
        return frame
    planar, result = _planar_and_opaque(frame)
    components = planar.format.components
    alpha = plane_samples(planar.planes[3], components[3].bits)
    for number, component in enumerate(components[:3]):
        own = plane_samples(planar.planes[number], component.bits)
        zero = 0
        if not planar.format.is_rgb:
            limited = 0 if planar.color_range == ColourRange.FULL else 16 << component.bits - 8
            # Chroma's middle is the same in both ranges: ITU-T H.273, 8.3.
            zero = 1 << component.bits - 1 if number else limited
        target = plane_samples(result.planes[number], component.bits)
        target[:] = _fade(own, alpha, zero, (1 << component.bits) - 1)
    return result


def drop_alpha(frame: VideoFrame) -> VideoFrame:
    """Return the frame with its colours as they are, without alpha; itself if it has none.

    Returns:
        as `flatten_alpha` does.
    """
    if not has_alpha(frame.format.name):
        return frame
    planar, result = _planar_and_opaque(frame)
    for number, component in enumerate(planar.format.components[:3]):
        own = plane_samples(planar.planes[number], component.bits)
        plane_samples(result.planes[number], component.bits)[:] = own
    return result


def is_invisible(frame: VideoFrame) -> bool:
    """Return whether a frame has alpha, and that is 0 everywhere."""
    if not has_alpha(frame.format.name):
        return False
    planar, _ = _planar_and_opaque(frame)
    return not plane_samples(planar.planes[3], planar.format.components[3].bits).any()


def opaque_format(pixel_format: str) -> str:
    """Return the pixel format that `flatten_alpha` makes of one."""
    if not has_alpha(pixel_format):
        return pixel_format
    planar = _planar(VideoFormat(pixel_format, 2, 2))
    return planar.replace("yuva", "yuv").replace("gbrap", "gbrp")


def _planar_and_opaque(frame: VideoFrame) -> tuple[VideoFrame, VideoFrame]:
    """Return a frame with alpha as a planar one, and one of `opaque_format` with its properties.

    What the second one holds is not to be used: libswscale empties planes of deep RGB with alpha.
    """
    if frame.format.has_palette:
        frame = _as(frame, "rgba")
    planar = _as(frame, _planar(frame.format))
    return planar, _as(planar, opaque_format(frame.format.name))


def _fade(samples: Samples, alpha: Samples, zero: int, opaque: int) -> NDArray[np.float64]:
    """Bring samples towards `zero` as far as alpha is below `opaque`, rounding halves up.

    Exact: of numbers this small, float64 gives every quotient nearer than it is to the next half.
    """
    total, count = _summed_over_cells(alpha, samples.shape)
    value = (samples.astype(np.float64) - zero) * total
    return np.asarray(np.floor(value / (count * opaque) + 0.5) + zero)


def _summed_over_cells(
    alpha: Samples, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return alpha summed over the pixels of each chroma sample, and their number; of `shape`.

    At the right and lower edges of odd sizes, a sample has fewer pixels.
    """
    rows, columns = (-(-alpha.shape[axis] // shape[axis]) for axis in (0, 1))
    missing = shape[0] * rows - alpha.shape[0], shape[1] * columns - alpha.shape[1]
    if any(missing):
        alpha = np.pad(alpha, ((0, missing[0]), (0, missing[1])))
    total = np.zeros(shape)
    for row in range(rows):
        for column in range(columns):
            total += alpha[row::rows, column::columns]
    heights, widths = np.full(shape[0], float(rows)), np.full(shape[1], float(columns))
    heights[-1] -= missing[0]
    widths[-1] -= missing[1]
    return total, heights[:, None] * widths


def _planar(own: VideoFormat) -> str:
    """Return the planar little-endian format of the same samples, with alpha."""
    name = own.name.replace("be", "le") if own.is_big_endian else own.name
    if own.is_planar and len(own.components) == 4:
        return name
    deep = max(component.bits for component in own.components) > 8
    return ("gbrap" if own.is_rgb or own.has_palette else "yuva444p") + ("16le" if deep else "")


def _as(frame: VideoFrame, pixel_format: str) -> VideoFrame:
    """Convert a frame within its own range, to a new one in any case."""
    return frame.reformat(
        format=pixel_format,
        src_color_range=frame.color_range,
        dst_color_range=frame.color_range,
    )
