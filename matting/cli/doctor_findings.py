"""What is to be thought of each part of a computer: well, worth a note, or to be mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matting.cli.doctor_probes import Torch, Tried, Weights
from matting.errors import MattingError
from matting.inference import weights
from matting.media.ffmpeg import VARIABLE as FFMPEG_VARIABLE
from matting.system import fixes
from matting.system.gpu_diagnosis import CARD, DRIVER, TORCH, Reason
from matting.system.humanize import gigabytes
from matting.system.nvidia_smi import Card, Driver
from matting.system.packages import Package

OK, NOTE, PROBLEM = "ok", "note", "problem"
OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 13)
NO_CARD = "needs an NVIDIA graphics card"
UNUSABLE_CARD = "needs a graphics card that torch can use"
# How FFmpeg says that NVENC wants another driver.
OLD_DRIVER = ("minimum required Nvidia driver", "does not support the required nvenc API")


@dataclass(frozen=True)
class Finding:
    """What was found of one part.

    Attributes:
        state: OK, NOTE or PROBLEM.
        text: what was found.
        remedy: the command that mends it, or what to do; "" where nothing is to be mended.
    """

    name: str
    state: str
    text: str
    remedy: str = ""


def python(version: tuple[int, int, int], bits: int, system: str) -> Finding:
    """Python itself."""
    text = f"{'.'.join(map(str, version))}, {bits} bits"
    wanted = "{}.{} to {}.{}".format(*OLDEST_PYTHON, *NEWEST_PYTHON)
    if bits < 64 or version[:2] < OLDEST_PYTHON:
        remedy = f"install Python {wanted}, 64 bits, from {fixes.PYTHONS}, "
        text += f": {wanted} of 64 bits is needed"
        return Finding("Python", PROBLEM, text, remedy + f"then {fixes.setup(system)}")
    if version[:2] > NEWEST_PYTHON:
        return Finding("Python", NOTE, f"{text}: newer than what was tried ({wanted})")
    return Finding("Python", OK, text)


def torch(
    found: Torch, package: Package | None, reason: Reason | None, install: str, system: str
) -> Finding:
    """Torch, and the CUDA that it was built for.

    Args:
        package: what is known of it without loading it.
        reason: why it cannot use a card that is there; None where it can, or there is none.
        install: how packages are installed here.
    """
    if found.state is None:
        if system == "win32" and "OSError" in found.trouble:
            install = f"install {fixes.LIBRARIES}; if that does not help: {install}"
        return Finding("torch", PROBLEM, found.trouble, install)
    build = found.state.build
    text = f"{build.version}, " + (
        f"built for CUDA {build.cuda}" if build.cuda else f"built {_for_what(build.hip)}"
    )
    if package is not None and package.problem:
        return Finding("torch", PROBLEM, package.problem, install)
    if reason is not None and reason.about == TORCH:
        return Finding("torch", PROBLEM, f"{text}: it cannot use the card", reason.remedy)
    return Finding("torch", OK, text)


def graphics_card(driver: Driver, found: Torch, reason: Reason | None) -> Finding:
    """The cards and their memory, as the driver tells, else as torch does."""
    name = "Graphics card"
    state = found.state
    cards = driver.cards or ((state.card,) if state and state.card else ())
    text = "; ".join(_card(card) for card in cards)
    if not text and not driver.trouble:
        what = "none by NVIDIA was found: the processor does the work, many times slower"
        return Finding(name, NOTE, what)
    if not text:
        return Finding(name, NOTE, "the driver does not tell")
    if reason is not None and reason.about == CARD:
        return Finding(name, PROBLEM, f"{text}. Not used: {reason.what}", reason.remedy)
    if reason is not None or state is None:
        return Finding(name, NOTE, f"{text}. Not used until the rest is mended")
    return Finding(name, OK, text)


def driver_finding(driver: Driver, found: Torch, reason: Reason | None) -> Finding:
    """NVIDIA's driver."""
    known = f"{driver.version}, for CUDA up to {driver.cuda}" if driver.cuda else driver.version
    if reason is not None and reason.about == DRIVER:
        return Finding("Driver", PROBLEM, reason.what, reason.remedy)
    if known:
        return Finding("Driver", OK, known)
    if driver.trouble:
        return Finding("Driver", NOTE, f"nvidia-smi says: {driver.trouble}")
    if found.state is not None and found.state.usable:
        return Finding("Driver", NOTE, "it works, but nvidia-smi is not there to name it")
    return Finding("Driver", NOTE, NO_CARD)


