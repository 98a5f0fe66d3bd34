"""On a CPU, AUTO is what a trial shows to be faster, as long as alpha stays the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import torch
from torch import Tensor

from matting.imaging.planes import Planes
from matting.inference.base import FrameFeatures, InferenceNetwork, RecurrentOutput, TrainedNetwork
from matting.inference.precision_record import (
    PrecisionTrial,
    known_trial,
    remember_trial,
    this_machine,
)
from matting.inference.precision_trial import try_half_precision
from matting.inference.ready_network import make_ready
from matting.inference.trial_file import MOST_BYTES, MOST_TRIALS
from matting.inference.weights import load_checkpoint
from matting.options import Precision
from tests.support.brightness_network import BrightnessInference

CPU = torch.device("cpu")
WEIGHTS, OTHERS = "a" * 64, "b" * 64


@dataclass
class Clock:
    """A clock that moves only when a network works."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


class TimedNetwork(BrightnessInference):
    """A network that takes its time for each pixel, and may be off, or not be able to."""

    def __init__(
        self,
        clock: Clock,
        speed: float = 1.0,
        off: float = 0.0,
        *,
        fails: bool = False,
        disturbed: int = 0,
    ) -> None:
        super().__init__()
        self._clock, self._seconds, self._off, self._fails = clock, speed * 1e-6, off, fails
        self._disturbed = disturbed  # how many frames will take four times as long

    def extract_features(
        self, source: Planes, ratio: float, *, mirrored: bool = False
    ) -> FrameFeatures:
        if self._fails:
            raise RuntimeError("mkldnn bf16 path needs another processor")
        times, self._disturbed = 4 if self._disturbed else 1, max(0, self._disturbed - 1)
        self._clock.seconds += times * self._seconds * source.width * source.height
        return super().extract_features(source, ratio, mirrored=mirrored)

    def coarse_alpha(self, output: RecurrentOutput) -> Tensor:
        alpha = super().coarse_alpha(output)
        return alpha + self._off / 255 * torch.where(alpha > 0.5, -1, 1)


def trial(
    times_as_long: float, off: float = 0.0, *, speed: float = 0.1, fails: bool = False
) -> PrecisionTrial:
    """Return what comes of a trial of a network in bf16.

    Args:
        times_as_long, off: how long that takes, and by how much it is off, in 1/255.
        speed: of float32, in microseconds a pixel.
    """
    clock = Clock()
    exact = TimedNetwork(clock, speed)
    half = TimedNetwork(clock, speed * times_as_long, off, fails=fails)
    return try_half_precision(exact, half, "here", WEIGHTS, clock=clock)


@pytest.mark.parametrize(
    ("times_as_long", "off", "precision"),
    [
        (0.5, 0.0, Precision.BF16),
        (0.5, 0.14, Precision.BF16),
        (0.5, 0.16, Precision.FP32),  # faster, and another alpha
        (0.5, float("nan"), Precision.FP32),
        (0.95, 0.0, Precision.FP32),  # as two runs of the same differ
        (1.5, 0.0, Precision.FP32),
        (10.0, 0.0, Precision.FP32),
    ],
)
def test_bf16_is_taken_where_it_is_faster_and_alpha_stays(
    times_as_long: float, off: float, precision: Precision
) -> None:
    found = trial(times_as_long, off)
    assert found.precision is precision
    assert found.is_conclusive
    assert found.times_as_long == pytest.approx(times_as_long)
    assert found.in_words().startswith(f"{precision}, ")


def test_what_is_far_slower_is_so_with_all_weights_and_all_else_with_these() -> None:
    assert trial(10.0).weights == ""
    assert {trial(*each).weights for each in ((0.5,), (0.5, 1.0), (1.5,))} == {WEIGHTS}


@pytest.mark.parametrize("disturbed", [1, 4, 6, 9, 15])
def test_a_busy_computer_does_not_make_bf16_seem_slow(disturbed: int) -> None:
    clock = Clock()
    exact, half = TimedNetwork(clock, 0.1), TimedNetwork(clock, 0.05, disturbed=disturbed)
    found = try_half_precision(exact, half, "here", WEIGHTS, clock=clock)
    assert found.precision is Precision.BF16


def test_a_trial_with_these_weights_counts_more_than_one_with_all(tmp_path: Path) -> None:
    file = tmp_path / "trials.json"
    remember_trial(trial(0.5), file)
    remember_trial(trial(5.0), file)
    assert known_trial("here", WEIGHTS, file) == trial(0.5)
    assert known_trial("here", OTHERS, file) == trial(5.0)


def test_a_trial_takes_no_longer_than_it_may() -> None:
    """Where bf16 takes many times as long, nothing large is computed in it."""
    clock = Clock()
    exact, half = TimedNetwork(clock, 1.0), TimedNetwork(clock, 20.0)
    try_half_precision(exact, half, "here", WEIGHTS, clock=clock)
    assert max(half.small_sizes) == (32, 32)
    assert clock.seconds < 0.1

    unsure = trial(0.5, speed=4.0)  # which would take a second
    assert (unsure.precision, unsure.is_conclusive) == (Precision.FP32, False)


