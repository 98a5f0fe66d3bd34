"""A moment of black picture, for trying out what goes beside one."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from matting.media.codecs import add_video_stream
from matting.media.container import encoding_to

SIZE_PX = 64
FRAMES = 8
MAX_RATE = 240


def write_blank_clip(path: Path, rate: Fraction) -> None:
    """Write an mp4 file of a few black frames, so many a second.

    Raises:
        MissingError: this build of FFmpeg has no encoder for it.
        StorageError: it cannot be written.
    """
    rate = min(rate, Fraction(MAX_RATE)).limit_denominator(1001)
    black = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    with encoding_to(path), av.open(str(path), "w", format="mp4") as container:
        stream = add_video_stream(
            container, "libx264", rate=rate, options={"preset": "ultrafast", "bf": "0"}
        )
        stream.width = stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(black, format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
