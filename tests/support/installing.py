"""A machine that is set up: stand-ins for nvidia-smi, pip and all other programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from installation.environment import TRY_TORCH, WHOLE, Environment
from installation.programs import Answer
from installation.setting_up import SettingUp
from tests.support.repository import ROOT

BASE = "base python"
PYTORCH = "https://download.pytorch.org/whl/"
RTX_4090 = "581.29, 8.9, NVIDIA GeForce RTX 4090"
GTX_1080 = "581.29, 6.1, NVIDIA GeForce GTX 1080"


class Machine:
    """Plays all other programs, and keeps what is installed.

    Args:
        smi: what nvidia-smi prints for the query with the compute capability.
    """

    def __init__(self, root: Path, platform: str, smi: str | None = None) -> None:
        self.root, self.platform = root, platform
        self.python = Environment(root, platform, self).python
        self.smi = Answer(0, smi or "")
        self.whole = False
        self.torch = ""  # the installed one, such as 2.14.1+cu130
        self.torch_loads = self.card_works = True
        self.rest = False
        self.empty_indexes: set[str] = set()  # where pip finds no build
        self.ignores_index = False
        self.pip_fails_with = ""
        self.doctor = 0
        self.installs: list[list[str]] = []
        self.shown: list[list[str]] = []
        self.variables = {"PATH": str(root / "bin"), "SYSTEMROOT": str(root)}
        if smi is not None:
            name = "System32/nvidia-smi.exe" if platform == "win32" else "bin/nvidia-smi"
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        for file in ("requirements_inference.txt", "inference_custom.py"):
            shutil.copyfile(ROOT / file, root / file)

    def set_up(self) -> int:
        return SettingUp(self.root, self.platform, self.variables, self).run(BASE)

    def show(self, command: Sequence[str]) -> int:
        self.shown.append(list(command))
        if command[:3] == [BASE, "-m", "venv"]:
            Path(self.python).parent.mkdir(parents=True)
            self.whole = True
            return 0
        assert command[0] == self.python
        if command[1].endswith("inference_custom.py"):
            assert command[2:] == ["doctor"]
            return self.doctor
        assert list(command[1:4]) == ["-m", "pip", "--log"]
        return self._pip(command[4], list(command[6:]))

    def ask(self, command: Sequence[str]) -> Answer:
        if "nvidia-smi" in command[0]:
            return self.smi
        assert command[0] == self.python
        if command[1:] == ["-c", WHOLE]:
            return Answer(0 if self.whole else 127, "")
        if command[1:] == ["-c", TRY_TORCH]:
            return self._try_torch()
        assert "--no-index" in command
        there = self.rest if "-r" in command else bool(self.torch)
        return Answer(0 if there else 1, "")

    def _pip(self, log: str, options: list[str]) -> int:
        self.installs.append(options)
        if self.pip_fails_with:
            Path(log).write_text(self.pip_fails_with, encoding="utf-8")
            return 1
        if "-r" in options:
            self.rest = True
            return 0
        index = options[options.index("--index-url") + 1] if "--index-url" in options else ""
        if index in self.empty_indexes:
            Path(log).write_text("ERROR: No matching distribution found for torch>=2.10")
            return 1
        if self.torch and "--force-reinstall" not in options:
            return 0  # satisfied with what is there
        on_pypi = "2.15.0+cu132" if self.platform == "linux" else "2.15.0+cpu"
        tag = index.removeprefix(PYTORCH)
        self.torch = f"2.14.1+{tag}" if tag and not self.ignores_index else on_pypi
        return 0

    def _try_torch(self) -> Answer:
        if not self.torch_loads:
            return Answer(1, "Traceback\nOSError: [WinError 126] c10.dll")
        tag = self.torch.partition("+")[2]
        cuda = f"{tag[2:4]}.{tag[4:]}" if tag.startswith("cu") else None
        card = bool(cuda) and self.card_works and bool(self.smi.output)
        found = {"torch": self.torch, "cuda": cuda, "card": card, "trouble": ""}
        return Answer(0, f"a warning\n{json.dumps(found)}\n")


def machine(tmp_path: Path, platform: str, *cards: str) -> Machine:
    return Machine(tmp_path, platform, "\n".join(cards) if cards else None)
