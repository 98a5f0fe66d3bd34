"""What to think of each part of a computer: it is fine, worth a note, or has to be fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from matting.cli.doctor_probes import TorchProbe, WeightsProbe
from matting.errors import MattingError
from matting.inference import weights
from matting.inference.published import DEFAULT_MODEL, model_of
from matting.media.ffmpeg import VARIABLE as FFMPEG_VARIABLE
from matting.network_choice import Model
from matting.progress import quantity
from matting.system import fixes
from matting.system.device_kinds import DeviceKind
from matting.system.gpu_diagnosis import Component, Reason
from matting.system.humanize import gigabytes
from matting.system.invocation import pip_line
from matting.system.packages import Package
from matting.system.torch_build import TorchState
from matting.workers.cluster.installed import requirements_name

NOT_TRIED = "fp32 or bf16: which is better is tried when it is first used"
OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 13)


class State(Enum):
    """How a part is, as the table says it."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What was found out about one part.

    Attributes:
        name: of the part.
        fix: the command that fixes it, or what to do; "" if there is nothing to fix.
    """

    name: str
    state: State
    text: str
    fix: str = ""


def python(version: tuple[int, int, int], bits: int, system: str) -> Finding:
    """Judge Python itself."""
    text = f"{'.'.join(map(str, version))}, {bits} bits"
    supported = "{}.{} to {}.{}".format(*OLDEST_PYTHON, *NEWEST_PYTHON)
    if bits < 64 or version[:2] < OLDEST_PYTHON:
        fix = f"install Python {supported}, 64 bits, from {fixes.PYTHON_DOWNLOADS}, "
        text += f": {supported} of 64 bits is needed"
        return Finding("Python", State.PROBLEM, text, fix + f"then {fixes.setup(system)}")
    if version[:2] > NEWEST_PYTHON:
        return Finding("Python", State.NOTE, f"{text}: newer than what was tried ({supported})")
    return Finding("Python", State.OK, text)


def torch(
    probe: TorchProbe, package: Package | None, reason: Reason | None, install: str, system: str
) -> Finding:
    """Judge torch, and the CUDA that it was built for.

    Args:
        package: what is known of it without loading it.
        reason: why it cannot use a GPU that is there; None if it can, or there is none.
        install: how packages are installed here.
    """
    if probe.state is None:
        if system == "win32" and probe.lacks_libraries:
            install = f"install {fixes.VISUAL_CPP}; if that does not help: {install}"
        return Finding("torch", State.PROBLEM, probe.trouble, install)
    build = probe.state.build
    text = f"{build.version}, built {_purpose(probe.state)}"
    if package is not None and package.problem:
        return Finding("torch", State.PROBLEM, package.problem, install)
    if reason is not None and reason.component == Component.TORCH:
        return Finding(
            "torch", State.PROBLEM, f"{text}: it cannot use the graphics card", reason.fix
        )
    return Finding("torch", State.OK, text)


def processor(
    architecture: str, cores: int, matrix_units: bool | None, precision: str | None
) -> Finding:
    """Judge the processor; its matrix units are what makes half precision fast.

    Args:
        precision: what the network computes in there, and why; "": it was not tried yet; None:
            nothing is to be said of that.
    """
    units = "not known" if matrix_units is None else "yes" if matrix_units else "no"
    text = f"{architecture}, {quantity(cores, 'core')}, matrix units: {units}"
    if precision is not None:
        text += f". The network computes in {precision or NOT_TRIED}"
    return Finding("Processor", State.OK, text)


def packages(needed: Sequence[Package], install: str) -> Finding:
    """Judge all packages but torch."""
    problems = group_by_clause(
        {package.name: package.problem for package in needed if package.problem}
    )
    if problems:
        return Finding("Packages", State.PROBLEM, "; ".join(problems), install)
    versions = (f"{package.name} {package.version}".rstrip() for package in needed)
    return Finding("Packages", State.OK, ", ".join(versions))


def sharing(needed: Sequence[Package]) -> Finding:
    """Judge the packages by which several devices and computers share the work."""
    troubles = [
        f"{package.name} ({package.problem})" if package.version else package.name
        for package in needed
        if package.problem or not package.version
    ]
    if not troubles:
        versions = (f"{package.name} {package.version}" for package in needed)
        return Finding("Shared work", State.OK, ", ".join(versions))
    text = (
        "several graphics cards, or computers, can be used after: "
        f"{pip_line('install', '-r', requirements_name())}. Missing are {', '.join(troubles)}"
    )
    return Finding("Shared work", State.NOTE, text)


def no_packages(error: MattingError) -> Finding:
    """Judge packages whose list is missing."""
    return Finding("Packages", State.PROBLEM, error.what, error.hint)


def ffmpeg(version: str, path: Path) -> Finding:
    """Judge the ffmpeg program."""
    return Finding("ffmpeg", State.OK, f"{version}, {path.name}")


def no_ffmpeg(error: MattingError, *, named: bool, install: str, system: str) -> Finding:
    """Judge an ffmpeg that is missing.

    Args:
        named: whether the variable names one.
        install: how packages are installed here.
    """
    fix = fixes.unset_variable(FFMPEG_VARIABLE, system) if named else install
    return Finding("ffmpeg", State.PROBLEM, error.what, fix)


def checkpoint(probe: WeightsProbe | None, system: str, name: str = "Checkpoint") -> Finding:
    """Judge a network's weights."""
    if probe is None:
        place = weights.default_path().parent
        text = f"not here yet: the first run downloads it (15 MB) into {place}"
        return Finding(name, State.NOTE, text)
    text = f"{probe.path.name}, SHA-256 {probe.sha256[:12]}..."
    model = model_of(probe.sha256)
    if model is not None:
        by = "" if model is DEFAULT_MODEL else f" of the larger network, {model}"
        return Finding(name, State.OK, f"{text}, the published one{by}")
    text += ", not the published one"
    if not probe.trouble:
        return Finding(name, State.NOTE, text)
    # Else somebody has put it there on purpose.
    downloaded = probe.path in map(weights.default_path, Model)
    fix = (
        fixes.delete_file(probe.path, system)
        if downloaded
        else fixes.unset_variable(weights.VARIABLE, system)
    )
    return Finding(name, State.PROBLEM, f"{text}: {probe.trouble}", fix)


