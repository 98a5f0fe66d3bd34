"""Which NVIDIA GPUs this computer has, and which driver: as nvidia-smi, a part of it, reports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from installation.commands import CommandResult, CommandRunner
from installation.torch_builds import Version

DRIVER_URL = "https://www.nvidia.com/drivers"
CAPABILITY_QUERY = "driver_version,compute_cap,name"
LIMIT_SECONDS = 60.0  # a laptop's GPU that sleeps takes some seconds to answer
NO_DEVICES = "No devices were found"
DENIED = ("permission", "denied", "operation not permitted")
BASIC_QUERY = "driver_version,name"  # drivers of 2021 and before do not know compute_cap


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU.

    Args:
        capability: its compute capability, such as (8, 9); None if nvidia-smi does not say.
    """

    name: str
    capability: Version | None


@dataclass(frozen=True)
class GpuReport:
    """What nvidia-smi reports.

    Args:
        driver: its version, such as (580, 95, 5); empty without GPUs.
        problem: why there are no GPUs, as a sentence; empty if there are any.
        remedy: what to do about a driver that is there and fails, as a sentence; empty where there
            is no driver, or no GPU for it.
    """

    gpus: tuple[Gpu, ...] = ()
    driver: Version = ()
    problem: str = ""
    remedy: str = ""

    def describe(self) -> str:
        """Return the GPUs and the driver, for users."""
        names = ", ".join(gpu.name for gpu in self.gpus)
        return f"{names}, driver {'.'.join(f'{part:02}' for part in self.driver)}"


def detect_gpus(commands: CommandRunner, platform: str, variables: Mapping[str, str]) -> GpuReport:
    """Return the GPUs of this computer.

    Args:
        platform: as in `sys.platform`.
        variables: the environment variables, by which nvidia-smi is looked up.
    """
    program = find_nvidia_smi(platform, variables)
    if program is None:
        return GpuReport(problem="No NVIDIA graphics card was found (there is no nvidia-smi).")
    first: CommandResult | None = None
    for query in (CAPABILITY_QUERY, BASIC_QUERY):
        command = [str(program), f"--query-gpu={query}", "--format=csv,noheader"]
        result = commands.capture(command, LIMIT_SECONDS)
        report = _parse(result.output, query) if result.exit_code == 0 else None
        if report:
            return report
        if NO_DEVICES in result.output:
            return GpuReport(problem=f"The NVIDIA driver lists no graphics card ({NO_DEVICES}).")
        first = first or result
        if result.timed_out:
            break
    assert first is not None
    return _failure(program, first)


def _failure(program: Path, result: CommandResult) -> GpuReport:
    """Say why a driver that is there does not answer, and what to do about it."""
    output = " ".join(result.output.split()) or f"no output, exit code {result.exit_code}"
    if result.timed_out:
        output = f"no answer within {LIMIT_SECONDS:.0f} seconds"
    remedy = (
        "Restart the computer; if that does not help, install the newest driver from "
        f"{DRIVER_URL}, restart,"
    )
    if any(sign in output.lower() for sign in DENIED):
        remedy = (
            "Start setup as a user who may use the graphics card (ask who manages this computer),"
        )
    return GpuReport(problem=f"NVIDIA's driver fails: {program.name} says: {output}", remedy=remedy)


def find_nvidia_smi(platform: str, variables: Mapping[str, str]) -> Path | None:
    """Return the program, even if it is not on the PATH; never one in the current folder."""
    if platform == "win32":
        name = "nvidia-smi.exe"
        system = Path(variables.get("SYSTEMROOT", "C:\\Windows"), "System32")
        older = Path(variables.get("PROGRAMFILES", "C:\\Program Files"), "NVIDIA Corporation")
        usual_folders = [system, older / "NVSMI"]
    else:
        name = "nvidia-smi"
        usual_folders = [Path("/usr/bin"), Path("/usr/lib/wsl/lib")]
    on_path = [Path(p) for p in variables.get("PATH", "").split(os.pathsep) if p]
    candidates = [folder / name for folder in [*on_path, *usual_folders] if folder.is_absolute()]
    return next((path for path in candidates if path.is_file()), None)


def parse_version(text: str) -> Version | None:
    """Return `580.95.05` as (580, 95, 5); None if it is not a version."""
    parts = text.strip().split(".")
    return tuple(int(part) for part in parts) if all(p.isdecimal() for p in parts) else None


def _parse(output: str, query: str) -> GpuReport | None:
    """Return the GPUs in nvidia-smi's output, one a line; None if it lists none."""
    columns = query.count(",")
    gpus, driver = [], None
    for line in output.splitlines():
        fields = [field.strip() for field in line.split(",", columns)]
        if len(fields) != columns + 1 or (version := parse_version(fields[0])) is None:
            continue
        driver = version
        capability = parse_version(fields[1]) if query == CAPABILITY_QUERY else None
        gpus.append(Gpu(fields[-1], capability))
    return GpuReport(tuple(gpus), driver) if driver else None
