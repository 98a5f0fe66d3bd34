"""A device that the program was not tried on: the network runs there, once it has proven itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from msgspec.structs import replace
from torch import Tensor

from matting.errors import MachineError, MissingError
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.inference import device_choice, device_record, device_trial
from matting.inference.base import InferenceNetwork, TrainedNetwork
from matting.inference.device_record import (
    DeviceTrial,
    PrecisionOutcome,
    known_device_trial,
    remember_device_trial,
)
from matting.inference.precision_trial import noise
from matting.inference.ready_network import make_ready
from matting.inference.rvm import RvmNetwork
from matting.inference.session import MattingSession
from matting.network_choice import MatteQuality
from matting.options import Precision
from matting.system import accelerators
from model import load_network
from tests.support.dressed_device import DRESSED, DressedDevice, put_on
from tests.support.frames import random_video
from tests.support.recorder import Recorder

CPU = torch.device("cpu")
C420_10 = SampleFormat(10, (0.2126, 0.0722), subsampling=(2, 2))
RIGHT = PrecisionOutcome(distance=0.001, seconds=1.0)
WEIGHTS = "a" * 64


class Prepared(TrainedNetwork):
    """A network that is made ready for each device once."""

    def __init__(self, network: TrainedNetwork) -> None:
        self._network = network
        self._ready: dict[tuple[torch.dtype, torch.device], InferenceNetwork] = {}

    def for_inference(self, dtype: torch.dtype, device: torch.device) -> InferenceNetwork:
        if (dtype, device) not in self._ready:
            self._ready[dtype, device] = self._network.for_inference(dtype, device)
        return self._ready[dtype, device]


@pytest.fixture(scope="module")
def network(random_checkpoint: Path) -> TrainedNetwork:
    return Prepared(RvmNetwork(load_network(random_checkpoint)))


@pytest.fixture(autouse=True)
def _dressed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_on(monkeypatch)
    monkeypatch.setattr(device_record, "FILE", tmp_path / "devices.json")
    monkeypatch.setattr(device_trial, "portrait", lambda: noise(32))
    monkeypatch.setattr(device_trial, "SIDE_PX", 32)
    for name in ("current_stream", "Stream", "Event", "synchronize", "set_device"):
        monkeypatch.setattr(torch.cuda, name, refusal_of(name))


def refusal_of(name: str) -> Callable[..., DeviceTrial]:
    """Return what fails where it is called: a function for each name, as torch wants."""

    def refuse(*_: object, **__: object) -> DeviceTrial:
        raise AssertionError(f"{name} was used on another device")

    return refuse


def trial(exact: PrecisionOutcome = RIGHT, half: PrecisionOutcome | None = None) -> DeviceTrial:
    outcomes = {Precision.FP32: exact, **({Precision.FP16: half} if half else {})}
    return DeviceTrial(machine="here", weights=WEIGHTS, outcomes=outcomes)


def matted(session: MattingSession, frames: Planes) -> list[Tensor]:
    """Return the alphas and the colours of frames, in two chunks; the state is saved between."""
    stored = []
    for chunk in frames.split(2):
        for matte in session.mattes(chunk, 0.5):
            planes = render_planes(matte)
            stored += [planes.alpha, planes.luma_or_rgb]
        assert session.state is not None
        session.load_state(session.state.to_bytes())
    return stored


@pytest.mark.parametrize("sees_more", [False, True])
def test_all_of_a_session_works_there_and_only_the_network_is_on_it(
    sees_more: bool, network: TrainedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of frames of 10 bits, whose samples such a device cannot hold."""
    monkeypatch.setattr("matting.inference.ready_network.trial_of", lambda *_: trial())
    frames = random_video(C420_10, 4, 96, 96)
    quality = MatteQuality.BEST if sees_more else MatteQuality.NORMAL

    def session_on(device: torch.device) -> MattingSession:
        return MattingSession(
            network, device, Precision.AUTO, 2, quality=quality, small_people=sees_more
        )

    expected = matted(session_on(CPU), frames)
    with DressedDevice() as device:
        session = session_on(DRESSED)
        assert session.chunk_frames(C420_10, frames.size, 0.5) == 2
        actual = matted(session, frames)
    assert {"aten::conv2d", "aten::upsample_bilinear2d"} <= device.operations
    for own, other in zip(actual, expected, strict=True):
        assert own.device == CPU
        assert (own.int() - other.int()).abs().max() <= 1


def test_a_device_that_computes_right_is_taken_and_remembered(
    network: TrainedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_trial, "USUAL", (Precision.FP32,))  # no other is quick on a CPU
    with DressedDevice() as device:
        choice = make_ready(network, DRESSED, Precision.AUTO, WEIGHTS).choice
        assert choice.precision is Precision.FP32
        assert not choice.on_cpu
        known = known_device_trial(device_trial.machine_of(DRESSED), WEIGHTS)
        assert known is not None
        assert known.is_usable
        device.operations.clear()
        assert make_ready(network, DRESSED, Precision.FP32, WEIGHTS).choice == (
            Precision.FP32, "", WEIGHTS, False,
        )  # fmt: skip
    assert "aten::conv2d" not in device.operations


