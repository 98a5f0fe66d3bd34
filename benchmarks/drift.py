"""How far half precision's alpha is from float32's after thousands of frames, states carried."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import linear_regression

import torch
from torch import Tensor

from benchmarks.half import HalfPrecision
from benchmarks.results import table
from matting.imaging.colour_conversion import downsample_to_rgb
from matting.imaging.compositor import Matte, render_layers
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.precision import DTYPES, exact_float32, suitable_precision
from matting.options import Precision
from model import MattingNetwork, State, optimise_for_inference

EVERY = 10  # frames from one comparison to the next
WINDOW = 300  # frames in a row of the table


@dataclass(frozen=True)
class Drift:
    """Alpha's distance from float32's, in steps of 1/255, over the frames of one window.

    Attributes:
        first: the window's first frame.
        mean, most: absolute difference; its mean, and its largest.
    """

    first: int
    mean: float
    most: float


def slope_of(found: Sequence[Drift]) -> float:
    """How fast the mean grows, in 1/255 a thousand frames: the straight line nearest to it."""
    if len(found) < 2:
        return 0.0
    firsts, means = [d.first / 1000 for d in found], [d.mean for d in found]
    return linear_regression(firsts, means).slope


def drift_text(precision: str, found: Sequence[Drift]) -> str:
    """The table for people."""
    rows = [[str(d.first), f"{d.mean:.4f}", f"{d.most:.1f}"] for d in found]
    return (
        f"{precision} against float32, in 1/255, by the window's first frame:\n\n"
        + table(["frames from", "mean", "largest"], rows)
        + f"\nSlope of the mean: {slope_of(found):+.5f} a thousand frames.\n"
    )


class _Runner:
    """The network in a precision, also in one that `infer` does not offer on the CPU."""

    def __init__(self, network: MattingNetwork, precision: Precision, device: torch.device) -> None:
        self._network = optimise_for_inference(network, DTYPES[precision]).to(device)
        native = {Precision.FP32, suitable_precision(Precision.AUTO, device)}
        self._emulated = device.type == "cpu" and precision not in native
        self._state: State | None = None

    @torch.inference_mode()
    def matte(self, source: Planes, ratio: float) -> Matte:
        """As `MattingSession.matte`."""
        small = downsample_to_rgb(source, ratio)
        with HalfPrecision() if self._emulated else nullcontext():
            slope, offset, self._state = self._network.run_small(
                small, self._state, len(source), refine=ratio != 1
            )
        return Matte(source, slope, offset)


def drift_of(
    network: MattingNetwork,
    precision: str,
    film: Sequence[Tensor],
    *,
    frames: int,
    ratio: float,
    device: torch.device,
) -> list[Drift]:
    """The drift of a precision, window by window.

    What a processor has no matrix units for is computed as `half.py` says, all else as in `infer`.

    Args:
        precision: bf16 or fp16.
        film: frames [3, H, W], uint8, played over and over.
    """
    exact_float32()
    exact, half = (
        _Runner(network, Precision.FP32, device),
        _Runner(network, Precision(precision), device),
    )
    found: list[Drift] = []
    means: list[float] = []
    most = 0.0
    for index in range(frames):
        picture = Planes(SampleFormat(), film[index % len(film)][None].to(device))
        truth, matte = exact.matte(picture, ratio), half.matte(picture, ratio)
        if index % EVERY == 0:
            errors = [
                (alpha - true).abs() * 255
                for (_, _, alpha), (_, _, true) in zip(
                    render_layers(matte), render_layers(truth), strict=True
                )
            ]
            error = torch.cat([part.flatten() for part in errors])
            means.append(float(error.mean()))
            most = max(most, float(error.max()))
        if (index + 1) % WINDOW == 0 or index + 1 == frames:
            first = index // WINDOW * WINDOW
            found.append(Drift(first, sum(means) / len(means), most))
            means, most = [], 0.0
            print(f"{precision}, frames from {first}: {found[-1]}", flush=True)
    return found
