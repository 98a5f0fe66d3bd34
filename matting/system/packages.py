"""The Python packages that the program needs: what is installed, what loads, what is too old."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matting.errors import MachineError, MissingError
from matting.system.fixes import ROOT
from matting.system.subprocesses import run_isolated

REQUIREMENTS = ROOT / "requirements_inference.txt"
REQUIREMENT = re.compile(r"([A-Za-z0-9_-]+)\s*([<>=!~,.\d\s]*)")
NOT_INSTALLED = "not installed"
LIMIT_SECONDS = 120.0  # on a cold disk, and under a virus scanner's eyes


@dataclass(frozen=True)
class Package:
    """One of them.

    Attributes:
        wanted: the versions that will do, as pip understands it.
        version: the one that is installed; "" for none.
        trouble: what is wrong when it is loaded, as a clause; "" where nothing is.
    """

    name: str
    wanted: str = ""
    version: str = ""
    trouble: str = ""

    @property
    def problem(self) -> str:
        """A clause; "" where all is well."""
        if self.trouble:
            return self.trouble
        if self.version and not fits(self.version, self.wanted):
            return f"{self.version}, and {self.wanted} is needed"
        return ""


def read_packages(requirements: Path = REQUIREMENTS) -> list[Package]:
    """What is needed, and the versions that are installed; none is loaded.

    Raises:
        MissingError: the list of them is not there.
    """
    try:
        lines = requirements.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise MissingError(
            f"{requirements.name}, which lists the packages, is missing.",
            "Unpack the whole download into one folder.",
        ) from error
    found = [REQUIREMENT.match(line) for line in lines if not line.startswith(("#", "-"))]
    return [Package(one[1], one[2].strip(), _version(one[1])) for one in found if one]


def load_isolated(packages: Sequence[str]) -> dict[str, str]:
    """Loads packages, in a process of its own; what is wrong with each, "" where nothing is."""
    try:
        return run_isolated(partial(load_each, tuple(packages)), LIMIT_SECONDS)
    except MachineError as error:
        if len(packages) > 1:  # it is only one that crashes
            return {name: load_isolated([name])[name] for name in packages}
        return dict.fromkeys(packages, f"does not load ({error.what.rstrip('.')})")


def load_each(packages: Sequence[str]) -> dict[str, str]:
    """As `load_apart`, in this process."""
    return {name: trouble_with(name) for name in packages}


def fits(version: str, wanted: str) -> bool:
    """Whether a version is one of `>=2.0,<3`."""
    own = _numbers(version)
    for bound in filter(None, wanted.split(",")):
        sign, limit = bound.strip()[:2].rstrip("0123456789"), _numbers(bound.strip("<>= "))
        if (sign == ">=" and own < limit) or (sign == "<" and own >= limit):
            return False
    return True


def trouble_with(name: str) -> str:
    """Loads a package; what is wrong with it, as a clause, "" where nothing is."""
    module = name.replace("-", "_")
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - whatever a broken package raises, it is told
        if isinstance(error, ModuleNotFoundError) and error.name == module:
            return NOT_INSTALLED
        words = f"{type(error).__name__}: {error}".splitlines()[0]
        return f"does not load ({words.rstrip('.')})"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of 2.14.1+cu130, without zeros at their end."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
