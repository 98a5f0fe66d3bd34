"""FFmpeg's pixel formats: which of them frames are processed in, and what their samples mean."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction

import numpy as np
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from matting.imaging.orientation import UPRIGHT, Orientation
from matting.imaging.sample_format import SampleFormat
from matting.media.colour_tags import ColourTags

Samples = NDArray[np.integer]
Subsampling = tuple[int, int]

# The same samples in another order, or with colour differences that are all zero: H.264, H.265
# and FFV1 have few packed formats, and what is grey is decoded as 4:2:0.
EQUIVALENT_FORMATS = (
    dict.fromkeys(("rgb24", "bgr24", "rgb0", "bgr0", "0rgb", "0bgr"), "gbrp")
    | dict.fromkeys(("rgb48le", "bgr48le", "rgb48be", "bgr48be", "gbrp16be"), "gbrp16le")
    | dict.fromkeys(("nv12", "nv21"), "yuv420p")
    | dict.fromkeys(("yuyv422", "uyvy422", "yvyu422", "nv16"), "yuv422p")
    | {
        "gray": "yuv420p",
        "gray10le": "yuv420p10le",
        "gray12le": "yuv420p12le",
        "nv24": "yuv444p",
        "p010le": "yuv420p10le",
        "p210le": "yuv422p10le",
        "uyyvyy411": "yuv411p",
        "yuvj411p": "yuv411p",
        "yuvj440p": "yuv440p",
        "x2rgb10le": "gbrp10le",
    }
)

PLANAR = re.compile(r"(yuvj?4\d\dp|gbrp|gray)(9|10|12|14|16)?(le)?")


def sample_format_of(
    pixel_format: VideoFormat, colour: ColourTags, orientation: Orientation = UPRIGHT
) -> SampleFormat:
    """Return the format of what `planes_of` makes of frames of that pixel format and size.

    Args:
        colour, orientation: as for `planes_of`.
    """
    planar = VideoFormat(planar_format(pixel_format), pixel_format.width, pixel_format.height)
    bits, subsampling = layout_of(planar)
    if planar.is_rgb:
        return SampleFormat(bits)
    # By the height as it is stored, before it is turned.
    sample_format = colour.sample_format(bits, subsampling, planar.height)
    return _orient_format(sample_format, planar.width, planar.height, orientation)


def planar_format(pixel_format: VideoFormat) -> str:
    """Return the planar format, of those frames are processed in, that holds all of another."""
    name = pixel_format.name
    if PLANAR.fullmatch(name):
        return name
    if name in EQUIVALENT_FORMATS:
        return EQUIVALENT_FORMATS[name]
    bits = max(part.bits for part in pixel_format.components)
    depth = next(depth for depth in (8, 10, 12, 16) if depth >= bits)
    suffix = "" if depth == 8 else f"{depth}le"
    if pixel_format.is_rgb or pixel_format.has_palette:
        return f"gbrp{suffix}"
    return f"gray{suffix}" if len(pixel_format.components) < 3 else f"yuv444p{suffix}"


def layout_of(pixel_format: VideoFormat) -> tuple[int, tuple[int, int]]:
    """Return the bits of a sample, and how many columns and rows of pixels share chroma."""
    bits = pixel_format.components[0].bits
    if pixel_format.is_rgb:
        return bits, (1, 1)
    if len(pixel_format.components) < 3:
        return bits, (2, 2)  # grey has no chroma to lose
    return bits, chroma_subsampling(pixel_format.name)


def _orient_format(
    sample_format: SampleFormat, width: int, height: int, orientation: Orientation
) -> SampleFormat:
    """Return the format of a frame of that size once it is upright."""
    if orientation.mirrored:
        across, down = sample_format.siting
        mirrored = _opposite(across, width, sample_format.subsampling[0])
        sample_format = replace(sample_format, siting=(mirrored, down))
    for _ in range(orientation.turns):
        (across, down), (columns, rows) = sample_format.siting, sample_format.subsampling
        # What was the right edge is the top one now.
        sample_format = replace(
            sample_format,
            subsampling=(rows, columns),
            siting=(down, _opposite(across, width, columns)),
        )
        width, height = height, width
    return sample_format


def _opposite(siting: float, side_px: int, cell_px: int) -> float:
    """Return the siting of the last chroma sample along a side, as seen from the other end."""
    last = (-(-side_px // cell_px) - 1) * cell_px
    return side_px - 1 - last - siting


def chroma_subsampling(pixel_format: str) -> tuple[int, int]:
    """Return how many columns and rows of pixels share a chroma sample; (1, 1) without chroma."""
    components = VideoFormat(pixel_format, 8, 8).components
    if len(components) < 3:
        return 1, 1
    return 8 // components[1].width, 8 // components[1].height


def nearest_layout(
    layouts: Collection[tuple[Subsampling, int]], subsampling: Subsampling, bits: int
) -> tuple[Subsampling, int]:
    """Return which of an encoder's layouts holds a source best: its chroma first, then its bits."""
    columns, rows = subsampling
    known = {own for own, _ in layouts}
    # One that loses no chroma, the coarsest of these; else the finest there is.
    lossless = [own for own in known if own[0] <= columns and own[1] <= rows]
    nearest = max(lossless, key=_coarseness) if lossless else min(known, key=_coarseness)
    depths = sorted(depth for own, depth in layouts if own == nearest)
    return nearest, next((depth for depth in depths if depth >= bits), depths[-1])


