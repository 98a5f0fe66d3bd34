"""A folder of hostile files, named like what a program looks for; each tells when it is run."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

PACKAGES = [
    "av",
    "filelock",
    "msgspec",
    "numpy",
    "pip",
    "sitecustomize",
    "torch",
    "tqdm",
    "matting",
]
MODULES = {*PACKAGES, *sys.stdlib_module_names}
PROGRAMS = ["cc", "ffmpeg", "gcc", "nvidia-smi", "python", "python3", "python3.13"]


class HostileFolder:
    """A folder with a module of each name, and programs."""

    def __init__(self, folder: Path, modules: Collection[str] = MODULES) -> None:
        self.path = folder
        folder.mkdir(exist_ok=True)
        self._record = folder / "executed.txt"
        for name in modules:
            text = f"with open({str(self._record)!r}, 'a') as record:\n    record.write({name!r})\n"
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        for name in PROGRAMS:
            text = f"#!/bin/sh\necho {name} >> '{self._record}'\n"
            (folder / name).write_text(text, encoding="utf-8")
            (folder / name).chmod(0o755)

    @property
    def executed(self) -> str:
        """What has been executed of it."""
        return self._record.read_text(encoding="utf-8") if self._record.exists() else ""
