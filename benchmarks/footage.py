"""Clips for the benchmarks, of any size and length: the demo's film, upscaled, under grain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray

from demo.film import DEMO_SEED, Film
from matting.imaging.sample_format import Size

RATE = 30
DRAWN_PX = 360  # the short side at which the film is drawn; larger frames are upscaled from it
DRAWN_FRAMES = 60  # longer clips play them forwards and backwards
FAST = {"preset": "ultrafast", "crf": "16"}
CAMERA = {"preset": "veryfast", "b": "16000000"}  # as a telephone's
GRAIN = 6  # steps of luma from the darkest grain to the brightest
WHITE = 255


def write_clip(
    path: Path, size: Size, frames: int, options: Mapping[str, str] = MappingProxyType(FAST)
) -> Path:
    """Write a clip in H.264, with a key frame each second; return its path.

    Args:
        size: in px, both sides even.
        options: of the encoder x264; as they are, it is fast.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options=dict(options))
        if not isinstance(stream, VideoStream):
            raise TypeError("PyAV gave a stream of another kind")
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = RATE
        for index, frame in enumerate(_frames(size, frames)):
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _frames(size: Size, frames: int) -> Iterator[av.VideoFrame]:
    """Yield the film's frames at full size, each with another part of the same grain."""
    width, height = size
    shrink = max(1, min(size) // DRAWN_PX)
    count = min(frames, DRAWN_FRAMES)
    film = Film(DEMO_SEED, width // shrink, height // shrink, count, RATE, cuts=(), flashes=())
    drawn = [np.ascontiguousarray(frame.rgb.transpose(1, 2, 0)) for frame in film.draw_ahead()]
    there_and_back = [*drawn, *drawn[-2:0:-1]]
    grain = np.random.default_rng(DEMO_SEED).integers(0, GRAIN + 1, (2 * height, width), np.uint8)
    for index in range(frames):
        small = there_and_back[index % len(there_and_back)]
        frame = av.VideoFrame.from_ndarray(small, format="rgb24").reformat(
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            interpolation=Interpolation.BICUBIC,
        )
        _add_grain(frame, grain[index * 7 % height :])
        yield frame


def _add_grain(frame: av.VideoFrame, grain: NDArray[np.uint8]) -> None:
    """Brighten the luma of a frame by `grain`, [at least H, W]."""
    plane = frame.planes[0]
    luma = np.asarray(memoryview(plane)).view(np.uint8).reshape(-1, plane.line_size)
    luma = luma[: plane.height, : plane.width]
    np.minimum(luma, WHITE - GRAIN, out=luma)
    luma += grain[: plane.height]
