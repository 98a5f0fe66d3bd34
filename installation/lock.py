"""requirements.lock: the set of packages that the program is tested with, each with its SHA-256.

torch has other builds than PyPI's, which bring other libraries of NVIDIA's, from an index of their
own; no hashes of those are in the lock, only torch's version. So the lock is read in two parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

NAME = "requirements.lock"
PIN = re.compile(r"([a-z0-9][a-z0-9._-]*)==(\S+)")
# What comes with torch, and differs with its build.
OF_TORCH = re.compile(r"(torch|triton|nvidia-.+|cuda-.+)")


@dataclass(frozen=True)
class Lock:
    """The tested set.

    Args:
        torch_version: without a build, such as 2.14.1.
        torch: PyPI's build of torch with all that it brings, as the text of a requirements file.
        others: all other packages, also those that torch needs in every build.
    """

    torch_version: str
    torch: str
    others: str


def read_lock(root: Path) -> Lock:
    """Return the lock in the program's folder.

    Raises:
        OSError: it is not there.
        ValueError: there is no torch in it.
    """
    of_torch: list[str] = []
    others: list[str] = []
    version = ""
    text = (root / NAME).read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=[a-z0-9])", text):
        pin = PIN.match(entry)
        if pin is None:  # the remarks at the top
            continue
        if pin[1] == "torch":
            version = pin[2]
        (of_torch if OF_TORCH.fullmatch(pin[1]) else others).append(entry.rstrip() + "\n")
    if not version:
        raise ValueError(f"{NAME} names no torch")
    return Lock(version, "".join(of_torch), "".join(others))