def video_hardware(name: str, tried: Tried | None, driver: Driver, work: str) -> Finding:
    """NVDEC or NVENC.

    Args:
        tried: what came of opening it; None where torch can use no card.
        work: what it does, as "decoding".
    """
    if tried is None:
        return Finding(name, NOTE, UNUSABLE_CARD if driver.seems_there else NO_CARD)
    reasons = [tried] if isinstance(tried, str) else list(tried.values())
    text = tried.rstrip(".") if isinstance(tried, str) else _codecs(tried)
    if any(sign in reason for reason in reasons for sign in OLD_DRIVER):
        return Finding(name, PROBLEM, text, fixes.NEW_DRIVER)
    if all(reasons):
        return Finding(name, NOTE, f"{text}. Software does the {work}")
    return Finding(name, OK, text)


def processor(kind: str, cores: int, units: bool | None) -> Finding:
    """The processor; its matrix units are what makes half precision fast."""
    told = "not known" if units is None else "yes" if units else "no"
    plural = "s" * (cores != 1)
    return Finding("Processor", OK, f"{kind}, {cores} core{plural}, matrix units: {told}")


def packages(found: Sequence[Package], install: str) -> Finding:
    """All packages but torch."""
    problems = _grouped({package.name: package.problem for package in found if package.problem})
    if problems:
        return Finding("Packages", PROBLEM, "; ".join(problems), install)
    listed = (f"{package.name} {package.version}".rstrip() for package in found)
    return Finding("Packages", OK, ", ".join(listed))


def no_packages(error: MattingError) -> Finding:
    """The list of them is missing."""
    return Finding("Packages", PROBLEM, error.what, error.hint)


def ffmpeg(version: str, path: Path) -> Finding:
    """The ffmpeg program."""
    return Finding("ffmpeg", OK, f"{version}, {path.name}")


def no_ffmpeg(error: MattingError, *, named: bool, install: str, system: str) -> Finding:
    """Why there is none.

    Args:
        named: whether the variable names one.
        install: how packages are installed here.
    """
    remedy = fixes.without_variable(FFMPEG_VARIABLE, system) if named else install
    return Finding("ffmpeg", PROBLEM, error.what, remedy)


def checkpoint(found: Weights | None, system: str) -> Finding:
    """The network's weights."""
    name = "Checkpoint"
    if found is None:
        return Finding(name, NOTE, "not here yet: the first run downloads it (15 MB)")
    text = f"{found.path.name}, SHA-256 {found.sha256[:12]}..."
    if found.sha256 == weights.SHA256:
        return Finding(name, OK, f"{text}, the published one")
    text += ", not the published one"
    if not found.trouble:
        return Finding(name, NOTE, text)
    downloaded = found.path == weights.default_path()  # else somebody has put it there on purpose
    remedy = (
        fixes.without_file(found.path, system)
        if downloaded
        else fixes.without_variable(weights.VARIABLE, system)
    )
    return Finding(name, PROBLEM, f"{text}: {found.trouble}", remedy)


def no_checkpoint(error: MattingError, system: str) -> Finding:
    """What the variable names is not there."""
    remedy = fixes.without_variable(weights.VARIABLE, system)
    return Finding("Checkpoint", PROBLEM, error.what, remedy)


def free_disk(folder: Path, free_bytes: int | None) -> Finding:
    """The room on the disk that a folder is on."""
    if free_bytes is None:
        return Finding("Free disk", NOTE, f"{folder} does not tell")
    return Finding("Free disk", OK, f"{gigabytes(free_bytes)} in {folder}")


def _for_what(hip: str) -> str:
    return f"for AMD's cards (HIP {hip})" if hip else "without CUDA"


def _card(card: Card) -> str:
    """Its name and its memory, in the GB of 1024 MB by which cards are sold."""
    memory = "" if card.memory_bytes is None else f", {card.memory_bytes / 2**30:.0f} GB"
    return card.name + memory


def _codecs(tried: dict[str, str]) -> str:
    """Those that work, and the others by the reason."""
    works = [codec for codec, why in tried.items() if not why]
    failed = _grouped({f"not {codec}": why.rstrip(".") for codec, why in tried.items() if why})
    return "; ".join([", ".join(works)] * bool(works) + failed)


def _grouped(clauses: dict[str, str]) -> list[str]:
    """Names with what is said of them: once of those of which the same is said."""
    names: dict[str, list[str]] = {}
    for name, clause in clauses.items():
        names.setdefault(clause, []).append(name)
    return [f"{', '.join(those)}: {clause}" for clause, those in names.items()]
