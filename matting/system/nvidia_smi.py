"""Asking nvidia-smi, which knows NVIDIA's GPUs and driver without any package.

Nothing else in the program runs it. Setup has code of its own for that
(`installation/gpus.py`), which must not need the program.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

NAME = "nvidia-smi"
# A laptop's GPU that sleeps takes some seconds to answer.
LIMIT_SECONDS = 30
FIELDS = ("name", "memory.total", "driver_version", "compute_cap")
UNKNOWN_FIELD = "not a valid field"  # what older ones say of the last
NO_DEVICES = "No devices were found"
CUDA_VERSION = re.compile(r"CUDA(?: \w+)? Version\s*:\s*(\d+\.\d+)")


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU.

    Attributes:
        memory_bytes: None if it has none of its own.
        capability: its compute capability, such as (8, 9); None if that is not known.
    """

    name: str
    memory_bytes: int | None = None
    capability: tuple[int, int] | None = None


@dataclass(frozen=True)
class Driver:
    """What NVIDIA's driver says.

    Attributes:
        version: its own; "" if there is none.
        cuda: the newest CUDA that it supports, such as 12.4; "" if it does not say.
        trouble: what nvidia-smi said instead of an answer; "" if it works, or is not there.
    """

    gpus: tuple[Gpu, ...] = ()
    version: str = ""
    cuda: str = ""
    trouble: str = ""

    @property
    def seems_present(self) -> bool:
        """Whether there is a GPU, or was one: NVIDIA's programs come with a driver."""
        return bool(self.gpus or self.trouble)


def query_nvidia_smi() -> Driver:
    """Return what nvidia-smi says; an empty Driver if there is none."""
    program = _find(candidates(sys.platform, os.environ))
    if program is None:
        return Driver()
    output = ""
    for fields in (FIELDS, FIELDS[:-1]):
        success, output = _run(program, f"--query-gpu={','.join(fields)}", "--format=csv,noheader")
        if success:
            gpus, version = _parse(output)
            cuda = CUDA_VERSION.search(_run(program)[1])
            return Driver(gpus, version, cuda[1] if cuda else "")
        if UNKNOWN_FIELD not in output:
            break
    return Driver() if NO_DEVICES in output else Driver(trouble=_first_line(output))


def candidates(platform: str, environment: Mapping[str, str]) -> list[str]:
    """Return the full paths at which nvidia-smi may lie: never in the current folder."""
    if platform == "win32":
        windows = environment.get("SYSTEMROOT", "C:\\Windows")
        programs = environment.get("PROGRAMFILES", "C:\\Program Files")
        known = [f"{windows}\\System32", f"{programs}\\NVIDIA Corporation\\NVSMI"]
        listed = environment.get("PATH", "").split(";")
        return [
            str(PureWindowsPath(folder, f"{NAME}.exe"))
            for folder in [*known, *listed]
            if PureWindowsPath(folder).is_absolute()
        ]
    listed = environment.get("PATH", "").split(":")
    return [  # the last one is Windows' own, as Linux inside of it sees it
        str(PurePosixPath(folder, NAME))
        for folder in [*listed, "/usr/bin", "/usr/local/bin", "/usr/lib/wsl/lib"]
        if PurePosixPath(folder).is_absolute()
    ]


def _find(paths: list[str]) -> Path | None:
    for path in map(Path, paths):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def _run(program: Path, *arguments: str) -> tuple[bool, str]:
    """Return whether it succeeded and what it printed: its errors go to standard output, too."""
    try:
        process = subprocess.run(
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"it did not answer within {LIMIT_SECONDS} seconds"
    except OSError as error:
        return False, f"it does not start: {error.strerror or error}"
    text = process.stdout.decode("utf-8", "replace").strip()
    return process.returncode == 0, text or f"it ended with code {process.returncode}"


def _parse(output: str) -> tuple[tuple[Gpu, ...], str]:
    """Return the GPUs listed in CSV, and their driver's version."""
    gpus: list[Gpu] = []
    version = ""
    for row in csv.reader(output.splitlines(), skipinitialspace=True):
        if len(row) < len(FIELDS) - 1:
            continue  # "No devices were found"
        name, memory, version, *capability = row
        gpus.append(Gpu(name, _bytes(memory), _capability(capability[0] if capability else "")))
    return tuple(gpus), version


def _bytes(memory: str) -> int | None:
    """Parse "12288 MiB"; return None for "[N/A]"."""
    number, _, unit = memory.partition(" ")
    return int(number) << 20 if number.isdecimal() and unit == "MiB" else None


def _capability(text: str) -> tuple[int, int] | None:
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None


def _first_line(text: str) -> str:
    return text.splitlines()[0].strip().rstrip(".")
