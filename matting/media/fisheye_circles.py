"""Whether a picture is made of fisheye circles: black around them, and light inside at the rim."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from matting.imaging.sample_format import Size
from matting.media.codecs import decode_packet, decoder_of
from matting.media.colour_tags import ColourTags
from matting.media.container import open_video, reading
from matting.media.foreign_files import read_guarded
from matting.media.pixel_formats import (
    convert_frame,
    planar_format,
    plane_samples,
    sample_format_of,
)
from matting.media.stated_view import layout_by_size
from matting.media.video_info import VideoInfo
from matting.progress import Progress
from matting.view import Projection, StereoLayout, View

FRAMES = 5  # spread over the video
SAMPLES_ACROSS = 256  # of one eye's part, at the most
# Of the radius of the circle that fits into an eye's part.
OUTSIDE, RING = 1.03, (0.75, 0.95)
PERCENTILE = 99.0
# In 255ths of white. Where the sky is dark or the shot fades, the ring tells nothing.
MOST_OUTSIDE, LEAST_RING = 16.0, 64.0


class Levels(NamedTuple):
    """How light a frame is around its circles, and in their rings; in 255ths of white."""

    outside: float
    ring: float


def fisheye_layout(
    path: Path, size: Size, stated: StereoLayout | None = None
) -> StereoLayout | None:
    """Return the layout of a video made of fisheye circles; None: it is none.

    Args:
        size: of its frames; one of another shape than circles have is not opened.
        stated: the layout, where it is known.
    Raises:
        InputError: no such file, or a folder.
        MediaError: it is no video, or holds no picture.
        MissingError: this build of FFmpeg has no decoder for all of the picture.
    """
    layout = layout_by_size(Projection.FISHEYE, size)
    if layout is None or stated not in {None, layout}:
        return None
    return layout if read_guarded(path, partial(_is_of_circles, path, layout)) else None


def _is_of_circles(path: Path, layout: StereoLayout, progress: Progress) -> bool:
    with open_video(path) as (container, stream), reading(path):
        info = VideoInfo.of(path, container, stream)
        lit = frames = 0
        for frame in _spread_frames(container, stream, info, progress):
            levels = circle_levels(frame, info.colour.completed(frame), layout)
            if levels.outside >= MOST_OUTSIDE:
                return False
            frames += 1
            lit += levels.ring > LEAST_RING
    return frames > 0 and 2 * lit >= frames


def circle_levels(frame: VideoFrame, colour: ColourTags, layout: StereoLayout) -> Levels:
    """Return the levels of a frame: outside, of the lighter eye; in the ring, of the darker one."""
    frame = convert_frame(frame, planar_format(frame.format), colour.range)
    sample_format = sample_format_of(frame.format, colour)
    zero, span = sample_format.luma_code_range
    # Of R'G'B' the lightest of the three counts.
    planes = frame.planes if frame.format.is_rgb else frame.planes[:1]
    samples = [plane_samples(plane, sample_format.bits) for plane in planes]
    levels = []
    for left, top, width, height in View(layout).eyes((frame.width, frame.height)):
        step = max(1, min(width, height) // SAMPLES_ACROSS)
        rows, columns = slice(top, top + height, step), slice(left, left + width, step)
        part = np.maximum.reduce([plane[rows, columns] for plane in samples])
        radius = _radius(*part.shape)
        ring = (radius > RING[0]) & (radius < RING[1])
        places = radius > OUTSIDE, ring
        outside, inside = (np.percentile(part[place], PERCENTILE) for place in places)
        levels.append(Levels(_of_white(outside - zero, span), _of_white(inside - zero, span)))
    return Levels(max(one.outside for one in levels), min(one.ring for one in levels))


def _of_white(code_values: float, span: float) -> float:
    return float(code_values * 255 / span)


def _radius(height: int, width: int) -> NDArray[np.float64]:
    """Return how far each sample is from the middle, [height, width], by the half of each side."""
    across = (2 * np.arange(width) + 1) / width - 1
    down = (2 * np.arange(height) + 1) / height - 1
    return np.hypot(across[None], down[:, None])


def _spread_frames(
    container: InputContainer, stream: VideoStream, info: VideoInfo, progress: Progress
) -> Iterator[VideoFrame]:
    """Yield some frames from all over a video; where it cannot be sought, the first one."""
    start = Fraction(info.start_pts)
    for number in range(FRAMES if info.declared_seconds else 1):
        seconds = info.declared_seconds * (2 * number + 1) / (2 * FRAMES)
        try:
            if info.declared_seconds:
                container.seek(int(start + seconds / info.time_base), stream=stream)
            stream.codec_context.flush_buffers()
            frame = _next_frame(container, stream, progress)
        except av.error.FFmpegError:  # it cannot be sought, or is damaged there
            continue
        if frame is not None:
            yield frame


def _next_frame(
    container: InputContainer, stream: VideoStream, progress: Progress
) -> VideoFrame | None:
    decoder = decoder_of(stream)
    for packet in container.demux(stream):
        progress.alive()
        for frame in decode_packet(decoder, packet):
            return frame
    return None
