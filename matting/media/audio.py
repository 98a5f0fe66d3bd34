"""The audio of a file as samples."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from matting.errors import MediaError
from matting.media.container import open_video, reading


def read_audio(path: Path, rate: int) -> tuple[Fraction, NDArray[np.float32]]:
    """Return the first audio track of a video, mixed to mono.

    Args:
        rate: samples a second to give.
    Returns:
        the time of the first sample in seconds, and the samples [N] in [-1, 1].
    Raises:
        MediaError: there is none, or it cannot be decoded.
    """
    blocks: list[NDArray[np.float32]] = []
    start: Fraction | None = None
    with open_video(path) as (container, _), reading(path):
        if not container.streams.audio:
            raise MediaError(f"{path} has no audio.")
        resampler = AudioResampler(format="flt", layout="mono", rate=rate)
        for frame in container.decode(container.streams.audio[0]):
            if start is None and frame.pts is not None and frame.time_base is not None:
                start = frame.pts * frame.time_base
            blocks += [_samples(block) for block in resampler.resample(frame)]
        blocks += [_samples(block) for block in resampler.resample(None)]
    return start or Fraction(0), np.concatenate(blocks)


def _samples(frame: av.AudioFrame) -> NDArray[np.float32]:
    return np.asarray(frame.to_ndarray(), dtype=np.float32).reshape(-1)
