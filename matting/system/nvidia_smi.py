"""The only door to nvidia-smi, which tells of NVIDIA's cards and driver without any package."""

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
# A laptop's card that sleeps takes some seconds to answer.
LIMIT_SECONDS = 30
FIELDS = ("name", "memory.total", "driver_version", "compute_cap")
UNKNOWN_FIELD = "not a valid field"  # what an older one says of the last
NO_CARD = "No devices were found"
CUDA_VERSION = re.compile(r"CUDA(?: \w+)? Version\s*:\s*(\d+\.\d+)")


@dataclass(frozen=True)
class Card:
    """A graphics card of NVIDIA's.

    Attributes:
        memory_bytes: None where it has none of its own.
        capability: its generation, as NVIDIA counts ("compute capability"); None: not told.
    """

    name: str
    memory_bytes: int | None = None
    capability: tuple[int, int] | None = None


@dataclass(frozen=True)
class Driver:
    """What NVIDIA's driver says.

    Attributes:
        version: its own; "" where there is none.
        cuda: the newest CUDA that it knows, as 12.4; "" where it does not tell.
        trouble: what nvidia-smi said instead of an answer; "" where it is well, or not there.
    """

    cards: tuple[Card, ...] = ()
    version: str = ""
    cuda: str = ""
    trouble: str = ""

    @property
    def seems_there(self) -> bool:
        """Whether there is a card, or was: NVIDIA's programs come with a driver."""
        return bool(self.cards or self.trouble)


def query_nvidia_smi() -> Driver:
    """What nvidia-smi says; an empty Driver where there is none."""
    program = _find(places(sys.platform, os.environ))
    if program is None:
        return Driver()
    answer = ""
    for fields in (FIELDS, FIELDS[:-1]):
        well, answer = _run(program, f"--query-gpu={','.join(fields)}", "--format=csv,noheader")
        if well:
            cards, version = _cards(answer)
            cuda = CUDA_VERSION.search(_run(program)[1])
            return Driver(cards, version, cuda[1] if cuda else "")
        if UNKNOWN_FIELD not in answer:
            break
    return Driver() if NO_CARD in answer else Driver(trouble=_first_line(answer))


def places(platform: str, environment: Mapping[str, str]) -> list[str]:
    """Where nvidia-smi may lie on a system, by full paths: never in the current folder."""
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


def _find(candidates: list[str]) -> Path | None:
    for candidate in candidates:
        path = Path(candidate)
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def _run(program: Path, *arguments: str) -> tuple[bool, str]:
    """Whether it did well, and what it said; its errors, too, go to standard output."""
    try:
        done = subprocess.run(
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
    text = done.stdout.decode("utf-8", "replace").strip()
    return done.returncode == 0, text or f"it ended with code {done.returncode}"


def _cards(answer: str) -> tuple[tuple[Card, ...], str]:
    """The cards of an answer in CSV, and their driver's version."""
    cards: list[Card] = []
    version = ""
    for row in csv.reader(answer.splitlines(), skipinitialspace=True):
        if len(row) < len(FIELDS) - 1:
            continue  # "No devices were found"
        name, memory, version, *capability = row
        cards.append(Card(name, _bytes(memory), _capability(capability[0] if capability else "")))
    return tuple(cards), version


def _bytes(memory: str) -> int | None:
    """Of "12288 MiB"; None of "[N/A]"."""
    number, _, unit = memory.partition(" ")
    return int(number) << 20 if number.isdecimal() and unit == "MiB" else None


def _capability(text: str) -> tuple[int, int] | None:
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None


def _first_line(text: str) -> str:
    return text.splitlines()[0].strip().rstrip(".")
