"""Whether a device that the program was not tried on is trusted with the network."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from matting.errors import MachineError, MissingError
from matting.inference.device_record import DeviceTrial
from matting.inference.device_trial import trial_of_checkpoint
from matting.options import AUTO_DEVICE, Precision
from matting.progress import Progress
from matting.system import accelerators
from matting.system.device_kinds import REPORT
from matting.system.subprocesses import run_isolated

LIMIT_SECONDS = 300.0  # some compile all that they compute the first time
CPU = torch.device("cpu")

# Of a file of weights and a device, by its name; as `trial_of_checkpoint`.
Try = Callable[[Path, str], DeviceTrial]


def try_isolated(checkpoint: Path, device: str) -> DeviceTrial:
    """Return what comes of trying a device in a process of its own: its driver may crash.

    Raises:
        MachineError: it crashed, or did not finish in time.
    """
    return run_isolated(partial(trial_of_checkpoint, checkpoint, device), LIMIT_SECONDS)


def settle_device(
    device: torch.device,
    asked: str,
    checkpoint: Path,
    progress: Progress,
    *,
    try_it: Try = try_isolated,
) -> torch.device:
    """Return the device, or the processor where nobody asked for it by name and it is not right.

    Args:
        asked: as given on the command line. A device that was asked for by its name is refused by
            `require_right` as it is used, and not replaced.
        try_it: tries the device.
    """
    kind = accelerators.kind_of(device)
    if kind.is_tried or asked != AUTO_DEVICE:
        return device
    try:
        trial = try_it(checkpoint, str(device))
    except MachineError as error:
        why = error.what.rstrip(".")
    else:
        if trial.is_usable:
            return device
        why = trial.in_words(Precision.FP32)
    name = accelerators.facts(device).name
    progress.say(
        f"The {kind.words} {name} is not used, for it does not compute right: {why}. The processor "
        f"does the work, which is slower. {REPORT}"
    )
    return CPU


def require_right(trial: DeviceTrial, device: torch.device, precision: Precision) -> None:
    """Refuse a device that does not make what the processor does.

    Raises:
        MissingError: it does not, in that precision.
    """
    if trial.is_right(precision):
        return
    what = f"The {accelerators.kind_of(device).words} does not compute right"
    other = "" if precision is Precision.FP32 or not trial.is_usable else "--precision fp32, or "
    raise MissingError(
        f"{what}: {trial.in_words(precision)}.",
        f"Use {other}--device cpu. {REPORT}",
        option="--device",
    )