def convert_frame(frame: VideoFrame, pixel_format: str, colour_range: int) -> VideoFrame:
    """Return the frame in that format, in the same range; itself where it is."""
    if frame.format.name == pixel_format:
        return top_down(frame)
    if frame.format.name.startswith("gray") and pixel_format.startswith("yuv420p"):
        return _with_chroma(top_down(frame), pixel_format)
    return frame.reformat(
        format=pixel_format, src_color_range=colour_range, dst_color_range=colour_range
    )


def top_down(frame: VideoFrame) -> VideoFrame:
    """Return the frame with its lines from top to bottom in memory; itself where they are.

    Some decoders (AMV, uncompressed AVI) store them from the bottom, with negative line sizes.
    PyAV takes memory as if they began where the top line is, and so reads beyond their end.
    """
    if all(plane.line_size >= 0 for plane in frame.planes):
        return frame
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1),
    )
    graph.link_nodes(source, graph.add("copy"), graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


def plane_samples(plane: VideoPlane, bits: int) -> Samples:
    """Return a plane's samples [h, w] without padding, uint8 or uint16, in its own memory."""
    dtype = np.dtype(np.uint8 if bits <= 8 else "<u2")
    lines: Samples = np.frombuffer(memoryview(plane), dtype)
    return lines.reshape(-1, plane.line_size // dtype.itemsize)[: plane.height, : plane.width]


def _coarseness(subsampling: Subsampling) -> int:
    return subsampling[0] * subsampling[1]


def _with_chroma(grey: VideoFrame, pixel_format: str) -> VideoFrame:
    """Return grey with chroma of no colour; libswscale takes all grey as of full range."""
    frame = VideoFrame(grey.width, grey.height, pixel_format)
    bits = frame.format.components[0].bits
    dtype = np.dtype(np.uint8 if bits == 8 else "<u2")
    no_colour = np.array(1 << bits - 1, dtype).tobytes()
    luma, *chroma = frame.planes
    source = np.frombuffer(bytes(grey.planes[0]), dtype)
    lines = source.reshape(-1, grey.planes[0].line_size // dtype.itemsize)[:, : grey.width]
    padded = np.zeros((luma.height, luma.line_size // dtype.itemsize), dtype)
    padded[:, : grey.width] = lines[: luma.height]
    luma.update(padded.tobytes())
    for plane in chroma:
        plane.update(no_colour * (plane.buffer_size // dtype.itemsize))
    frame.pts = grey.pts
    if grey.time_base is not None:
        frame.time_base = grey.time_base
    frame.color_range = grey.color_range
    return frame
