"""Which GPUs setup detects."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from installation.commands import CommandResult
from installation.gpus import detect_gpus, find_nvidia_smi
from tests.support.simulated_computer import RTX_4090, SimulatedComputer, computer_with


def test_nvidia_smi_is_found_off_the_path_and_not_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = [
        tmp_path / "on path" / "nvidia-smi.exe",
        tmp_path / "windows" / "System32" / "nvidia-smi.exe",
        tmp_path / "files" / "NVIDIA Corporation" / "NVSMI" / "nvidia-smi.exe",
    ]
    variables = {
        "PATH": os.pathsep.join([".", "", str(tmp_path / "on path")]),
        "SYSTEMROOT": str(tmp_path / "windows"),
        "PROGRAMFILES": str(tmp_path / "files"),
    }
    for program in programs:
        program.parent.mkdir(parents=True)
        program.touch()
    (tmp_path / "nvidia-smi.exe").touch()
    monkeypatch.chdir(tmp_path)
    for program in programs:
        assert find_nvidia_smi("win32", variables) == program
        program.unlink()
    assert find_nvidia_smi("win32", variables) is None


def test_gpus_driver_and_capabilities_are_read(tmp_path: Path) -> None:
    computer = computer_with(tmp_path, "win32", RTX_4090, "581.29, [N/A], NVIDIA T4, special")
    report = detect_gpus(computer, "win32", computer.variables)
    assert (report.driver, report.problem) == ((581, 29), "")
    assert [(gpu.name, gpu.capability) for gpu in report.gpus] == [
        ("NVIDIA GeForce RTX 4090", (8, 9)),
        ("NVIDIA T4, special", None),
    ]
    assert report.describe() == "NVIDIA GeForce RTX 4090, NVIDIA T4, special, driver 581.29"


@pytest.mark.parametrize(
    "result",
    [
        CommandResult(9, "NVIDIA-SMI has failed because it couldn't\ncommunicate with the driver."),
        CommandResult(6, "No devices were found"),
        CommandResult(0, "No devices were found"),
        CommandResult(0, ""),
        CommandResult(127, "[WinError 193] not a program"),
    ],
)
def test_what_a_failing_driver_says_is_reported(tmp_path: Path, result: CommandResult) -> None:
    computer = computer_with(tmp_path, "win32", "")
    computer.smi = result
    report = detect_gpus(computer, "win32", computer.variables)
    assert (report.gpus, report.driver) == ((), ())
    assert " ".join(result.output.split()) in report.problem


def test_an_old_driver_without_compute_capability_still_reports_its_version(
    tmp_path: Path,
) -> None:
    class OldDriver(SimulatedComputer):
        def capture(self, command: Sequence[str]) -> CommandResult:
            if "compute_cap" in command[1]:
                return CommandResult(2, 'Field "compute_cap" is not a valid field to query.')
            return CommandResult(0, "461.40, GeForce GTX 1060 6GB\n")

    computer = OldDriver(tmp_path, "win32", "")
    report = detect_gpus(computer, "win32", computer.variables)
    assert report.driver == (461, 40)
    assert [(gpu.name, gpu.capability) for gpu in report.gpus] == [("GeForce GTX 1060 6GB", None)]
