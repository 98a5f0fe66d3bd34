"""What came of comparing a device with the processor, and the file that remembers it.

It is for devices of kinds that the program was not tried on. Nothing here needs torch, so that who
only reports it need not load that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from matting.inference.precision_record import LARGEST_DISTANCE, LONGEST_MACHINE, WORTHWHILE
from matting.inference.trial_file import read_trials, write_trials
from matting.options import Precision
from matting.system.cache_folder import cache_folder

FILE = Path(".devices.json")  # where the weights are downloaded to
# In float32, devices differ by how they order sums alone.
LARGEST_EXACT_DISTANCE = 0.05
WORST_DISTANCE = 255.0
MOST_OPERATIONS = 32

Distance = Annotated[float, Meta(ge=0, le=WORST_DISTANCE)]
Seconds = Annotated[float, Meta(gt=0, le=1_000_000)]


class PrecisionOutcome(Struct, frozen=True, kw_only=True):
    """What a device made of the pictures in one precision.

    Attributes:
        distance: by how much what is stored of the mattes differed from the processor's in float32,
            in 1/255, on average over the picture where that is most.
        seconds: for a pass over them.
        trouble: what torch said instead of a result; "" for nothing.
    """

    distance: Distance
    seconds: Seconds | None = None
    trouble: Annotated[str, Meta(max_length=400)] = ""


class DeviceTrial(Struct, frozen=True, kw_only=True):
    """What came of trying a device.

    Attributes:
        machine: the device, its driver, torch and this program, as `device_trial.machine_of`.
        weights: the SHA-256 of the network's.
        outcomes: by precision.
        by_processor: torch's names of the operations that it lacks there.
    """

    machine: Annotated[str, Meta(min_length=1, max_length=LONGEST_MACHINE)]
    weights: Annotated[str, Meta(max_length=64)]
    outcomes: Annotated[dict[Precision, PrecisionOutcome], Meta(max_length=len(Precision))]
    by_processor: Annotated[
        tuple[Annotated[str, Meta(max_length=100)], ...], Meta(max_length=32)
    ] = ()

    def is_right(self, precision: Precision) -> bool:
        """Return whether the device gives what the processor does, in a precision."""
        known = self.outcomes.get(precision)
        exact = precision is Precision.FP32
        limit = LARGEST_EXACT_DISTANCE if exact else LARGEST_DISTANCE
        return known is not None and not known.trouble and known.distance <= limit

    @property
    def is_usable(self) -> bool:
        """Whether the device computes right at all: in float32."""
        return self.is_right(Precision.FP32)

    @property
    def precision(self) -> Precision:
        """The one to compute in: fp16 where that is faster, and right."""
        exact, half = (self.outcomes.get(p) for p in (Precision.FP32, Precision.FP16))
        if exact is None or half is None or exact.seconds is None or half.seconds is None:
            return Precision.FP32
        is_faster = half.seconds <= WORTHWHILE * exact.seconds
        return Precision.FP16 if is_faster and self.is_right(Precision.FP16) else Precision.FP32

    def in_words(self, precision: Precision) -> str:
        """Return how near a precision comes to what the processor makes, as a clause."""
        known = self.outcomes.get(precision)
        if known is None:
            return f"{precision} was not tried"
        if known.trouble:
            return f"in {precision} it fails: {known.trouble}"
        return f"in {precision}, mattes differ by {known.distance:.2g}/255 from the processor's"

    def reason(self, precision: Precision) -> str:
        """Return a precision, how right it is, and what the processor has to do, as a clause."""
        known = self.outcomes.get(precision)
        right = f"; mattes differ by {known.distance:.2g}/255 from the processor's" if known else ""
        operations = self.operations_in_words().rstrip(".")
        return f"{precision}{right}" + (f". {operations}" if operations else "")

    def operations_in_words(self) -> str:
        """Return in a sentence what the processor computes in its place; "" for nothing."""
        if not self.by_processor:
            return ""
        names = ", ".join(self.by_processor)
        return f"The processor computes what torch lacks there, which takes longer: {names}."


def known_device_trial(machine: str, weights: str, file: Path | None = None) -> DeviceTrial | None:
    """Return what came of it with those weights; None: it was not tried yet."""
    trials = read_trials(file or cache_folder() / FILE, DeviceTrial)
    own = (trial for trial in trials if trial.machine == machine)
    return next((trial for trial in own if trial.weights == weights), None)


def remember_device_trial(trial: DeviceTrial, file: Path | None = None) -> None:
    """Remember it for the next start."""
    file = file or cache_folder() / FILE
    known = read_trials(file, DeviceTrial)
    key = trial.machine, trial.weights
    others = [other for other in known if (other.machine, other.weights) != key]
    write_trials(file, [trial, *others])
