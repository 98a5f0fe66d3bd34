"""FFmpeg's pixel formats: which of them frames are computed in, and what their samples mean."""

from __future__ import annotations

import re
from dataclasses import replace

from av.video.format import VideoFormat

from matting.imaging.sample_format import Coding
from matting.media.colour import Colour
from matting.media.holding import SAME_SAMPLES, chroma_cells

PLANAR = re.compile(r"(yuvj?4\d\dp|gbrp|gray)(9|10|12|14|16)?(le)?")


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