@pytest.mark.parametrize(
    "spoil", [lambda right: right + 0.05, lambda right: right * float("nan")], ids=["off", "nan"]
)
def test_a_device_that_computes_something_else_is_refused_and_forgotten(
    spoil: object, network: TrainedNetwork
) -> None:
    assert callable(spoil)
    with DressedDevice(spoil), pytest.raises(MissingError, match="does not compute right") as error:
        make_ready(network, DRESSED, Precision.FP32, WEIGHTS)
    assert error.value.option == "--device"
    assert not device_record.FILE.exists()


def test_an_operation_that_is_not_there_refuses_the_device(network: TrainedNetwork) -> None:
    def lacks(_: Tensor) -> Tensor:
        raise NotImplementedError("The operator 'aten::conv2d' is not implemented\nSet a variable")

    with DressedDevice(lacks):
        found = device_trial.try_device(
            network, DRESSED, "here", WEIGHTS, [Precision.FP32], side_px=32
        )
    assert not found.is_usable
    assert found.in_words(Precision.FP32).endswith("The operator 'aten::conv2d' is not implemented")


def test_what_the_processor_does_in_its_place_is_said_whatever_was_asked_for(
    network: TrainedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = replace(trial(), by_processor=("aten::some",))
    for found, asked, said in (
        (lacking, Precision.FP32, "aten::some"),
        (lacking, Precision.AUTO, "aten::some"),
        (trial(), Precision.AUTO, "0.001/255"),
    ):
        monkeypatch.setattr("matting.inference.ready_network.trial_of", lambda *_, own=found: own)
        with DressedDevice():
            choice = make_ready(network, DRESSED, asked, WEIGHTS).choice
        assert choice.reason.startswith("fp32; ")
        assert said in choice.reason


def test_what_the_processor_does_in_its_place_is_named() -> None:
    warning = (
        "The operator 'aten::upsample_bicubic2d.out' is not currently supported on the MPS backend "
        "and will fall back to run on the CPU. This may have performance implications."
    )
    found = device_trial.operations_of([warning, warning, "something else"])
    assert found == ("aten::upsample_bicubic2d.out",)


@pytest.mark.parametrize(
    ("asked", "exact", "used"),
    [
        ("auto", RIGHT, DRESSED),
        ("auto", PrecisionOutcome(distance=0.06), CPU),
        ("auto", PrecisionOutcome(distance=255.0, trouble="no such kernel"), CPU),
        (str(DRESSED), PrecisionOutcome(distance=0.06), DRESSED),  # refused as it is used
    ],
)
def test_the_processor_steps_in_only_where_nobody_asked_for_the_device(
    asked: str, exact: PrecisionOutcome, used: torch.device, progress: Recorder
) -> None:
    settled = device_choice.settle_device(
        DRESSED, asked, Path("a.pth"), progress, try_it=lambda *_: trial(exact)
    )
    assert settled == used
    assert len(progress.said) == (1 if used == CPU else 0)
    assert all("docs/devices.md" in sentence for sentence in progress.said)


def test_a_driver_that_crashes_is_as_one_that_computes_something_else(progress: Recorder) -> None:
    def crash(*_: object) -> DeviceTrial:
        raise MachineError("the process that tried it crashed (code -11).")

    settled = device_choice.settle_device(DRESSED, "auto", Path("a.pth"), progress, try_it=crash)
    assert settled == CPU
    assert "code -11" in progress.said[0]


def test_devices_that_were_tried_are_not_compared(progress: Recorder) -> None:
    for device in (CPU, torch.device("cuda:0")):
        assert accelerators.kind_of(device).is_tried
        settled = device_choice.settle_device(
            device,
            "auto",
            Path("a.pth"),
            progress,
            try_it=refusal_of("the trial"),
        )
        assert settled == device


@pytest.mark.parametrize(
    ("half", "precision"),
    [
        (PrecisionOutcome(distance=0.1, seconds=0.5), Precision.FP16),
        (PrecisionOutcome(distance=0.1, seconds=0.95), Precision.FP32),  # as two runs differ
        (PrecisionOutcome(distance=0.2, seconds=0.5), Precision.FP32),
        (PrecisionOutcome(distance=255.0, trouble="no Half"), Precision.FP32),
    ],
)
def test_fp16_is_taken_where_it_is_faster_and_right(
    half: PrecisionOutcome, precision: Precision
) -> None:
    found = trial(half=half)
    assert found.is_usable
    assert found.precision is precision


def test_a_file_of_trials_holds_one_for_each_device_and_network_and_may_be_damaged() -> None:
    for distance in (0.01, 0.02):
        remember_device_trial(trial(PrecisionOutcome(distance=distance, seconds=1.0)))
    known = known_device_trial("here", WEIGHTS)
    assert known is not None
    assert known.outcomes[Precision.FP32].distance == 0.02
    assert known_device_trial("here", "b" * 64) is None
    assert known_device_trial("elsewhere", WEIGHTS) is None
    device_record.FILE.write_text('[{"machine": 1}]')
    assert known_device_trial("here", WEIGHTS) is None
