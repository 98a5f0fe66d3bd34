"""Trying half precision on a processor: what it takes, and whether alpha stays the same.

What a processor has units for says little: where there are none, bf16 took 4 to 13 times as long
as float32 here, and where there are, libraries decide whether they use them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from msgspec.structs import replace
from torch import Tensor

from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.base import InferenceNetwork, RecurrentState
from matting.inference.precision_record import WORTHWHILE, PrecisionTrial
from matting.media.images.still import read_picture
from matting.system.memory import enough_memory

# Eileen Collins, photographed by NASA: https://flic.kr/p/r9qvLn, in the public domain; reduced to
# 256x256.
PORTRAIT = Path(__file__).with_name("portrait.jpg")
# At this size the trial takes little time even where bf16 takes many times as long; and it does
# for every size.
SMALL_SIDE_PX = 32
FAR_TOO_SLOW = 2.5  # times as long, at that size
WARM_UPS = 1  # the first pass over a size also prepares what computes it
PASSES, MOST_PASSES = 2, 6  # at that size: something else may use the processor meanwhile
SMALL_SHARE = 0.1  # of the trial's time, after which there are no more of them
MOST_SECONDS = 0.5
WORST_DISTANCE = 255.0

Clock = Callable[[], float]


@dataclass
class _Runner:
    """A network that takes the same pictures again and again, and how long the passes took."""

    network: InferenceNetwork
    clock: Clock
    seconds: list[float] = field(default_factory=list)

    def alpha(self, picture: Planes) -> Tensor:
        """Return the alpha of a picture that is seen twice, [2, 1, h, w]; take the second's time.

        The second continues from the first one's state.
        """
        state: RecurrentState | None = None
        alphas = []
        for _ in range(WARM_UPS + 1):
            started = self.clock()
            features = self.network.extract_features(picture, 1.0)
            output, state = self.network.run_recurrent(features, state)
            self.network.fit_guided_filter(output)
            seconds = self.clock() - started
            alphas.append(self.network.coarse_alpha(output))
        self.seconds.append(seconds)
        return torch.cat(alphas).clamp(0, 1)


@torch.inference_mode()
def try_half_precision(
    exact: InferenceNetwork,
    half: InferenceNetwork,
    machine: str,
    weights: str,
    *,
    most_seconds: float = MOST_SECONDS,
    clock: Clock = time.perf_counter,
) -> PrecisionTrial:
    """Return what a network takes in bf16 and in float32 on the CPU, and how its alphas differ.

    First on small noise; where bf16 takes many times as long for that, it does with all weights.
    Then on larger noise and on a person, in turns: again and again until it is faster, or the time
    is up, since a computer that is busy with something else can only make it seem slower.

    Args:
        exact, half: the network in float32 and in bf16.
        machine, weights: what the trial is of, as `PrecisionTrial` has them.
        most_seconds: after so many nothing more is begun.
    """
    started = clock()
    end = started + most_seconds
    runners = _Runner(exact, clock), _Runner(half, clock)
    try:
        with enough_memory():
            times_as_long = _try_small(runners, started + SMALL_SHARE * most_seconds)
    except RuntimeError:  # an older torch, on some processors
        return PrecisionTrial(machine=machine, times_as_long=None)
    trial = PrecisionTrial(machine=machine, times_as_long=times_as_long)
    if times_as_long > FAR_TOO_SLOW:
        return trial
    runners = _Runner(exact, clock), _Runner(half, clock)
    person = portrait()
    pictures = person, noise(person.height)
    distances: list[float] = []
    while clock() <= end and (len(distances) < len(pictures) or times_as_long > WORTHWHILE):
        picture = pictures[len(distances) % len(pictures)]
        expected, actual = (runner.alpha(picture) for runner in runners)
        distances.append(_distance(actual, expected))
        times_as_long = _times_as_long(*runners)
    trial = replace(trial, times_as_long=times_as_long, weights=weights)
    if not trial.is_faster or len(distances) < len(pictures):
        return trial
    return replace(trial, distance=max(distances))


def _try_small(runners: tuple[_Runner, _Runner], end: float) -> float:
    """Return what bf16 takes for small noise, in times of float32.

    Args:
        end: by the runners' clock, when no more passes are begun than have to be.
    """
    small = noise(SMALL_SIDE_PX)
    for number in range(MOST_PASSES):
        if number >= PASSES and runners[0].clock() > end:
            break
        for runner in runners:
            runner.alpha(small)
    return _times_as_long(*runners)


def _times_as_long(exact: _Runner, half: _Runner) -> float:
    """Return what bf16 took, in times of float32, each at its fastest: others use the computer."""
    return max(min(half.seconds) / max(min(exact.seconds), 1e-9), 1e-6)


def _distance(actual: Tensor, expected: Tensor) -> float:
    """Return the mean distance of the frame where that is largest, in 1/255."""
    if not bool(torch.isfinite(actual).all()):
        return WORST_DISTANCE
    return float((actual - expected).abs().mean((1, 2, 3)).max()) * 255


def noise(side_px: int) -> Planes:
    """Return a frame of noise, always the same, on the CPU."""
    generator = torch.Generator().manual_seed(1)
    samples = torch.randint(0, 256, (1, 3, side_px, side_px), generator=generator)
    return Planes(SampleFormat(), samples.to(torch.uint8))


def portrait() -> Planes:
    """Return the frame with a person, on the CPU."""
    values = torch.tensor(read_picture(PORTRAIT))
    return Planes(SampleFormat(), values.permute(2, 0, 1)[None].contiguous())
