"""The doctor's table with and without each part, on computers that are made up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from matting.cli.doctor import doctor
from matting.cli.doctor_probes import TorchProbe, WeightsProbe
from matting.cli.main import main
from matting.errors import InputError
from matting.inference import weights
from matting.inference.published import PUBLISHED
from matting.network_choice import Model
from matting.options import VideoCodec
from matting.system import fixes
from matting.system.nvidia_smi import Driver, Gpu
from matting.system.packages import Package
from matting.system.torch_build import TorchState
from tests.support.made_up_computer import (
    BUILD,
    CPU_ONLY,
    MINE,
    RTX,
    WORKING_CODECS,
    Computer,
    ask,
)
from tests.support.recorder import Recorder
from tests.support.repository import ROOT


def test_a_computer_that_has_everything(tmp_path: Path, progress: Recorder) -> None:
    report = ask(Computer(), tmp_path, progress)
    assert list(report.rows) == [
        "Python", "torch", "Graphics card", "Driver", "NVDEC", "NVENC", "Processor", "Packages",
        "Shared work", "ffmpeg", "Checkpoint", "Free disk",
    ]  # fmt: skip
    assert {state for state, _ in report.rows.values()} == {"ok"}
    assert report.rows["Python"][1] == "3.12.3, 64 bits"
    assert report.rows["torch"][1] == "2.11.0+cu130, built for CUDA 13.0"
    assert report.rows["Graphics card"][1] == "NVIDIA GeForce RTX 3060, 12 GB"
    assert report.rows["Driver"][1] == "581.29, for CUDA up to 13.0"
    assert report.rows["NVDEC"][1] == "hevc, h264, av1"
    assert report.rows["Processor"][1] == "x86_64, 8 cores, matrix units: no"
    assert report.rows["Packages"][1] == "numpy 2.4.1, av 18.1.0"
    assert report.rows["ffmpeg"][1] == "7.1, ffmpeg-linux"
    assert report.rows["Checkpoint"][1] == "a.pth, SHA-256 3c7c1d92033f..., the published one"
    assert report.rows["Free disk"][1].startswith("100 GB in ")
    assert report.fixes.strip() == "Ready."
    assert report.end == ""


@pytest.mark.parametrize("version", ["", "2025.1.0"])
def test_packages_that_few_need_are_no_problem(
    version: str, tmp_path: Path, progress: Recorder
) -> None:
    needed = [Package("distributed", ">=2026.1", version)]
    report = ask(Computer(sharing=needed), tmp_path, progress)
    state, text = report.rows["Shared work"]
    assert state == "note"
    assert "requirements_cluster.txt" in text
    assert "distributed" in text
    assert version in text
    assert report.end == ""


NO_GPU = Computer(gpu_driver=Driver(), torch_probe=TorchProbe(CPU_ONLY))
OLD = TorchState(
    BUILD, True, gpu=Gpu("NVIDIA GeForce GTX 1080", 8 << 30, (6, 1)), oldest_capability=(7, 5)
)


@pytest.mark.parametrize(
    ("computer", "row", "words"),
    [
        (NO_GPU, "Graphics card", "none by NVIDIA was found"),
        (NO_GPU, "Driver", "needs an NVIDIA graphics card"),
        (NO_GPU, "NVDEC", "needs an NVIDIA graphics card"),
        (NO_GPU, "NVENC", "needs an NVIDIA graphics card"),
        (Computer(gpu_driver=Driver()), "Driver", "nvidia-smi is not there"),
        (Computer(version=(3, 14, 0)), "Python", "newer than what was tried"),
        (Computer(file=None), "Checkpoint", "the first run downloads it"),
        (Computer(file=WeightsProbe(Path("b"), MINE)), "Checkpoint", "not the published one"),
        (Computer(free=None), "Free disk", "does not say"),
        (Computer(encoding="it crashed."), "NVENC", "it crashed. Software does the encoding"),
        (
            Computer(decoding=dict.fromkeys(WORKING_CODECS, "no")),
            "NVDEC",
            "not hevc, not h264, not av1: no",
        ),
    ],
)
def test_what_is_worth_a_note_is_no_failure(
    computer: Computer, row: str, words: str, tmp_path: Path, progress: Recorder
) -> None:
    report = ask(computer, tmp_path, progress)
    state, text = report.rows[row]
    assert (state, words in text) == ("note", True), text
    assert report.fixes.strip() == "Ready."


@pytest.mark.parametrize(
    ("tried", "words"),
    [
        ("", ". The network computes in fp32 or bf16: which is better is tried"),
        ("bf16, which is fast", ". The network computes in bf16, which is fast"),
        (None, "matrix units: yes"),
    ],
)
def test_the_precision_on_the_processor_is_reported_where_that_computes(
    tried: str | None, words: str, tmp_path: Path, progress: Recorder
) -> None:
    alone = Computer(gpu_driver=Driver(), torch_probe=TorchProbe(CPU_ONLY), tried=tried)
    _, text = ask(alone, tmp_path, progress).rows["Processor"]
    assert words in text
    assert tried is not None or text.endswith(words)


def test_a_codec_that_a_gpu_lacks_is_no_matter(tmp_path: Path, progress: Recorder) -> None:
    report = ask(
        Computer(encoding={**WORKING_CODECS, VideoCodec.AV1: "it has none."}), tmp_path, progress
    )
    assert report.rows["NVENC"] == ("ok", "hevc, h264; not av1: it has none")


@pytest.mark.parametrize(
    ("computer", "row", "words", "fix"),
    [
        (Computer(version=(3, 9, 1)), "Python", "3.10 to 3.13", fixes.PYTHON_DOWNLOADS),
        (Computer(bits=32), "Python", "32 bits", "64 bits"),
        (
            Computer(torch_probe=TorchProbe(None, "not installed")),
            "torch",
            "not installed",
            "sh setup.sh",
        ),
        (
            Computer(
                torch_probe=TorchProbe(
                    None, "does not load (OSError: WinError 126)", lacks_libraries=True
                ),
                on="win32",
            ),
            "torch",
            "WinError 126",
            fixes.VISUAL_CPP,
        ),
        (
            Computer(listed=[Package("torch", ">=2.10", "2.9.1")]),
            "torch",
            "2.9.1, and >=2.10 is needed",
            "sh setup.sh",
        ),
        (Computer(torch_probe=TorchProbe(CPU_ONLY)), "torch", "built without CUDA", "sh setup.sh"),
        (
            Computer(torch_probe=TorchProbe(CPU_ONLY), on="win32"),
            "torch",
            "it cannot use the graphics card",
            "double-click setup.bat",
        ),
        (
            Computer(
                gpu_driver=Driver((RTX,), "551.23", "12.4"),
                torch_probe=TorchProbe(TorchState(BUILD)),
            ),
            "Driver",
            "551.23, is too old: it knows CUDA up to 12.4",
            fixes.NEW_DRIVER,
        ),
        (
            Computer(
                gpu_driver=Driver(trouble="it failed"), torch_probe=TorchProbe(TorchState(BUILD))
            ),
            "Driver",
            "does not work (it failed)",
            fixes.RESTART,
        ),
        (
            Computer(torch_probe=TorchProbe(OLD)),
            "Graphics card",
            "compute capability 6.1",
            fixes.torch_for_old_gpus("linux"),
        ),
        (
            Computer(
                encoding={
                    **dict.fromkeys(WORKING_CODECS, ""),
                    VideoCodec.HEVC: "The minimum required Nvidia driver for nvenc is 570.0 "
                    "or newer",
                }
            ),
            "NVENC",
            "570.0",
            fixes.NEW_DRIVER,
        ),
        (
            Computer(troubles={"av": "not installed"}),
            "Packages",
            "av: not installed",
            "sh setup.sh",
        ),
        (
            Computer(listed=[Package("av", ">=17.1,<19", "16.0")]),
            "Packages",
            "av: 16.0, and >=17.1,<19 is needed",
            "sh setup.sh",
        ),
        (
            Computer(troubles={"av": "not installed"}, other=Path(".venv/bin/python")),
            "Packages",
            "av",
            f"{Path('.venv/bin/python')} inference_custom.py doctor",
        ),
        (Computer(unlisted=True), "Packages", "is missing", "unpack it"),
        (Computer(no_ffmpeg="There is none."), "ffmpeg", "There is none.", "sh setup.sh"),
        (Computer(no_file="It is gone."), "Checkpoint", "It is gone.", "unset RVM_CHECKPOINT"),
        (
            Computer(file=WeightsProbe(Path("b.pth"), MINE, "it is no checkpoint.")),
            "Checkpoint",
            "it is no checkpoint.",
            "unset RVM_CHECKPOINT",
        ),
    ],
)
def test_what_must_be_fixed_is_reported_with_its_command(
    computer: Computer, row: str, words: str, fix: str, *, tmp_path: Path, progress: Recorder
) -> None:
    report = ask(computer, tmp_path, progress)
    state, text = report.rows[row]
    assert (state, words in text) == ("problem", True), text
    assert fix in report.fixes
    assert str(ROOT) in report.fixes
    assert report.end == "1 thing to fix, above."
    assert [name for name, (state, _) in report.rows.items() if state == "problem"] == [row]


@pytest.mark.parametrize(
    ("model", "row"), [(Model.MOBILENETV3, "Checkpoint"), (Model.RESNET50, "Larger network")]
)
def test_a_broken_download_is_deleted_to_be_loaded_anew(
    model: Model, row: str, tmp_path: Path, progress: Recorder
) -> None:
    broken = WeightsProbe(weights.default_path(model), MINE, "it cannot be read.")
    is_larger = model is Model.RESNET50
    computer = Computer(larger=broken) if is_larger else Computer(file=broken)
    report = ask(computer, tmp_path, progress)
    assert report.rows[row][0] == "problem"
    assert f"rm {broken.path}" in report.fixes


def test_the_larger_network_is_spoken_of_where_it_is(tmp_path: Path) -> None:
    assert "Larger network" not in ask(Computer(), tmp_path, Recorder()).rows
    probe = WeightsProbe(Path("large.pth"), PUBLISHED[Model.RESNET50].sha256)
    for computer in (Computer(larger=probe), Computer(file=probe, larger=probe)):
        state, text = ask(computer, tmp_path, Recorder()).rows["Larger network"]
        assert (state, "the published one" in text) == ("ok", True), text


def test_a_variable_that_names_no_ffmpeg_is_to_be_unset(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFMPEG_PATH", "nowhere")
    report = ask(Computer(no_ffmpeg="FFMPEG_PATH is nowhere.", on="win32"), tmp_path, progress)
    assert "    set FFMPEG_PATH=" in report.fixes


def test_what_one_command_fixes_stands_together(tmp_path: Path, progress: Recorder) -> None:
    computer = Computer(
        torch_probe=TorchProbe(None, "not installed"),
        troubles={"av": "not installed"},
        no_ffmpeg="There is none.",
    )
    report = ask(computer, tmp_path, progress)
    assert report.fixes.count("sh setup.sh") == 1
    assert report.end == "3 things to fix, above."
    assert report.rows["Graphics card"] == (
        "note",
        "NVIDIA GeForce RTX 3060, 12 GB. Not used until the rest is fixed",
    )


def test_a_folder_that_is_not_there(tmp_path: Path, progress: Recorder) -> None:
    with pytest.raises(InputError, match="not there"):
        doctor(tmp_path / "gone", progress, Computer())


def test_this_computer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Really: whatever there is, each part has its row, and the end fits the code."""
    code = main(["doctor", str(tmp_path)])
    output = capsys.readouterr()
    assert len([line for line in output.out.splitlines() if line[15:24].strip()]) >= 11
    assert code == (3 if " problem " in output.out else 0)
    assert ("Ready." in output.out) == (code == 0)
    assert "Traceback" not in output.out + output.err


def test_where_no_package_is_installed(tmp_path: Path) -> None:
    """With Python's own library alone, as -S leaves it."""
    command = [sys.executable, "-S", str(ROOT / "inference_custom.py"), "doctor", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 3
    assert "torch          problem  not installed" in done.stdout
    assert "Packages       problem  av, numpy" in done.stdout
    assert "ffmpeg         problem  There is no ffmpeg program." in done.stdout
    assert "Checkpoint     " in done.stdout
    assert "Free disk      ok" in done.stdout
    assert "to fix, above." in done.stderr
    assert "Traceback" not in done.stderr
