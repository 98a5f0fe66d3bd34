"""Whether the packages are there that sharing work needs; nothing of them is imported."""

from __future__ import annotations

from pathlib import Path

from matting.errors import MissingError
from matting.system.invocation import ROOT, pip_line
from matting.system.packages import NOT_INSTALLED, read_packages

REQUIREMENTS = ROOT / "requirements_cluster.txt"


def require_dask(requirements: Path = REQUIREMENTS) -> None:
    """Refuse to share work where a package for it is missing or too old.

    Raises:
        MissingError: names them, and the command that installs them.
    """
    troubles = [
        f"{package.name} ({package.problem if package.version else NOT_INSTALLED})"
        for package in read_packages(requirements)
        if package.problem or not package.version
    ]
    if not troubles:
        return
    raise MissingError(
        "Work is shared with other devices and computers by packages that are missing here, or too "
        f"old: {', '.join(troubles)}.",
        f"Install them: {pip_line('install', '-r', requirements_name(requirements))}",
    )


def requirements_name(requirements: Path = REQUIREMENTS) -> str:
    """Return the list of the packages as it is typed in the current folder."""
    return requirements.name if Path.cwd() == requirements.parent else str(requirements)
