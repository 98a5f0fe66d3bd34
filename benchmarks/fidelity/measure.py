"""How far what came out is from what went in: colours, times, sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from benchmarks.fidelity.heard import Heard
from benchmarks.fidelity.reference import (
    Plane,
    Stored,
    eight_bit_step,
    grown,
    sited,
    to_rgb,
    weights_of,
)
from benchmarks.fidelity.seen import FrameFeatures

LUMA_ONLY = 0


@dataclass(frozen=True)
class Colours:
    """Differences in steps of 1/255.

    Attributes:
        bias: the mean of the signed differences of each plane, or of red, green and blue.
        space: what was compared: planes, or RGB where the layouts differ.
    """

    mean: float
    largest: float
    bias: tuple[float, ...]
    space: str = "planes"

    @classmethod
    def of(cls, differences: Iterable[Sequence[Plane]], space: str = "planes") -> Colours:
        """Of the channels of frames of one size: each channel counts the same."""
        means, biases, largest = [], [], 0.0
        for channels in differences:
            means.append([float(np.abs(plane).mean()) for plane in channels])
            biases.append([float(plane.mean()) for plane in channels])
            largest = max(largest, *(float(np.abs(plane).max()) for plane in channels))
        bias = tuple(float(value) for value in np.mean(biases, axis=0))
        return cls(float(np.mean(means)), largest, bias, space)


def colours(source: FrameFeatures, final: FrameFeatures) -> Colours:
    """The differences of the frames that both have, where both have pixels."""
    if source.layout.name == "4:4:4" and final.layout.shift != (0, 0) and not final.layout.rgb:
        # What a coarser layout cannot hold is no fault of the colours.
        coarse = [
            [frame[0], *(sited(_float(part), final.layout.shift) for part in frame[1:3])]
            for frame in source.frames
        ]
        layout = replace(source.layout, shift=final.layout.shift)
        source = replace(source, frames=coarse, layout=layout)
    pairs = list(zip(source.frames, final.frames, strict=False))
    same = (source.layout.shift, source.layout.rgb) == (final.layout.shift, final.layout.rgb)
    if same and source.full == final.full:
        steps = [eight_bit_step(seen.layout.bits, full=seen.full) for seen in (source, final)]
        return Colours.of(
            [_less(_float(a) / steps[0], _float(b) / steps[1]) for a, b in zip(x, y, strict=True)]
            for x, y in pairs
        )
    differences = (_less(_rgb(source, x), _rgb(final, y)) for x, y in pairs)
    return Colours.of((list(np.moveaxis(frame, 2, 0)) for frame in differences), "RGB")


def pts_error(
    source: FrameFeatures, final: FrameFeatures, starts: tuple[Fraction, Fraction]
) -> Fraction:
    """The largest, in seconds, by a player's clock: it starts with the earliest stream."""
    return max(
        abs((b - starts[1]) - (a - starts[0]))
        for a, b in zip(source.times, final.times, strict=False)
    )


def sound_offset(
    source: tuple[FrameFeatures, Heard], final: tuple[FrameFeatures, Heard]
) -> tuple[Fraction, Fraction]:
    """(the worst of each beep's distance from its flash, less the source's; the same of the ends).

    Both in seconds. The ends are those of the sound and of the last frame's start.

    Raises:
        ValueError: a beep or a flash is missing.
    """
    distances = []
    for seen, heard in (source, final):
        flashes = flash_times(seen)
        if not flashes or len(flashes) > len(heard.beeps):
            raise ValueError(f"{len(flashes)} flashes, {len(heard.beeps)} beeps")
        # Where the start of the picture is lost, there are beeps without a flash.
        distances.append([min((b - a for b in heard.beeps), key=abs) for a in flashes])
    if len(distances[0]) != len(distances[1]):
        raise ValueError(f"{len(distances[0])} flashes in the source, {len(distances[1])} now")
    worst = max(abs(b - a) for a, b in zip(*distances, strict=True))
    ends = [heard.ends - seen.times[-1] for seen, heard in (source, final)]
    return worst, abs(ends[1] - ends[0])


def flash_times(seen: FrameFeatures) -> list[Fraction]:
    """When the picture turns bright, in seconds."""
    bright = np.array([_float(frame[LUMA_ONLY]).mean() for frame in seen.frames])
    if bright.max() - bright.min() < eight_bit_step(seen.layout.bits, full=seen.full):
        return []
    on = bright > (bright.max() + bright.min()) / 2
    return [
        time for index, time in enumerate(seen.times) if on[index] and not (index and on[index - 1])
    ]


def _float(plane: Stored) -> Plane:
    return plane.astype(np.float64)


def _less(a: Plane, b: Plane) -> Plane:
    """b - a where both have pixels: an odd side may have grown."""
    rows, columns = (min(x, y) for x, y in zip(a.shape[:2], b.shape[:2], strict=True))
    return b[:rows, :columns] - a[:rows, :columns]


def _rgb(seen: FrameFeatures, frame: Sequence[Stored]) -> Plane:
    """[H, W, 3] in 0..255 by the file's own tags."""
    codes = [_float(plane) for plane in frame]
    if seen.layout.rgb:
        top = (1 << seen.layout.bits) - 1
        rgb: Plane = np.stack((codes[2], codes[0], codes[1]), axis=2) * (255 / top)
        return rgb
    size = (codes[0].shape[0], codes[0].shape[1])
    planes = [codes[0], *(grown(part, size) for part in codes[1:3])]
    weights = weights_of(seen.facts["matrix"], seen.height)
    return np.clip(to_rgb(planes, weights, seen.layout.bits, full=seen.full), 0, 255)
