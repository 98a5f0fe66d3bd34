"""Films of several shots, each of another picture that moves a little: their cuts are known."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

SIZE = (128, 72)
CELLS = (8, 5)
RATE = 30
Picture = NDArray[np.uint8]  # R'G'B', [72, 128, 3]


def shot(seed: int, frames: int, speed_px: float = 0.3) -> list[Picture]:
    """Draw a shot of coloured fields in a random pattern, past which the camera moves.

    Args:
        speed_px: how far it moves from frame to frame.
    """
    rng = np.random.default_rng(seed)
    columns, rows = CELLS
    cell = SIZE[0] // columns
    fields = rng.integers(0, 256, (rows, columns, 3))
    canvas = fields.repeat(cell, axis=0).repeat(cell, axis=1)[: SIZE[1]].astype(np.float32)
    soft = np.mean([np.roll(canvas, step, axis=1) for step in range(cell // 2)], axis=0)

    def seen(at_px: float) -> Picture:
        whole, part = divmod(at_px, 1)
        near, far = (np.roll(soft, int(whole) + step, axis=1) for step in (0, 1))
        return np.asarray(near * (1 - part) + far * part, np.uint8)

    return [seen(index * speed_px) for index in range(frames)]


def mixed(first: Picture, second: Picture, share: float) -> Picture:
    """Return two pictures, the second by that share."""
    return np.asarray(first * (1 - share) + second * share + 0.5, np.uint8)


def dissolve(before: list[Picture], after: list[Picture], frames: int) -> list[Picture]:
    """Join two shots; in so many frames one becomes the other."""
    shares = [(index + 1) / (frames + 1) for index in range(frames)]
    pairs = zip(before[-frames:], after[:frames], shares, strict=True)
    return before[:-frames] + [mixed(*pair) for pair in pairs] + after[frames:]


def fade(before: list[Picture], after: list[Picture], frames: int, blank: int) -> list[Picture]:
    """Join two shots; one fades to black in so many frames, the other from black after `blank`."""
    black = np.zeros_like(before[0])
    shares = [(index + 1) / frames for index in range(frames)]
    out = [mixed(p, black, share) for p, share in zip(before[-frames:], shares, strict=True)]
    seen = [mixed(black, p, share) for p, share in zip(after[:frames], shares, strict=True)]
    return before[:-frames] + out + [black] * blank + seen + after[frames:]


def flash(film: list[Picture], at: int, frames: int = 2) -> list[Picture]:
    """Return the film with a flash that makes so many frames almost white."""
    white = np.full_like(film[0], 255)
    lit = [mixed(p, white, 0.8) for p in film[at : at + frames]]
    return film[:at] + lit + film[at + frames :]


def write_film(path: Path, film: Iterable[Picture], codec: str = "libx264", gop: int = 15) -> Path:
    """Encode a film; return its path.

    Args:
        gop: the distance of its key frames; cuts add none.
    """
    options = {"preset": "ultrafast", "sc_threshold": "0"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = gop
        for index, picture in enumerate(film):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
