"""The film's audio: a quiet hum, and a beep that begins with each flash."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

BEEP_SECONDS = Fraction(1, 10)


def flash_frames(frames: int, fps: int) -> list[int]:
    """Return the frames that flash: the first of every second but the first second."""
    return list(range(fps, frames, fps))


def beep_samples(frames: int, fps: int, sample_rate: int = 48000) -> list[int]:
    """Return the sample at which each beep begins: the one at the time of its flash."""
    return [round(Fraction(frame * sample_rate, fps)) for frame in flash_frames(frames, fps)]


def make_audio(seed: int, frames: int, fps: int, sample_rate: int = 48000) -> NDArray[np.int16]:
    """Return stereo audio as long as the film.

    Returns:
        [samples, 2], int16. A beep's first sample is not 0, and beeps are at least 20 times as
        loud as the hum.
    """
    rng = np.random.default_rng((seed, 7))
    count = round(Fraction(frames * sample_rate, fps))
    time = np.arange(count) / sample_rate
    hum = np.zeros((count, 2))
    for hertz in rng.uniform(80, 320, 4):
        hum += np.sin(2 * np.pi * hertz * time[:, None] + rng.uniform(0, 6, 2)) * 0.002
    length = round(BEEP_SECONDS * sample_rate)
    beep = np.cos(2 * np.pi * 880 * np.arange(length) / sample_rate)
    beep *= 0.45 * np.linspace(1, 0, length) ** 0.5
    for start in beep_samples(frames, fps, sample_rate):
        span = hum[start : start + length]
        span += beep[: len(span), None]
    return np.asarray((hum * 32767).round(), np.int16)
