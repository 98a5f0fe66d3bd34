"""The test pattern of a clip: bars and ramps that flash exactly when the audio beeps."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.fidelity.reference import (
    CodeValues,
    Layout,
    Plane,
    code_ranges,
    downsampled,
    to_codes,
)

SAMPLE_RATE = 48_000
BEEP_SECONDS = Fraction(3, 1000)
BEEP_HERTZ = 2000
STEP_PX = 4  # bars and their motion keep to it, so that no chroma sample covers two colours


def picture(size: tuple[int, int], number: int, *, flash: bool) -> Plane:
    """Draw RGB [H, W, 3] in 0..1: bars, and ramps of grey, red, green and blue.

    All but the top moves. The flash is at the right end of the top, so that nothing else changes
    the mean of the picture.
    """
    width, height = size
    top = height // 4
    rgb = np.concatenate((_strips(width, top, 0, 1), _strips(width, height - top, number, 5)))
    rgb[:top, -(width // 4) :] = 1.0 if flash else 0.0
    return rgb


def _strips(width: int, height: int, number: int, count: int) -> Plane:
    """Draw the first `count` of bars, grey, red, green and blue as rows: RGB [H, W, 3]."""
    columns = (np.arange(width) + number * STEP_PX) % width
    bar = columns * 8 // width
    bars = np.stack([1 - (bar >> bit & 1) for bit in (1, 2, 0)], axis=1) * 0.75
    ramp = (columns // 2 * 2 / max(1, width - 1))[:, None]
    strips = [bars, ramp * np.ones(3), *(ramp * np.eye(3)[channel] for channel in range(3))]
    tall = max(1, height // count // STEP_PX * STEP_PX)
    return np.stack([strips[min(line // tall, count - 1)] for line in range(height)])


def planes(rgb: Plane, layout: Layout, weights: tuple[float, float], *, full: bool) -> list[Plane]:
    """Convert a picture to a planar layout's code values; alpha is a ramp from left to right."""
    top = (1 << layout.bits) - 1
    if layout.rgb:
        code_values = [np.rint(rgb[..., channel] * top) for channel in (1, 2, 0)]
    else:
        luma, *chroma = to_codes(rgb, weights, layout.bits, full=full)
        code_values = [luma, *(np.rint(downsampled(part, layout.shift)) for part in chroma)]
    if layout.alpha:
        code_values.append(
            np.rint(np.linspace(0, top, rgb.shape[1])[None].repeat(rgb.shape[0], axis=0))
        )
    return code_values


def raw(frame: Sequence[Plane], layout: Layout) -> bytes:
    """Return planes as a raw stream holds them."""
    kind = np.dtype(np.uint8) if layout.bits == 8 else np.dtype("<u2")
    return b"".join(plane.astype(kind).tobytes() for plane in frame)


def flatten_alpha(frame: Sequence[CodeValues], layout: Layout, *, full: bool) -> list[CodeValues]:
    """Composite a frame with straight alpha over black; return its planes without alpha."""
    black, _, middle, _ = code_ranges(layout.bits, full=full)
    *codes, alpha = (plane.astype(np.float64) for plane in frame)
    alpha /= (1 << layout.bits) - 1
    if layout.rgb:
        return [plane * alpha for plane in codes]
    small = downsampled(alpha, layout.shift)
    luma = black + (codes[0] - black) * alpha
    return [luma, *(middle + (plane - middle) * small for plane in codes[1:])]


def write_audio(
    path: Path, seconds: Fraction, beeps: Sequence[Fraction], rate: int = SAMPLE_RATE
) -> Path:
    """Write a WAV of silence, one channel of 16 bits, with a short beep at each of the times."""
    samples = np.zeros(int(seconds * rate), np.int16)
    at = np.arange(int(BEEP_SECONDS * rate))
    beep = (np.cos(at * 2 * np.pi * min(BEEP_HERTZ, rate // 5) / rate) * 20_000).astype(np.int16)
    for time in beeps:
        first = round(time * rate)
        part = samples[first : first + len(beep)]
        part[:] = beep[: len(part)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path
