"""What this computer has, what is missing, and the command that fixes it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from matting.cli import doctor_findings, doctor_gpus, doctor_updates
from matting.cli.doctor_findings import Finding, State
from matting.cli.doctor_probes import Machine, TorchProbe
from matting.errors import InputError, MattingError, MissingError
from matting.media.ffmpeg import VARIABLE as FFMPEG_VARIABLE
from matting.network_choice import Model
from matting.progress import Progress, quantity
from matting.system import fixes
from matting.system.gpu_diagnosis import Reason, why_unused
from matting.system.invocation import IS_INSTALLED, ROOT
from matting.system.nvidia_smi import Driver
from matting.system.packages import Package
from matting.view import Eyes

WIDTH, NAME_WIDTH, STATE_WIDTH = 80, 15, 9


def doctor(
    path: Path, progress: Progress, machine: Machine | None = None, *, updates: bool = False
) -> None:
    """Report every part in a table, and then what fixes those that do not work.

    Args:
        path: what lies on the disk whose free space is reported; where it is a video, that is
            reported, too.
        machine: the computer to examine; None: this one.
        updates: whether to ask over the internet for a newer release.
    Raises:
        InputError: there is nothing of that name.
        MissingError: something has to be fixed.
    """
    if not path.exists():
        raise InputError(f"{path} is not there.", "Check the path and its spelling.")
    findings: list[Finding] = []
    for finding in _examine(path, machine or Machine(), updates=updates):
        for line in row(finding):
            progress.say(line)
        findings.append(finding)
    problems = [finding for finding in findings if finding.state == State.PROBLEM]
    if not problems:
        progress.say("")
        progress.say("Ready.")
        return
    for line in instructions(problems):
        progress.say(line)
    raise MissingError(f"{quantity(len(problems), 'thing')} to fix, above.")


def row(finding: Finding) -> list[str]:
    """Return a finding as a row of the table, in as many lines as it needs."""
    indent = " " * (NAME_WIDTH + STATE_WIDTH)
    start = f"{finding.name:<{NAME_WIDTH}}{finding.state.value:<{STATE_WIDTH}}"
    return _wrap(finding.text, start, indent)


def instructions(problems: Sequence[Finding]) -> list[str]:
    """Return the problems with their fixes, as lines; those that one command fixes are together."""
    by_fix: dict[str, list[Finding]] = {}
    for problem in problems:
        by_fix.setdefault(problem.fix, []).append(problem)
    where = "" if IS_INSTALLED else f" (commands are for the folder {ROOT})"
    lines = ["", f"To fix{where}:"]
    for fix, fixed in by_fix.items():
        lines.append("")
        for problem in fixed:
            lines += _wrap(f"{problem.name}: {problem.text}", "", "  ")
        lines.append(f"    {fix}")  # in one line, to be copied
    return [*lines, ""]


def _wrap(text: str, start: str, indent: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=start,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,  # a path is copied
    )


def _examine(path: Path, machine: Machine, *, updates: bool) -> Iterator[Finding]:
    """Yield each finding as soon as it is known: some take seconds."""
    system = machine.system
    other = machine.other_python()
    install = fixes.setup(system) if other is None else fixes.doctor(other, system)
    yield doctor_findings.python(*machine.python(), system)
    driver, torch = machine.driver(), machine.torch()
    packages, trouble = _packages(machine)
    reason = _reason(torch, driver, system)
    own = next((package for package in packages if package.name == "torch"), None)
    yield doctor_findings.torch(torch, own, reason, install, system)
    yield doctor_gpus.gpus(driver, torch, reason, machine.other_adapters())
    yield doctor_gpus.gpu_driver(driver, torch, reason)
    usable = torch.state is not None and torch.state.usable
    if torch.state is not None and usable and not torch.state.kind.is_tried:
        yield doctor_gpus.self_test(machine.device_trial(torch.state.kind.type))
    has_nvidia = torch.state is not None and torch.state.has_nvidia
    for name, work, probe in (
        ("NVDEC", "decoding", machine.decoders),
        ("NVENC", "encoding", machine.encoders),
    ):
        yield doctor_gpus.video_hardware(name, probe() if has_nvidia else None, driver, work)
    matrix_units = None if torch.state is None else torch.state.matrix_units
    precision = machine.precision() if torch.state is not None and not usable else None
    yield doctor_findings.processor(*machine.processor(), matrix_units, precision)
    others = [package for package in packages if package is not own]
    yield trouble or doctor_findings.packages(others, install)
    yield from _sharing(machine)
    yield _ffmpeg(machine, install)
    yield from _checkpoints(machine, loadable=torch.state is not None)
    if path.is_file():
        yield _video(path, machine)
    folder = path.parent if path.is_file() else path
    yield doctor_findings.free_disk(folder, machine.free_bytes(folder))
    if updates:
        yield doctor_updates.updates(machine)


def _packages(machine: Machine) -> tuple[list[Package], Finding | None]:
    """Return all packages, loaded; and what is wrong if that is not known."""
    try:
        needed = machine.packages()
    except MissingError as error:
        return [], doctor_findings.no_packages(error)
    troubles = machine.load([package.name for package in needed if package.name != "torch"])
    return [replace(one, trouble=troubles.get(one.name, "")) for one in needed], None


def _sharing(machine: Machine) -> Iterator[Finding]:
    """Judge what several devices and computers need; where its list is gone, nothing is said."""
    with suppress(MissingError):
        yield doctor_findings.sharing(machine.sharing_packages())


def _reason(torch: TorchProbe, driver: Driver, system: str) -> Reason | None:
    """Return why torch cannot use a GPU that is there; None if it can, or there is none."""
    state = torch.state
    if state is None or state.usable or not (driver.seems_present or state.gpu):
        return None
    return why_unused(state, driver, platform=system)


def _ffmpeg(machine: Machine, install: str) -> Finding:
    try:
        return doctor_findings.ffmpeg(*machine.ffmpeg())
    except MissingError as error:
        named = bool(os.environ.get(FFMPEG_VARIABLE))
        return doctor_findings.no_ffmpeg(error, named=named, install=install, system=machine.system)


def _video(path: Path, machine: Machine) -> Finding:
    try:
        found = machine.view(path)
    except (ImportError, OSError) as error:  # which the packages' own row says, too
        return doctor_findings.no_video(path, f"cannot be looked at ({error})")
    except MattingError as error:
        return doctor_findings.no_video(path, error.what)
    eyes = Eyes.AUTO.in_words(found.view.stereo)
    return doctor_findings.video(
        path, "; ".join(filter(None, (found.describe(), eyes))), found.notes
    )


def _checkpoints(machine: Machine, *, loadable: bool) -> Iterator[Finding]:
    """Judge the weights that are used unless others are asked for; and the larger network's."""
    try:
        yield doctor_findings.checkpoint(machine.weights(load=loadable), machine.system)
    except MattingError as error:
        yield doctor_findings.no_checkpoint(error, machine.system)
    larger = machine.weights(load=loadable, model=Model.RESNET50)
    if larger is not None:  # few want it, and it is downloaded where somebody does
        yield doctor_findings.checkpoint(larger, machine.system, "Larger network")
