"""Clips in which each frame is woven of two moments."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FRAMES = 24
SIZE = (96, 64)
GOOD = {"qmin": "1", "qmax": "3", "b": "20M"}


def picture_at(half: int) -> NDArray[np.uint8]:
    """Draw a dark bar on grey that moves four pixels each half frame, in RGB [H, W, 3]."""
    rgb = np.full((SIZE[1], SIZE[0], 3), 170, np.uint8)
    place = half * 4 % SIZE[0]
    rgb[:, place : place + 12] = 30
    return rgb


def woven(number: int, *, top_first: bool) -> NDArray[np.uint8]:
    """Weave two moments, each in every second line, into RGB [H, W, 3]."""
    frame = picture_at(2 * number)
    frame[int(top_first) :: 2] = picture_at(2 * number + 1)[int(top_first) :: 2]
    return frame


def interlaced(path: Path, codec: str, *, top_first: bool = True, gop: int = 8) -> Path:
    """Write an interlaced clip of FRAMES frames; return its path."""
    x264 = f"{'tff' if top_first else 'bff'}=1:scenecut=0:bframes=0"
    options = {"flags": "+ilme+ildct", "g": str(gop)}
    if codec == "libx264":
        options |= {"x264-params": x264, "crf": "4", "preset": "ultrafast"}
    elif codec == "mpeg2video":
        options |= GOOD
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options=options)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = SIZE
        video.pix_fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
        # Only a filter can mark frames.
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=SIZE[0],
            height=SIZE[1],
            format=av.VideoFormat("rgb24"),
            time_base=Fraction(1, 25),
        )
        layout = graph.add("format", "yuv422p")
        mark = graph.add("setfield", "tff" if top_first else "bff")
        sink = graph.add("buffersink")
        source.link_to(layout)
        layout.link_to(mark)
        mark.link_to(sink)
        graph.configure()
        for number in range(FRAMES):
            rgb = woven(number, top_first=top_first)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.vpush(frame)
            marked = graph.vpull().reformat(format=video.pix_fmt)
            container.mux(video.encode(marked))
        container.mux(video.encode(None))
    return path


def combing(luma: NDArray[np.int64]) -> float:
    """Return how much more lines differ from their neighbours than those do from each other."""
    odd = np.abs(luma[1:-1] - (luma[:-2] + luma[2:]) / 2).mean()
    even = np.abs(luma[2:] - luma[:-2]).mean()
    return float(odd - even)
