"""Trying a device that the program was not tried on: whether it makes what the processor makes.

The network takes a person and noise on both, in pairs of frames that follow each other, as in a
job; what would be stored of the mattes is compared.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from msgspec.structs import replace
from torch import Tensor

from matting.errors import MachineError, OutOfMemoryError
from matting.imaging.compositor import Matte
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import Planes, concatenate
from matting.inference.base import InferenceNetwork, RecurrentState, TrainedNetwork
from matting.inference.device_record import (
    MOST_OPERATIONS,
    WORST_DISTANCE,
    DeviceTrial,
    PrecisionOutcome,
    known_device_trial,
    remember_device_trial,
)
from matting.inference.precision import DTYPES
from matting.inference.precision_record import LONGEST_MACHINE
from matting.inference.precision_trial import noise, portrait
from matting.inference.weights import load_checkpoint
from matting.options import Precision
from matting.system import accelerators
from matting.system.invocation import VERSION
from matting.system.memory import enough_memory
from matting.system.processor import system_version
from matting.system.torch_build import installed_build

CPU = torch.device("cpu")
RATIO = 0.5  # so that the guided filter has something to do
USUAL = (Precision.FP32, Precision.FP16)  # what is chosen from
CHUNKS = 2  # the second continues from the first one's state
SIDE_PX = 256
# Torch's words for an operation that it lacks on a device.
FELL_BACK = re.compile(r"operator '([\w:.]{1,100})'.{0,80}(?:not currently|fall)", re.DOTALL)

Clock = Callable[[], float]


def machine_of(device: torch.device) -> str:
    """Return what a trial's outcome depends on, in one line; the network's weights aside."""
    build, kind = installed_build(), accelerators.kind_of(device)
    driver = accelerators.driver_of(device) or system_version()
    versions = f"torch {build.version if build else 'unknown'}, program {VERSION}"
    name = accelerators.facts(device).name
    return f"{kind.words}, {name}, {driver}, {versions}"[:LONGEST_MACHINE]


def trial_of(
    network: TrainedNetwork,
    device: torch.device,
    weights: str,
    precision: Precision = Precision.AUTO,
    file: Path | None = None,
) -> DeviceTrial:
    """Return what comes, or came, of trying a device; remember it.

    Args:
        weights: the SHA-256 of the network's; "": unknown, and nothing is remembered.
        precision: which has to be tried; AUTO: those that it is chosen from.
        file: that remembers trials; None: the program's.
    Raises:
        MachineError: the device has too little memory, or broke off.
    """
    machine = machine_of(device)
    known = known_device_trial(machine, weights, file) if weights else None
    precisions = USUAL if precision is Precision.AUTO else tuple({Precision.FP32, precision})
    missing = [each for each in precisions if known is None or each not in known.outcomes]
    if known is not None and not missing:
        return known
    trial = try_device(network, device, machine, weights, missing)
    if known is not None:
        trial = replace(trial, outcomes={**known.outcomes, **trial.outcomes})
    if weights and trial.is_usable:  # what failed may go away with a restart
        remember_device_trial(trial, file)
    return trial


def trial_of_checkpoint(checkpoint: Path, device: str) -> DeviceTrial:
    """Do the same with the weights in a file: to be run in a process of its own.

    Raises:
        InputError: the weights cannot be loaded.
        MachineError: as `trial_of`.
    """
    loaded = load_checkpoint(checkpoint)
    return trial_of(loaded.network, torch.device(device), loaded.sha256)


@torch.inference_mode()
def try_device(
    network: TrainedNetwork,
    device: torch.device,
    machine: str,
    weights: str,
    precisions: Sequence[Precision] = USUAL,
    *,
    side_px: int | None = None,
    clock: Clock = time.perf_counter,
) -> DeviceTrial:
    """Return how a network's mattes from a device differ from the processor's, in each precision.

    Args:
        machine, weights: what the trial is of, as `DeviceTrial` has them.
        precisions: those to try.
        side_px: of the noise; None: SIDE_PX.
    Raises:
        MachineError: the device has too little memory, or broke off.
    """
    pictures = [_enlarged(portrait()), noise(side_px or SIDE_PX)]
    expected = _mattes(network.for_inference(torch.float32, CPU), pictures)
    outcomes = {}
    with warnings.catch_warnings(record=True) as caught, accelerators.alone_on(device):
        warnings.simplefilter("always")
        for precision in precisions:
            try:
                with enough_memory():
                    ready = network.for_inference(DTYPES[precision], device)
                    _mattes(ready, pictures)  # the first pass also prepares what computes it
                    started = clock()
                    actual = _mattes(ready, pictures)
                    seconds = max(clock() - started, 1e-6)
            except OutOfMemoryError:
                raise
            except (MachineError, RuntimeError, TypeError) as error:
                outcomes[precision] = _failed(error)
                continue
            pairs = zip(actual, expected, strict=True)
            distance = max(_distance(own, other) for own, other in pairs)
            outcomes[precision] = PrecisionOutcome(distance=distance, seconds=seconds)
    return DeviceTrial(
        machine=machine,
        weights=weights,
        outcomes=outcomes,
        by_processor=operations_of([str(warning.message) for warning in caught]),
    )


def _enlarged(picture: Planes) -> Planes:
    """Return a picture twice as wide and high: of a smaller copy, alpha is less sure in fp16."""
    samples = picture.luma_or_rgb.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return Planes(picture.sample_format, samples)


def _mattes(network: InferenceNetwork, pictures: Sequence[Planes]) -> list[MattePlanes]:
    """Return what would be stored of pictures, of each a few frames, at full size on the CPU."""
    mattes = []
    for picture in pictures:
        state: RecurrentState | None = None
        frames = concatenate([picture, picture])
        for _ in range(CHUNKS):
            features = network.extract_features(frames, RATIO)
            output, state = network.run_recurrent(features, state)
            matte = network.fit_guided_filter(output)
            _require_numbers(matte)
            mattes.append(render_planes(matte))
    return mattes


def _require_numbers(matte: Matte) -> None:
    """Refuse what is no number, which would pass for transparent.

    Raises:
        RuntimeError: something is not.
    """
    maps = [matte.offset] if matte.slope is None else [matte.slope, matte.offset]
    if not all(bool(torch.isfinite(each).all()) for each in maps):
        raise RuntimeError("what it returns are no numbers")


def _distance(actual: MattePlanes, expected: MattePlanes) -> float:
    """Return the mean distance of the frame where that is largest, of alpha or colour, in 1/255."""
    alpha = _mean(actual.alpha, expected.alpha) * 255 / MAX_ALPHA
    colour = _mean(actual.luma_or_rgb, expected.luma_or_rgb)
    distance = float(torch.maximum(alpha, colour).max())
    return distance if distance <= WORST_DISTANCE else WORST_DISTANCE


def _mean(actual: Tensor, expected: Tensor) -> Tensor:
    return (actual.to(torch.float32) - expected.to(torch.float32)).abs().mean((1, 2, 3))


def _failed(error: Exception) -> PrecisionOutcome:
    text = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    return PrecisionOutcome(distance=WORST_DISTANCE, trouble=text[:400])


def operations_of(messages: Sequence[str]) -> tuple[str, ...]:
    """Return the operations that warnings name as computed by the processor."""
    found = (match[1] for text in messages if (match := FELL_BACK.search(text)))
    return tuple(sorted(set(found)))[:MOST_OPERATIONS]
