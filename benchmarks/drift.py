"""How far half precision's alpha is from float32's after thousands of frames, states carried."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import linear_regression

import torch
from torch import Tensor

from benchmarks.half import HalfPrecision
from benchmarks.layers import render_layers
from benchmarks.results import table
from matting.imaging.colour_conversion import downsample_to_rgb
from matting.imaging.compositor import Matte
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.precision import DTYPES, disable_tf32
from matting.options import Precision
from matting.system.torch_build import cpu_has_matrix_units
from model import MattingNetwork, State, optimise_for_inference

COMPARE_EVERY = 10  # frames
WINDOW_FRAMES = 300  # that a row of the table is about


@dataclass(frozen=True)
class Drift:
    """Alpha's absolute difference from float32's, in steps of 1/255, in the frames of one window.

    Attributes:
        first: the window's first frame.
        mean, largest: over all pixels of the frames that are compared.
    """

    first: int
    mean: float
    largest: float


def slope_of(windows: Sequence[Drift]) -> float:
    """Return how fast the mean grows, in 1/255 a thousand frames, by linear regression."""
    if len(windows) < 2:
        return 0.0
    firsts, means = [w.first / 1000 for w in windows], [w.mean for w in windows]
    return linear_regression(firsts, means).slope


def report(precision: str, windows: Sequence[Drift]) -> str:
    """Return the table for people."""
    rows = [[str(w.first), f"{w.mean:.4f}", f"{w.largest:.1f}"] for w in windows]
    return (
        f"{precision} against float32, in 1/255, by the window's first frame:\n\n"
        + table(["frames from", "mean", "largest"], rows)
        + f"\nSlope of the mean: {slope_of(windows):+.5f} a thousand frames.\n"
    )


class _Runner:
    """The network in a precision, also in one that `infer` does not offer on the CPU."""

    def __init__(self, network: MattingNetwork, precision: Precision, device: torch.device) -> None:
        self._network = optimise_for_inference(network, DTYPES[precision]).to(device)
        in_units = precision is Precision.BF16 and cpu_has_matrix_units()
        is_native = precision is Precision.FP32 or in_units
        self._emulated = device.type == "cpu" and not is_native
        self._state: State | None = None

    @torch.inference_mode()
    def matte(self, source: Planes, ratio: float) -> Matte:
        """Return the mattes of the next frames, as `MattingSession.mattes` does."""
        small = downsample_to_rgb(source, ratio)
        with HalfPrecision() if self._emulated else nullcontext():
            slope, offset, self._state = self._network.run_small(
                small, self._state, len(source), refine=ratio != 1
            )
        return Matte(source, slope, offset)


def measure_drift(
    network: MattingNetwork,
    precision: str,
    film: Sequence[Tensor],
    *,
    frames: int,
    ratio: float,
    device: torch.device,
) -> list[Drift]:
    """Return the drift of a precision, window by window.

    What a CPU has no matrix units for is computed as `half.py` says, all else as in `infer`.

    Args:
        precision: bf16 or fp16.
        film: frames [3, H, W], uint8, played over and over.
    """
    disable_tf32()
    exact = _Runner(network, Precision.FP32, device)
    half = _Runner(network, Precision(precision), device)
    windows: list[Drift] = []
    means: list[float] = []
    largest = 0.0
    for index in range(frames):
        frame = Planes(SampleFormat(), film[index % len(film)][None].to(device))
        truth, matte = exact.matte(frame, ratio), half.matte(frame, ratio)
        if index % COMPARE_EVERY == 0:
            bands = zip(render_layers(matte), render_layers(truth), strict=True)
            errors = [(alpha - true).abs() * 255 for (_, _, alpha), (_, _, true) in bands]
            error = torch.cat([band.flatten() for band in errors])
            means.append(float(error.mean()))
            largest = max(largest, float(error.max()))
        if (index + 1) % WINDOW_FRAMES == 0 or index + 1 == frames:
            first = index // WINDOW_FRAMES * WINDOW_FRAMES
            windows.append(Drift(first, sum(means) / len(means), largest))
            means, largest = [], 0.0
            print(f"{precision}, frames from {first}: {windows[-1]}", flush=True)
    return windows
