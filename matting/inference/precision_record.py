"""What came of trying half precision on this processor, and the file that remembers it.

Nothing here needs torch, so that who only reports it need not load that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from matting.inference.trial_file import read_trials, write_trials
from matting.options import Precision
from matting.system.cache_folder import cache_folder
from matting.system.invocation import VERSION
from matting.system.processor import processor_kind
from matting.system.torch_build import installed_build

FILE = ".precision.json"
LONGEST_MACHINE = 400
# In bf16, alpha was off by 0.02 to 0.04/255 on average over 3,000 frames of people, and by
# 0.12/255 at 1920x1080 (`benchmarks/network.py`, with and without --drift).
LARGEST_DISTANCE = 0.15
WORTHWHILE = 0.9  # of float32's time: nearer, the clock decides, and not the processor


class PrecisionChoice(NamedTuple):
    """What a network computes in.

    Attributes:
        reason: the precision and why it was chosen, as a clause; "" where no trial has decided.
        weights: the SHA-256 of the network's that the trial was of; "": unknown.
        on_cpu: whether it is for the processor, where a job goes on with it.
    """

    precision: Precision
    reason: str = ""
    weights: str = ""
    on_cpu: bool = True


class PrecisionTrial(Struct, frozen=True, kw_only=True):
    """What came of trying bf16 against float32.

    Attributes:
        machine: the processor, torch and this program, as `this_machine` returns them.
        times_as_long: what bf16 took, in times of float32; None: this torch has no bf16 here.
        weights: the SHA-256 of the network's; "" where it was many times slower, as it is with all.
        distance: by how much alpha differed, in 1/255, on average over the picture where that is
            most; None: it was not looked at.
    """

    machine: Annotated[str, Meta(min_length=1, max_length=LONGEST_MACHINE)]
    times_as_long: Annotated[float, Meta(gt=0, le=1_000_000)] | None
    weights: Annotated[str, Meta(max_length=64)] = ""
    distance: Annotated[float, Meta(ge=0, le=255)] | None = None

    @property
    def is_faster(self) -> bool:
        """Whether bf16 is, by more than two runs of the same differ."""
        return self.times_as_long is not None and self.times_as_long <= WORTHWHILE

    @property
    def precision(self) -> Precision:
        """The one to compute in."""
        agrees = self.distance is not None and self.distance <= LARGEST_DISTANCE
        return Precision.BF16 if self.is_faster and agrees else Precision.FP32

    @property
    def is_conclusive(self) -> bool:
        """Whether another trial would find the same, as far as that can be known."""
        return not self.is_faster or self.distance is not None

    def in_words(self) -> str:
        """Return what is computed in, and why, as a clause."""
        if self.times_as_long is None:
            return "fp32, for torch cannot compute in bf16 here"
        took = f"took {self.times_as_long:.2g} times as long as fp32"
        if not self.is_faster:
            return f"fp32, for bf16 {took} when both were tried"
        if self.distance is None:
            return f"fp32, for bf16 {took}, but there was no time to compare their alpha"
        apart = f"alpha differed by {self.distance:.2g}/255"
        if self.precision is Precision.FP32:
            return f"fp32, for bf16 {took}, but {apart} when both were tried"
        return f"bf16, which {took} when both were tried, while {apart}"


def record_file() -> Path:
    """Return the file that remembers trials: beside the weights that are downloaded."""
    return cache_folder() / FILE


def this_machine() -> str:
    """Return what a trial's outcome depends on, in one line; the network's weights aside."""
    build = installed_build()
    versions = f"torch {build.version if build else 'unknown'}, program {VERSION}"
    return f"{processor_kind()}, {versions}"[:LONGEST_MACHINE]


def known_trial(machine: str, weights: str, file: Path | None = None) -> PrecisionTrial | None:
    """Return what came of it on that machine with those weights; None: it was not tried yet.

    Args:
        weights: their SHA-256; "": unknown.
        file: None: `record_file`.
    """
    trials = read_trials(file or record_file(), PrecisionTrial)
    own = {trial.weights: trial for trial in reversed(trials) if trial.machine == machine}
    return own.get(weights) or own.get("")


def remember_trial(trial: PrecisionTrial, file: Path | None = None) -> None:
    """Remember it for the next start; where that is not possible, it is tried again then.

    Args:
        file: None: `record_file`.
    """
    file = file or record_file()
    known = read_trials(file, PrecisionTrial)
    key = trial.machine, trial.weights
    others = [other for other in known if (other.machine, other.weights) != key]
    write_trials(file, [trial, *others])
