"""Which GPUs setup detects."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from installation.commands import LIMIT_SECONDS, CommandResult, SubprocessRunner
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
    ("result", "problem", "remedy"),
    [
        (
            CommandResult(9, "it couldn't\ncommunicate with the driver."),
            "it couldn't comm",
            "Restart",
        ),
        (CommandResult(4, "Failed: Insufficient Permissions"), "Insufficient", "Start setup as a"),
        (CommandResult(127, "[Errno 13] Permission denied"), "denied", "Start setup as a user"),
        (CommandResult(0, ""), "no output, exit code 0", "Restart"),
        (CommandResult(127, "", timed_out=True), "no answer within 60 seconds", "Restart"),
        (CommandResult(6, "No devices were found"), "lists no graphics card", ""),
    ],
)
def test_a_driver_that_fails_is_told_from_a_graphics_card_that_is_not_there(
    tmp_path: Path, result: CommandResult, problem: str, remedy: str
) -> None:
    computer = computer_with(tmp_path, "win32", "")
    computer.smi = result
    report = detect_gpus(computer, "win32", computer.variables)
    assert (report.gpus, report.driver) == ((), ())
    assert problem in report.problem
    assert report.remedy.startswith(remedy) and bool(report.remedy) == bool(remedy)


def test_a_program_that_hangs_is_ended_at_its_limit() -> None:
    result = SubprocessRunner().capture([sys.executable, "-c", "import time; time.sleep(60)"], 0.1)
    assert result.timed_out


def test_an_old_driver_without_compute_capability_still_reports_its_version(
    tmp_path: Path,
) -> None:
    class OldDriver(SimulatedComputer):
        def capture(
            self, command: Sequence[str], limit_seconds: float = LIMIT_SECONDS
        ) -> CommandResult:
            if "compute_cap" in command[1]:
                return CommandResult(2, 'Field "compute_cap" is not a valid field to query.')
            return CommandResult(0, "461.40, GeForce GTX 1060 6GB\n")

    computer = OldDriver(tmp_path, "win32", "")
    report = detect_gpus(computer, "win32", computer.variables)
    assert report.driver == (461, 40)
    assert [(gpu.name, gpu.capability) for gpu in report.gpus] == [("GeForce GTX 1060 6GB", None)]
