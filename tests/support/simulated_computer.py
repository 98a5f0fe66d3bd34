"""A computer to run setup on: stand-ins for nvidia-smi, pip and all other programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from installation.arguments import SetupOptions
from installation.commands import LIMIT_SECONDS, CommandResult
from installation.installer import Installer
from installation.lock import read_lock
from installation.virtual_environment import (
    CHECK_PYTHON,
    CHECK_TORCH,
    ISOLATED,
    VirtualEnvironment,
)
from tests.support.repository import ROOT

BASE_PYTHON = "base python"
TESTED = read_lock(ROOT).torch_version
PYTORCH = "https://download.pytorch.org/whl/"
RTX_4090 = "581.29, 8.9, NVIDIA GeForce RTX 4090"
GTX_1080 = "581.29, 6.1, NVIDIA GeForce GTX 1080"


class SimulatedComputer:
    """Plays all other programs, and remembers what is installed.

    Args:
        smi_output: what nvidia-smi prints for the query with the compute capability; None if
            there is no nvidia-smi.
    """

    def __init__(self, root: Path, platform: str, smi_output: str | None = None) -> None:
        self.root, self.platform = root, platform
        self.python = VirtualEnvironment(root, platform, self).python
        self.smi = CommandResult(0, smi_output or "")
        self.venv_usable = False
        self.torch = ""  # the installed version, such as 2.14.1+cu130
        self.torch_loads = self.gpu_works = True
        self.others_installed = False
        self.empty_indexes: set[str] = set()  # where pip finds no build
        self.lacks_tested = False  # pip finds none of the versions in the lock
        self.ignores_index = False
        self.pip_log = ""  # pip fails with this in its log
        self.doctor_exit_code = 0
        self.installs: list[list[str]] = []
        self.torch_installs: list[list[str]] = []  # those of them that are torch's
        self.commands: list[list[str]] = []  # those whose output is visible
        self.variables = {"PATH": str(root / "bin"), "SYSTEMROOT": str(root)}
        if smi_output is not None:
            name = "System32/nvidia-smi.exe" if platform == "win32" else "bin/nvidia-smi"
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        for file in ("requirements_inference.txt", "requirements.lock", "inference_custom.py"):
            shutil.copyfile(ROOT / file, root / file)

    def set_up(self, options: SetupOptions = SetupOptions()) -> int:  # noqa: B008 - it is frozen
        if self.venv_usable:
            Path(self.python).parent.mkdir(parents=True, exist_ok=True)
        installer = Installer(self.root, self.platform, self.variables, self, options)
        return installer.run(BASE_PYTHON)

    def run(self, command: Sequence[str]) -> int:
        self.commands.append(list(command))
        if command[:-1] == [BASE_PYTHON, *ISOLATED, "-m", "venv"]:
            Path(self.python).parent.mkdir(parents=True)
            self.venv_usable = True
            return 0
        assert command[0] == self.python
        assert command[1].endswith("inference_custom.py")
        assert command[2:] == ["doctor"]
        return self.doctor_exit_code

    def follow(self, command: Sequence[str], on_line: Callable[[str | None], None]) -> int:
        assert command[0] == self.python
        arguments = command[1 + len(ISOLATED) :]
        on_line("Collecting things")
        assert list(arguments[:3]) == ["-m", "pip", "--log"]
        return self._pip(arguments[3], list(arguments[5:]))

    def capture(
        self, command: Sequence[str], limit_seconds: float = LIMIT_SECONDS
    ) -> CommandResult:
        if "nvidia-smi" in command[0]:
            return self.smi
        assert command[0] == self.python
        if command[1:] == [*ISOLATED, "-c", CHECK_PYTHON]:
            return CommandResult(0 if self.venv_usable else 127, "")
        if command[1:] == [*ISOLATED, "-c", CHECK_TORCH]:
            return self._check_torch()
        assert "--no-index" in command
        installed = self.others_installed if "-r" in command else bool(self.torch)
        return CommandResult(0 if installed else 1, "")

    def _pip(self, log: str, options: list[str]) -> int:
        self.installs.append(options)
        text = Path(options[-1]).read_text("utf-8") if "-r" in options else " ".join(options)
        is_torch = "torch==" in text or "torch>=" in text
        if is_torch:
            self.torch_installs.append(options)
        if self.pip_log:
            Path(log).write_text(self.pip_log, encoding="utf-8")
            return 1
        if self.lacks_tested and "==" in text:
            return self._refuse(log)
        if not is_torch:
            self.others_installed = True
            return 0
        return self._install_torch(log, options)

    def _install_torch(self, log: str, options: list[str]) -> int:
        index = options[options.index("--index-url") + 1] if "--index-url" in options else ""
        if index in self.empty_indexes:
            return self._refuse(log)
        pin = next((option[7:] for option in options if option.startswith("torch==")), "")
        if self.torch and "--force-reinstall" not in options and pin in {"", self.torch}:
            return 0  # satisfied with what is there
        version = pin.partition("+")[0] or TESTED
        tag = index.removeprefix(PYTORCH)
        on_pypi = f"{TESTED}+{'cu130' if self.platform == 'linux' else 'cpu'}"
        self.torch = f"{version}+{tag}" if tag and not self.ignores_index else on_pypi
        return 0

    def _refuse(self, log: str) -> int:
        Path(log).write_text("ERROR: No matching distribution found for torch>=2.10")
        return 1

    def _check_torch(self) -> CommandResult:
        if not self.torch_loads:
            return CommandResult(1, "Traceback\nOSError: [WinError 126] c10.dll")
        tag = self.torch.partition("+")[2]
        cuda = f"{tag[2:4]}.{tag[4:]}" if tag.startswith("cu") else None
        gpu_works = bool(cuda) and self.gpu_works and bool(self.smi.output)
        report = {"version": self.torch, "cuda": cuda, "gpu_works": gpu_works, "problem": ""}
        return CommandResult(0, f"a warning\n{json.dumps(report)}\n")


def computer_with(tmp_path: Path, platform: str, *gpus: str) -> SimulatedComputer:
    """Return one with these lines of nvidia-smi; without any, it has no nvidia-smi."""
    return SimulatedComputer(tmp_path, platform, "\n".join(gpus) if gpus else None)
