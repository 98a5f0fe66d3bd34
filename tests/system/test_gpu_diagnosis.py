"""A GPU that torch cannot use: why, and the loud warning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from matting.cli.main import main
from matting.system import fixes
from matting.system.gpu_diagnosis import Component, warn_of_unused_gpu, why_unused
from matting.system.nvidia_smi import Driver, Gpu
from matting.system.torch_build import TorchBuild, TorchState
from tests.support.clips import make_clip
from tests.support.markers import without_gpu
from tests.support.recorder import Recorder
from tests.support.stand_in_programs import RTX_3060, listing, posix_only, stand_in_nvidia_smi

A = TypeVar("A")

GIB = 1 << 30
RTX = Gpu("NVIDIA GeForce RTX 3060", 12 * GIB, (8, 6))
GTX = Gpu("NVIDIA GeForce GTX 1080", 8 * GIB, (6, 1))
NEW = Driver((RTX,), "581.29", "13.0")
CPU_BUILD, CUDA_BUILD = TorchBuild("2.11.0+cpu"), TorchBuild("2.11.0+cu130", "13.0")
CPU_ONLY = TorchState(CPU_BUILD)
NO_CUDA = TorchState(CUDA_BUILD)
WORKING = TorchState(CUDA_BUILD, True, gpu=RTX, oldest_capability=(7, 5))


@pytest.mark.parametrize(
    ("state", "driver", "component", "words"),
    [
        (CPU_ONLY, NEW, Component.TORCH, "built without CUDA"),
        (NO_CUDA, replace(NEW, cuda="12.4"), Component.DRIVER, "knows CUDA up to 12.4"),
        (
            replace(NO_CUDA, message="The NVIDIA driver on your system is too old (found 9)."),
            replace(NEW, cuda=""),
            Component.DRIVER,
            "too old: torch is built for CUDA 13.0",
        ),
        (NO_CUDA, Driver(trouble="it failed"), Component.DRIVER, "does not work (it failed)"),
        (
            TorchState(CUDA_BUILD, True, gpu=GTX, oldest_capability=(7, 5)),
            NEW,
            Component.GPU,
            "compute capability 6.1; this torch takes 7.5 and newer",
        ),
        (
            replace(
                NO_CUDA, message="CUDA initialization: CUDA unknown error - x. More. (Triggered"
            ),
            NEW,
            Component.GPU,
            "torch says: CUDA unknown error - x",
        ),
        (NO_CUDA, NEW, Component.GPU, "torch does not say why"),
    ],
)
def test_why_torch_cannot_use_it(
    state: TorchState, driver: Driver, component: Component, words: str
) -> None:
    reason = why_unused(state, driver, {})
    assert reason.component == component
    assert words in reason.text
    assert not reason.text.endswith(".")


def test_a_variable_may_hide_it() -> None:
    reason = why_unused(NO_CUDA, NEW, {"CUDA_VISIBLE_DEVICES": ""}, "win32")
    assert "CUDA_VISIBLE_DEVICES" in reason.text
    assert reason.fix == "set CUDA_VISIBLE_DEVICES="


@pytest.mark.parametrize(
    ("platform", "fix"), [("win32", "double-click setup.bat"), ("linux", "sh setup.sh")]
)
def test_a_torch_without_cuda_is_fixed_by_setup(platform: str, fix: str) -> None:
    assert why_unused(CPU_ONLY, NEW, {}, platform).fix == fix


def test_a_driver_of_the_same_major_version_is_not_too_old() -> None:
    """NVIDIA's drivers run what is built for a newer minor version."""
    newer = replace(NO_CUDA, build=TorchBuild("2.15", "13.2"))
    assert why_unused(newer, NEW, {}).component == Component.GPU


def warn(
    progress: Recorder,
    build: TorchBuild | None,
    state: TorchState | None,
    driver: Driver | None,
    device: str = "auto",
) -> str:
    """Return what is said; whatever is None must not be asked for."""

    def answer(value: A | None) -> A:
        assert value is not None, "asked for nothing"
        return value

    warn_of_unused_gpu(
        device,
        progress,
        find_build=lambda: build,
        query_state=lambda: answer(state),
        query_driver=lambda: answer(driver),
    )
    return "\n".join(progress.said)


def test_a_cpu_build_beside_a_gpu_is_reported_without_loading_torch(progress: Recorder) -> None:
    text = warn(progress, CPU_BUILD, None, NEW)
    assert "THE GRAPHICS CARD IS NOT USED" in text
    assert "an NVIDIA GeForce RTX 3060" in text
    assert "2.11.0+cpu" in text
    assert fixes.setup() in text
    assert "many times slower" in text
    assert "goes on by itself" in text
    assert {len(line) for line in text.splitlines()} == {78}


def test_a_driver_that_is_too_old_is_reported(progress: Recorder) -> None:
    text = warn(progress, CUDA_BUILD, NO_CUDA, replace(NEW, cuda="12.4"))
    assert "CUDA up to 12.4" in text
    assert "newest driver" in text


def test_a_gpu_that_seems_to_be_there_is_reported(progress: Recorder) -> None:
    text = warn(progress, CUDA_BUILD, NO_CUDA, Driver(trouble="it failed"))
    assert "a graphics card of NVIDIA's, it seems" in text


def test_a_command_stays_in_one_line(progress: Recorder) -> None:
    old = TorchState(CUDA_BUILD, True, gpu=GTX, oldest_capability=(7, 5))
    text = warn(progress, CUDA_BUILD, old, NEW)
    assert fixes.torch_for_old_gpus() in text


@pytest.mark.parametrize(
    ("build", "state", "driver", "device"),
    [
        (CPU_BUILD, None, None, "cpu"),
        (CUDA_BUILD, None, None, "cuda"),
        (CUDA_BUILD, WORKING, None, "auto"),
        (CPU_BUILD, None, Driver(), "auto"),
        (CUDA_BUILD, NO_CUDA, Driver(), "auto"),
        (None, None, None, "auto"),
    ],
)
def test_otherwise_nothing_is_said_or_asked(
    build: TorchBuild | None,
    state: TorchState | None,
    driver: Driver | None,
    device: str,
    progress: Recorder,
) -> None:
    assert warn(progress, build, state, driver, device) == ""


@posix_only
@without_gpu
@pytest.mark.parametrize("command", ["infer", "run"])
def test_the_command_warns_before_anything_else(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stand_in_nvidia_smi(tmp_path / "bin", listing(RTX_3060), monkeypatch)
    gone = str(tmp_path / "gone")
    assert main([command, gone]) == 2
    first = capsys.readouterr().out.splitlines()
    assert first[0] == "*" * 78
    assert "NOT USED" in first[2]
    assert main([command, gone, "--device", "cpu"]) == 2
    assert "NOT USED" not in capsys.readouterr().out


@posix_only
@without_gpu
def test_the_work_goes_on_after_the_warning(
    tmp_path: Path,
    random_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stand_in_nvidia_smi(tmp_path / "bin", listing(RTX_3060), monkeypatch)
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 2)
    assert main(["infer", str(clips), "--checkpoint", str(random_checkpoint)]) == 0
    out = capsys.readouterr().out
    assert out.index("NOT USED") < out.index("Matting on the CPU")
