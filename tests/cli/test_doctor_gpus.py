"""What the doctor says of GPUs that are not NVIDIA's; the computers are made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from matting.cli.doctor_probes import CodecTrials, TorchProbe
from matting.inference.device_record import DeviceTrial, PrecisionOutcome
from matting.options import Precision
from matting.system.device_kinds import DeviceKind
from matting.system.nvidia_smi import Driver, Gpu
from matting.system.other_adapters import unused_adapters
from matting.system.torch_build import TorchBuild, TorchState
from tests.support.made_up_computer import CPU_ONLY, Computer, ask
from tests.support.recorder import Recorder

STATES = {
    DeviceKind.APPLE: TorchState(
        TorchBuild("2.14.1"), True, kind=DeviceKind.APPLE, gpu=Gpu("Apple M2", 12 << 30)
    ),
    DeviceKind.INTEL: TorchState(
        TorchBuild("2.14.1+xpu", xpu="20260"),
        True,
        kind=DeviceKind.INTEL,
        gpu=Gpu("Intel Arc B580", 12 << 30),
        driver="1.6.33",
    ),
    DeviceKind.AMD: TorchState(
        TorchBuild("2.14.1+rocm7.2", hip="7.2"),
        True,
        kind=DeviceKind.AMD,
        gpu=Gpu("Radeon RX 7900", 12 << 30),
        driver="HIP 7.2",
    ),
}


@dataclass
class WithoutNvidia(Computer):
    """A computer on which NVIDIA's video hardware must not be tried."""

    gpu_driver: Driver = field(default_factory=Driver)

    def decoders(self) -> CodecTrials:
        raise AssertionError("NVDEC was tried")

    def encoders(self) -> CodecTrials:
        raise AssertionError("NVENC was tried")


def trial(distance: float) -> DeviceTrial:
    exact = PrecisionOutcome(distance=distance, seconds=1.0)
    half = PrecisionOutcome(distance=0.02, seconds=0.4)
    return DeviceTrial(
        machine="here",
        weights="a" * 64,
        outcomes={Precision.FP32: exact, Precision.FP16: half},
        by_processor=("aten::some",),
    )


@pytest.mark.parametrize("kind", STATES, ids=lambda kind: kind.name)
def test_another_gpu_is_named_with_its_memory_and_as_untried(
    kind: DeviceKind, tmp_path: Path, progress: Recorder
) -> None:
    computer = WithoutNvidia(torch_probe=TorchProbe(STATES[kind]), device_tried=trial(0.001))
    report = ask(computer, tmp_path, progress)
    state, text = report.rows["Graphics card"]
    gpu = STATES[kind].gpu
    assert gpu is not None
    assert state == "note"
    assert text.startswith(f"{gpu.name}, 12 GB: {kind.words}, untried")
    state, text = report.rows["Self-test"]
    assert state == "ok"
    assert "computes in fp16" in text
    assert "aten::some" in text
    assert report.rows["Driver"][0] == "ok"
    assert {report.rows[name][0] for name in ("NVDEC", "NVENC")} == {"note"}
    assert "without CUDA" not in report.rows["torch"][1]
    assert "The network computes in" not in report.rows["Processor"][1]
    assert report.end == ""  # nothing has to be fixed


@pytest.mark.parametrize(
    ("tried", "words"),
    [(trial(3.0), "failed, so it is not used"), ("it crashed", "it crashed")],
    ids=["wrong", "crash"],
)
def test_a_gpu_that_fails_its_test_is_a_note_for_the_processor_does_the_work(
    tried: DeviceTrial | str, words: str, tmp_path: Path, progress: Recorder
) -> None:
    probe = TorchProbe(STATES[DeviceKind.APPLE])
    report = ask(WithoutNvidia(torch_probe=probe, device_tried=tried), tmp_path, progress)
    state, text = report.rows["Self-test"]
    assert state == "note"
    assert words in text
    assert report.end == ""


def test_a_gpu_on_which_torch_cannot_even_multiply_is_a_problem(
    tmp_path: Path, progress: Recorder
) -> None:
    broken = TorchState(
        TorchBuild("2.14.1+rocm7.2", hip="7.2"),
        message="HIP error: no kernel image is available",
        kind=DeviceKind.AMD,
        gpu=Gpu("Radeon 610M", 1 << 30),
    )
    report = ask(WithoutNvidia(torch_probe=TorchProbe(broken)), tmp_path, progress)
    state, text = report.rows["Graphics card"]
    assert state == "problem"
    assert "no kernel image" in text
    assert "Self-test" not in report.rows


def test_a_card_of_another_maker_is_named_with_what_it_needs(
    tmp_path: Path, progress: Recorder
) -> None:
    folder = tmp_path / "card0" / "device"
    folder.mkdir(parents=True)
    (folder / "vendor").write_text("0x8086\n")
    adapters = unused_adapters(tmp_path)
    assert unused_adapters(tmp_path / "card0") == ""
    computer = WithoutNvidia(torch_probe=TorchProbe(CPU_ONLY), adapters=adapters)
    state, text = ask(computer, tmp_path, progress).rows["Graphics card"]
    assert state == "note"
    assert "RVM_GPU=xpu" in text
    assert "untried" in text
