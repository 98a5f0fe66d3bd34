"""Which NVIDIA graphics cards there are, and which driver: as nvidia-smi, a part of it, says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from installation.builds import Version
from installation.programs import Programs

WITH_CAPABILITY = "driver_version,compute_cap,name"
WITHOUT = "driver_version,name"  # drivers of 2021 and before know no compute_cap


@dataclass(frozen=True)
class Card:
    """A graphics card.

    Args:
        capability: its compute capability, such as (8, 9); None where nvidia-smi does not say.
    """

    name: str
    capability: Version | None


@dataclass(frozen=True)
class Graphics:
    """What was found.

    Args:
        driver: as (580, 95, 5); empty without cards.
        trouble: why there are no cards, in a sentence; empty with cards.
    """

    cards: tuple[Card, ...] = ()
    driver: Version = ()
    trouble: str = ""

    def describe(self) -> str:
        """The cards and the driver, in words."""
        names = ", ".join(card.name for card in self.cards)
        return f"{names}, driver {'.'.join(f'{part:02}' for part in self.driver)}"


def look(programs: Programs, platform: str, environment: Mapping[str, str]) -> Graphics:
    """The graphics cards of this machine, on `platform` (as in `sys.platform`)."""
    program = find_nvidia_smi(platform, environment)
    if program is None:
        return Graphics(trouble="No NVIDIA graphics card was found (there is no nvidia-smi).")
    words = ""
    for query in (WITH_CAPABILITY, WITHOUT):
        command = [str(program), f"--query-gpu={query}", "--format=csv,noheader"]
        answer = programs.ask(command)
        found = _read(answer.output, query) if answer.code == 0 else None
        if found:
            return found
        words = words or " ".join(answer.output.split())
    return Graphics(trouble=f"The NVIDIA driver names no graphics card ({words or 'no words'}).")


def find_nvidia_smi(platform: str, environment: Mapping[str, str]) -> Path | None:
    """The program, also where it is not on the PATH; never from the current folder."""
    if platform == "win32":
        name = "nvidia-smi.exe"
        system = Path(environment.get("SYSTEMROOT", "C:\\Windows"), "System32")
        older = Path(environment.get("PROGRAMFILES", "C:\\Program Files"), "NVIDIA Corporation")
        places = [system, older / "NVSMI"]
    else:
        name = "nvidia-smi"
        places = [Path("/usr/bin"), Path("/usr/lib/wsl/lib")]
    on_path = [Path(p) for p in environment.get("PATH", "").split(os.pathsep) if p]
    candidates = [folder / name for folder in [*on_path, *places] if folder.is_absolute()]
    return next((path for path in candidates if path.is_file()), None)


def version(text: str) -> Version | None:
    """`580.95.05` as (580, 95, 5); None where it is not a version."""
    parts = text.strip().split(".")
    return tuple(int(part) for part in parts) if all(p.isdecimal() for p in parts) else None


def _read(output: str, query: str) -> Graphics | None:
    """What nvidia-smi printed, a card a line; None where that is something else."""
    columns = query.count(",")
    cards, driver = [], None
    for line in output.splitlines():
        fields = [field.strip() for field in line.split(",", columns)]
        if len(fields) != columns + 1 or (said := version(fields[0])) is None:
            continue
        driver = said
        cards.append(Card(fields[-1], version(fields[1]) if query == WITH_CAPABILITY else None))
    return Graphics(tuple(cards), driver) if driver else None
