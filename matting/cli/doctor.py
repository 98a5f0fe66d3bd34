"""What this computer has, what is missing, and the command that mends it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from matting.cli import doctor_findings
from matting.cli.doctor_findings import PROBLEM, Finding
from matting.cli.doctor_probes import VISION, Machine, Torch
from matting.errors import InputError, MattingError, MissingError
from matting.media.ffmpeg import VARIABLE as FFMPEG_VARIABLE
from matting.progress import Progress
from matting.system import fixes
from matting.system.gpu_diagnosis import Reason, why_unused
from matting.system.nvidia_smi import Driver
from matting.system.packages import Package

WIDTH, NAME_WIDTH, STATE_WIDTH = 80, 15, 9


def doctor(folder: Path, progress: Progress, machine: Machine | None = None) -> None:
    """Tells of every part in a table, and then what mends those that are not well.

    Args:
        folder: whose disk's free room is told.
        machine: which is looked at; None: this one.
    Raises:
        InputError: there is no such folder.
        MissingError: something has to be mended.
    """
    if not folder.exists():
        raise InputError(f"{folder} is not there.", "Check the path and its spelling.")
    found: list[Finding] = []
    for finding in _look(folder, machine or Machine()):
        progress.say(row(finding))
        found.append(finding)
    problems = [finding for finding in found if finding.state == PROBLEM]
    if not problems:
        progress.say("\nReady.")
        return
    progress.say(to_mend(problems))
    plural = "thing" if len(problems) == 1 else "things"
    raise MissingError(f"{len(problems)} {plural} to mend, above.")


def row(finding: Finding) -> str:
    """A finding as a row of the table, in as many lines as it needs."""
    indent = " " * (NAME_WIDTH + STATE_WIDTH)
    start = f"{finding.name:<{NAME_WIDTH}}{finding.state:<{STATE_WIDTH}}"
    return "\n".join(_wrapped(finding.text, start, indent))


def to_mend(problems: Sequence[Finding]) -> str:
    """The problems with their commands; those that one command mends stand together."""
    by_remedy: dict[str, list[Finding]] = {}
    for problem in problems:
        by_remedy.setdefault(problem.remedy, []).append(problem)
    lines = [f"\nTo mend (commands are for the folder {fixes.ROOT}):"]
    for remedy, mended in by_remedy.items():
        lines.append("")
        for problem in mended:
            lines += _wrapped(f"{problem.name}: {problem.text}", "", "  ")
        lines.append(f"    {remedy}")  # in one line, to be copied
    return "\n".join([*lines, ""])


def _wrapped(text: str, start: str, indent: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=start,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _look(folder: Path, machine: Machine) -> Iterator[Finding]:
    """Each finding as soon as it is made: some take seconds."""
    system = machine.system
    other = machine.other_python()
    install = fixes.setup(system) if other is None else fixes.doctor(other, system)
    yield doctor_findings.python(*machine.python(), system)
    driver, torch = machine.driver(), machine.torch()
    packages, trouble = _packages(machine, torch)
    reason = _reason(torch, driver, system)
    own = next((package for package in packages if package.name == "torch"), None)
    yield doctor_findings.torch(torch, own, reason, install, system)
    yield doctor_findings.graphics_card(driver, torch, reason)
    yield doctor_findings.driver_finding(driver, torch, reason)
    usable = torch.state is not None and torch.state.usable
    for name, work, ask in (
        ("NVDEC", "decoding", machine.decoders),
        ("NVENC", "encoding", machine.encoders),
    ):
        yield doctor_findings.video_hardware(name, ask() if usable else None, driver, work)
    units = None if torch.state is None else torch.state.matrix_units
    yield doctor_findings.processor(*machine.processor(), units)
    others = [package for package in packages if package is not own]
    yield trouble or doctor_findings.packages(others, install)
    yield _ffmpeg(machine, install)
    yield _checkpoint(machine, loadable=torch.state is not None)
    yield doctor_findings.free_disk(folder, machine.free_bytes(folder))


def _packages(machine: Machine, torch: Torch) -> tuple[list[Package], Finding | None]:
    """All packages, loaded; and what is wrong where that cannot be told."""
    try:
        listed = machine.packages()
    except MissingError as error:
        return [], doctor_findings.no_packages(error)
    apart = [package.name for package in listed if package.name not in {"torch", VISION}]
    troubles = machine.load(apart) | {VISION: torch.vision_trouble}
    return [replace(one, trouble=troubles.get(one.name, "")) for one in listed], None


def _reason(torch: Torch, driver: Driver, system: str) -> Reason | None:
    """Why torch cannot use a card that is there; None where it can, or none is there."""
    state = torch.state
    if state is None or state.usable or not (driver.seems_there or state.card):
        return None
    return why_unused(state, driver, platform=system)


def _ffmpeg(machine: Machine, install: str) -> Finding:
    try:
        return doctor_findings.ffmpeg(*machine.ffmpeg())
    except MissingError as error:
        named = bool(os.environ.get(FFMPEG_VARIABLE))
        return doctor_findings.no_ffmpeg(error, named=named, install=install, system=machine.system)


def _checkpoint(machine: Machine, *, loadable: bool) -> Finding:
    try:
        return doctor_findings.checkpoint(machine.weights(loaded=loadable), machine.system)
    except MattingError as error:
        return doctor_findings.no_checkpoint(error, machine.system)
