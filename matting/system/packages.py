"""The Python packages that the program needs: what is installed, what loads, what is too old.

`doctor` asks this where packages are missing, `packaging` among them: it is loaded only to compare
versions, and without it none is found unsuitable, as the missing package is what has to be fixed.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matting.errors import MachineError, MissingError
from matting.system.fixes import REQUIREMENTS
from matting.system.subprocesses import run_isolated

REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^#;]*)")
MODULES = {"pillow": "PIL"}  # packages that are imported by another name
NOT_INSTALLED = "not installed"
LIMIT_SECONDS = 120.0  # on a cold disk, and while a virus scanner looks on


@dataclass(frozen=True)
class Package:
    """A package that is needed.

    Attributes:
        specifier: the versions that will do, as pip understands it; "" for any.
        version: the one that is installed; "" for none.
        trouble: what goes wrong when it is loaded, as a clause; "" for nothing.
    """

    name: str
    specifier: str = ""
    version: str = ""
    trouble: str = ""

    @property
    def problem(self) -> str:
        """What is wrong with it, as a clause; "" for nothing."""
        if self.trouble:
            return self.trouble
        if self.version and not satisfies(self.version, self.specifier):
            return f"{self.version}, and {self.specifier} is needed"
        return ""


def read_packages(requirements: Path = REQUIREMENTS) -> list[Package]:
    """Return what is needed, with the versions that are installed; load nothing.

    Raises:
        MissingError: the list of packages is not there.
    """
    try:
        lines = requirements.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise MissingError(
            f"{requirements.name}, which lists the packages, is missing.",
            "Unpack the whole download into one folder.",
        ) from error
    matches = [REQUIREMENT.match(line) for line in lines if not line.startswith(("#", "-"))]
    return [Package(one[1], one[2].strip(), _version(one[1])) for one in matches if one]


def load_isolated(names: Sequence[str]) -> dict[str, str]:
    """Load packages in a process of its own; return what goes wrong with each, "" for nothing."""
    try:
        return run_isolated(partial(load_each, tuple(names)), LIMIT_SECONDS)
    except MachineError as error:
        if len(names) > 1:  # only one of them crashes
            return {name: load_isolated([name])[name] for name in names}
        return dict.fromkeys(names, f"does not load ({error.what.rstrip('.')})")


def load_each(names: Sequence[str]) -> dict[str, str]:
    """Do as `load_isolated` does, in this process."""
    return {name: describe_failure(name, try_to_load(name)) for name in names}


def satisfies(version: str, specifier: str) -> bool:
    """Return whether a version is one of those that will do, such as ">=2.0,<3", as pip has it."""
    try:
        from packaging.specifiers import SpecifierSet
        from packaging.version import InvalidVersion
    except ImportError:
        return True  # cannot be told
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidVersion:
        return not specifier


def try_to_load(name: str) -> Exception | None:
    """Load a package; return what it raises."""
    try:
        importlib.import_module(_module(name))
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything
        return error
    return None


def describe_failure(name: str, error: Exception | None) -> str:
    """Return what went wrong when a package was loaded, as a clause; "" for nothing."""
    if error is None:
        return ""
    if isinstance(error, ModuleNotFoundError) and error.name == _module(name):
        return NOT_INSTALLED
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"does not load ({reason.rstrip('.')})"


def _module(name: str) -> str:
    return MODULES.get(name, name.replace("-", "_"))


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
