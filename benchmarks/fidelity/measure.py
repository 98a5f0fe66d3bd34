"""How far the final video is from its source: colours, times, audio."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from benchmarks.fidelity.decoded_audio import DecodedAudio
from benchmarks.fidelity.decoded_video import DecodedVideo
from benchmarks.fidelity.reference import (
    CodeValues,
    Plane,
    downsampled_to_left_siting,
    eight_bit_step,
    luma_weights,
    to_rgb,
    upsampled,
)

LUMA_ONLY = 0


@dataclass(frozen=True)
class ColourErrors:
    """Differences of colour, in steps of 1/255.

    Attributes:
        bias: the mean of the signed differences of each plane, or of red, green and blue.
        space: what was compared: planes, or RGB where the layouts differ.
    """

    mean: float
    largest: float
    bias: tuple[float, ...]
    space: str = "planes"

    @classmethod
    def of(cls, differences: Iterable[Sequence[Plane]], space: str = "planes") -> ColourErrors:
        """Return those of frames, given each one's channels; every channel counts the same."""
        means, biases, largest = [], [], 0.0
        for channels in differences:
            means.append([float(np.abs(plane).mean()) for plane in channels])
            biases.append([float(plane.mean()) for plane in channels])
            largest = max(largest, *(float(np.abs(plane).max()) for plane in channels))
        bias = tuple(float(value) for value in np.mean(biases, axis=0))
        return cls(float(np.mean(means)), largest, bias, space)


def colour_errors(source: DecodedVideo, final: DecodedVideo) -> ColourErrors:
    """Compare the frames that both have, where both have pixels."""
    if source.layout.name == "4:4:4" and final.layout.shift != (0, 0) and not final.layout.rgb:
        # What a coarser layout cannot hold is no error of colour.
        coarse = [
            [
                frame[0],
                *(
                    downsampled_to_left_siting(_float(part), final.layout.shift)
                    for part in frame[1:3]
                ),
            ]
            for frame in source.frames
        ]
        layout = replace(source.layout, shift=final.layout.shift)
        source = replace(source, frames=coarse, layout=layout)
    pairs = list(zip(source.frames, final.frames, strict=False))
    same = (source.layout.shift, source.layout.rgb) == (final.layout.shift, final.layout.rgb)
    if same and source.full == final.full:
        steps = [eight_bit_step(video.layout.bits, full=video.full) for video in (source, final)]
        return ColourErrors.of(
            [
                _difference(_float(a) / steps[0], _float(b) / steps[1])
                for a, b in zip(x, y, strict=True)
            ]
            for x, y in pairs
        )
    differences = (_difference(_rgb(source, x), _rgb(final, y)) for x, y in pairs)
    return ColourErrors.of((list(np.moveaxis(frame, 2, 0)) for frame in differences), "RGB")


def pts_error(
    source: DecodedVideo, final: DecodedVideo, starts: tuple[Fraction, Fraction]
) -> Fraction:
    """Return the largest error of a frame's time, in seconds.

    By a player's clock, which starts with the earliest stream.

    Args:
        starts: when that is in the source and in the final video, in seconds.
    """
    return max(
        abs((b - starts[1]) - (a - starts[0]))
        for a, b in zip(source.times, final.times, strict=False)
    )


def audio_offset(
    source: tuple[DecodedVideo, DecodedAudio], final: tuple[DecodedVideo, DecodedAudio]
) -> tuple[Fraction, Fraction]:
    """Return how far the audio has moved against the picture, in seconds.

    Returns:
        The largest change of the distance from a flash to its beep, and the change of the distance
        from the last frame's start to the end of the audio.
    Raises:
        ValueError: a beep or a flash is missing.
    """
    distances = []
    for video, audio in (source, final):
        flashes = flash_times(video)
        if not flashes or len(flashes) > len(audio.beeps):
            raise ValueError(f"{len(flashes)} flashes, {len(audio.beeps)} beeps")
        # Where the first frames are lost, there are beeps without a flash.
        distances.append([min((b - a for b in audio.beeps), key=abs) for a in flashes])
    if len(distances[0]) != len(distances[1]):
        raise ValueError(f"{len(distances[0])} flashes in the source, {len(distances[1])} now")
    worst = max(abs(b - a) for a, b in zip(*distances, strict=True))
    ends = [audio.end - video.times[-1] for video, audio in (source, final)]
    return worst, abs(ends[1] - ends[0])


def flash_times(video: DecodedVideo) -> list[Fraction]:
    """Return when each flash begins, in seconds."""
    bright = np.array([_float(frame[LUMA_ONLY]).mean() for frame in video.frames])
    if bright.max() - bright.min() < eight_bit_step(video.layout.bits, full=video.full):
        return []
    on = bright > (bright.max() + bright.min()) / 2
    return [
        time
        for index, time in enumerate(video.times)
        if on[index] and not (index and on[index - 1])
    ]


def _float(plane: CodeValues) -> Plane:
    return plane.astype(np.float64)


def _difference(a: Plane, b: Plane) -> Plane:
    """Return b - a where both have pixels: an odd side may have grown."""
    rows, columns = (min(x, y) for x, y in zip(a.shape[:2], b.shape[:2], strict=True))
    return b[:rows, :columns] - a[:rows, :columns]


def _rgb(video: DecodedVideo, frame: Sequence[CodeValues]) -> Plane:
    """Return a frame as RGB [H, W, 3] in 0..255, by the file's own tags."""
    codes = [_float(plane) for plane in frame]
    if video.layout.rgb:
        top = (1 << video.layout.bits) - 1
        rgb: Plane = np.stack((codes[2], codes[0], codes[1]), axis=2) * (255 / top)
        return rgb
    size = (codes[0].shape[0], codes[0].shape[1])
    planes = [codes[0], *(upsampled(part, size) for part in codes[1:3])]
    weights = luma_weights(video.facts["matrix"], video.height)
    return np.clip(to_rgb(planes, weights, video.layout.bits, full=video.full), 0, 255)