def no_checkpoint(error: MattingError, system: str) -> Finding:
    """Judge a checkpoint that the variable names and that is not there."""
    fix = fixes.unset_variable(weights.VARIABLE, system)
    return Finding("Checkpoint", State.PROBLEM, error.what, fix)


def video(path: Path, view: str, notes: Sequence[str]) -> Finding:
    """Report how a video is meant to be seen; `notes`: what may be wrong with that."""
    text = ". ".join([f"{path.name}: {view}", *(note.rstrip(".") for note in notes)])
    return Finding("Video", State.NOTE if notes else State.OK, text)


def no_video(path: Path, reason: str) -> Finding:
    """Report a file that cannot be looked at."""
    return Finding("Video", State.NOTE, reason if path.name in reason else f"{path.name}: {reason}")


def free_disk(folder: Path, free_bytes: int | None) -> Finding:
    """Judge the free space of the disk that a folder is on."""
    if free_bytes is None:
        return Finding("Free disk", State.NOTE, f"{folder} does not say")
    return Finding("Free disk", State.OK, f"{gigabytes(free_bytes)} in {folder}")


def _purpose(state: TorchState) -> str:
    build = state.build
    if build.cuda:
        return f"for CUDA {build.cuda}"
    if build.hip:
        return f"for AMD's graphics cards (HIP {build.hip})"
    if build.xpu:
        return f"for Intel's graphics cards (xpu, {build.xpu})"
    return "with mps, for Apple's GPUs" if state.kind is DeviceKind.APPLE else "without CUDA"


def group_by_clause(clauses: dict[str, str]) -> list[str]:
    """Return names with their clauses; names that share one stand together."""
    names: dict[str, list[str]] = {}
    for name, clause in clauses.items():
        names.setdefault(clause, []).append(name)
    return [f"{', '.join(those)}: {clause}" for clause, those in names.items()]
