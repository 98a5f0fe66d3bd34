"""A network made ready for a device, in the precision that was asked for, or that suits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from matting.inference.base import InferenceNetwork, TrainedNetwork
from matting.inference.device_choice import require_right
from matting.inference.device_trial import trial_of
from matting.inference.precision import (
    DTYPES,
    choose_gpu_precision,
    networks_agree,
    require_precision,
)
from matting.inference.precision_record import (
    PrecisionChoice,
    PrecisionTrial,
    known_trial,
    remember_trial,
    this_machine,
)
from matting.inference.precision_trial import try_half_precision
from matting.options import Precision
from matting.system.accelerators import kind_of

# Of the network in float32 and in bf16, a machine and the weights, as `try_half_precision`.
Try = Callable[[InferenceNetwork, InferenceNetwork, str, str], PrecisionTrial]


@dataclass(frozen=True)
class ReadyNetwork:
    """A network on its device.

    Attributes:
        choice: the precision that it computes in, never AUTO.
    """

    network: InferenceNetwork
    choice: PrecisionChoice


def make_ready(
    network: TrainedNetwork,
    device: torch.device,
    precision: Precision,
    weights: str = "",
    *,
    file: Path | None = None,
    try_half: Try = try_half_precision,
) -> ReadyNetwork:
    """Return the network, ready for inference.

    AUTO is fp16 on a GPU that has matrix units for it, and gives about the same with it. On a CPU
    it is bf16 where a trial shows that this is faster and leaves alpha as it is. Else it is fp32.
    On a device that the program was not tried on, a trial has to show that it makes what the
    processor does, in whatever precision.

    Args:
        weights: the SHA-256 of the network's, by which a trial is remembered; "": unknown.
        file: that remembers trials; None: `record_file`.
        try_half: the trial.
    Raises:
        InputError: the precision does not work on the device.
        MissingError: the device does not make what the processor does.
    """
    require_precision(precision, device)
    if not kind_of(device).is_tried:
        return _on_untried(network, device, precision, weights)
    if precision is not Precision.AUTO:
        ready = network.for_inference(DTYPES[precision], device)
        return ReadyNetwork(ready, PrecisionChoice(precision))
    if device.type == "cpu":
        return _on_cpu(network, weights, file, try_half)
    return _on_gpu(network, device)


def _on_cpu(
    network: TrainedNetwork, weights: str, file: Path | None, try_half: Try
) -> ReadyNetwork:
    cpu, machine = torch.device("cpu"), this_machine()
    trial = known_trial(machine, weights, file)
    if trial is not None:
        ready = network.for_inference(DTYPES[trial.precision], cpu)
    else:
        exact, half = (network.for_inference(d, cpu) for d in (torch.float32, torch.bfloat16))
        trial = try_half(exact, half, machine, weights)
        ready = half if trial.precision is Precision.BF16 else exact
        if trial.is_conclusive and (weights or not trial.weights):
            remember_trial(trial, file)
    return ReadyNetwork(ready, PrecisionChoice(trial.precision, trial.in_words(), weights))


def _on_untried(
    network: TrainedNetwork, device: torch.device, precision: Precision, weights: str
) -> ReadyNetwork:
    trial = trial_of(network, device, weights, precision)
    is_chosen = precision is Precision.AUTO
    precision = trial.precision if is_chosen else precision
    require_right(trial, device, precision)
    reason = trial.reason(precision) if is_chosen or trial.by_processor else ""
    ready = network.for_inference(DTYPES[precision], device)
    return ReadyNetwork(ready, PrecisionChoice(precision, reason, weights, on_cpu=False))


def _on_gpu(network: TrainedNetwork, device: torch.device) -> ReadyNetwork:
    precision = choose_gpu_precision(device)
    ready = network.for_inference(DTYPES[precision], device)
    if precision is not Precision.FP32:
        exact = network.for_inference(torch.float32, device)
        if not networks_agree(ready, exact, device):
            precision, ready = Precision.FP32, exact
    return ReadyNetwork(ready, PrecisionChoice(precision))