def test_a_torch_without_bf16_computes_in_float32() -> None:
    found = trial(0.5, fails=True)
    assert (found.precision, found.is_conclusive) == (Precision.FP32, True)
    assert "cannot compute in bf16" in found.in_words()


class TwoSpeeds(TrainedNetwork):
    """A network that says in which type it was last made ready."""

    def for_inference(self, dtype: torch.dtype, device: torch.device) -> InferenceNetwork:
        self.dtype = dtype
        network = BrightnessInference()
        self.made = {**getattr(self, "made", {}), dtype: network}
        return network


@dataclass
class Trials:
    """Counts trials, all of which find the same."""

    times_as_long: float
    distance: float | None = 0.0
    tried: int = 0

    def __call__(
        self, exact: InferenceNetwork, half: InferenceNetwork, machine: str, weights: str
    ) -> PrecisionTrial:
        self.tried += 1
        return PrecisionTrial(
            machine=machine,
            times_as_long=self.times_as_long,
            weights=weights if self.times_as_long < 1 else "",
            distance=self.distance,
        )


@pytest.mark.parametrize(
    ("times_as_long", "precision", "tries_of_others"),
    [(0.5, Precision.BF16, 2), (5.0, Precision.FP32, 1)],
)
def test_a_trial_is_made_once_on_a_computer(
    times_as_long: float, precision: Precision, tries_of_others: int, tmp_path: Path
) -> None:
    file, trials, network = tmp_path / "trials.json", Trials(times_as_long), TwoSpeeds()
    dtype = torch.bfloat16 if precision is Precision.BF16 else torch.float32
    for weights in (WEIGHTS, WEIGHTS):
        ready = make_ready(network, CPU, Precision.AUTO, weights, file=file, try_half=trials)
        assert ready.choice.precision is precision
        assert ready.choice.reason.startswith(str(precision))
        assert ready.network is network.made[dtype]
    assert trials.tried == 1
    make_ready(network, CPU, Precision.AUTO, OTHERS, file=file, try_half=trials)
    assert trials.tried == tries_of_others


def test_what_was_asked_for_is_not_tried() -> None:
    trials = Trials(0.5)
    ready = make_ready(TwoSpeeds(), CPU, Precision.FP32, WEIGHTS, try_half=trials)
    assert (ready.choice.precision, ready.choice.reason) == (Precision.FP32, "")
    assert trials.tried == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[",
        b"{}",
        b"[1]",
        b'[{"machine": "here", "times_as_long": -1}]',
        b'[{"machine": "here", "times_as_long": NaN}]',
        b"[" * 50_000,
        b" " * (MOST_BYTES + 1) + b"[]",
        b"\xff\xfe",
    ],
)
def test_a_damaged_record_is_as_good_as_none(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "trials.json"
    file.write_bytes(content)
    assert known_trial("here", WEIGHTS, file) is None
    remember_trial(trial(0.5), file)
    assert known_trial("here", WEIGHTS, file) == trial(0.5)


def test_what_cannot_be_remembered_is_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "trials.json"
    folder.mkdir()  # nothing is written there
    trials, network = Trials(0.5), TwoSpeeds()
    for _ in range(2):
        make_ready(network, CPU, Precision.AUTO, WEIGHTS, file=folder, try_half=trials)
    unsure = Trials(0.5, None)
    for _ in range(2):
        make_ready(network, CPU, Precision.AUTO, WEIGHTS, file=tmp_path / "b", try_half=unsure)
    assert (trials.tried, unsure.tried) == (2, 2)


def test_other_computers_and_versions_have_trials_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "trials.json"
    remember_trial(trial(5.0), file)
    faster = msgspec.structs.replace(trial(0.5), machine="there")
    remember_trial(faster, file)
    assert known_trial("here", OTHERS, file) == trial(5.0)
    assert known_trial("there", WEIGHTS, file) == faster
    assert known_trial("there", OTHERS, file) is None
    for number in range(MOST_TRIALS + 5):
        remember_trial(msgspec.structs.replace(faster, machine=str(number)), file)
    assert len(msgspec.json.decode(file.read_bytes())) == MOST_TRIALS
    assert known_trial(str(MOST_TRIALS + 4), WEIGHTS, file) is not None


def test_this_processor_is_tried(random_checkpoint: Path, tmp_path: Path) -> None:
    """Without units for bf16, float32 is faster; whatever is, is remembered."""
    file = tmp_path / "trials.json"
    network = load_checkpoint(random_checkpoint).network
    choice = make_ready(network, CPU, Precision.AUTO, WEIGHTS, file=file).choice
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else "bf16"
    if "bf16" not in flags and "avx512" not in flags:
        assert choice.precision is Precision.FP32
        assert known_trial(this_machine(), OTHERS, file) is not None
    assert choice.precision in {Precision.FP32, Precision.BF16}
