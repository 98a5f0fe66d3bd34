"""`.venv`: creating it, creating it anew if it is broken, and what is installed in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from installation.commands import CommandRunner
from installation.errors import STORAGE, SetupError
from installation.pip_errors import explain_failure
from installation.pip_progress import PipProgress

LOCKED_NAME = "locked.txt"
# Started by -c or -m, Python would import from the current folder first, and run what lies there.
ISOLATED = ("-I", "-X", "utf8")
CHECK_PYTHON = (
    "import struct, sys, pip; sys.exit(sys.version_info < (3, 10) or struct.calcsize('P') != 8)"
)
# pip without the user's own settings of it, which may name a folder of packages: even without an
# index, it would install from there.
PIP_ALONE = """
import os, runpy
for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
    del os.environ[name]
os.environ["PIP_CONFIG_FILE"] = os.devnull
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
# Loads torch and computes on the GPU: that a package is listed does not say that it works.
CHECK_TORCH = """
import json
report = {"version": "", "cuda": None, "gpu_works": False, "problem": ""}
try:
    import torch
    report["version"], report["cuda"] = torch.__version__, torch.version.cuda
    if torch.cuda.is_available():
        report["gpu_works"] = (torch.zeros(1, device="cuda") + 1).item() == 1
except Exception as error:
    report["problem"] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps(report))
"""


@dataclass(frozen=True)
class TorchReport:
    """Whether the installed torch works.

    Args:
        version: empty if it does not load.
        cuda: the version of CUDA it was built with, such as 13.0; None for a build for the CPU.
        gpu_works: whether it computes on a GPU.
        problem: why it does not load, or does not compute on the GPU.
    """

    version: str
    cuda: str | None
    gpu_works: bool
    problem: str


class VirtualEnvironment:
    """The virtual environment in `.venv` in the program's folder."""

    def __init__(self, root: Path, platform: str, commands: CommandRunner) -> None:
        self.folder = root / ".venv"
        self._log = root / "pip.log"
        executable = "Scripts/python.exe" if platform == "win32" else "bin/python"
        self.python = str(self.folder / executable)
        self._commands = commands

    def exists(self) -> bool:
        """Return whether there is anything of that name, usable or not."""
        return self.folder.exists() or self.folder.is_symlink()

    def is_usable(self) -> bool:
        """Return whether its Python starts, is new enough and 64-bit, and has pip."""
        return self._commands.capture([self.python, *ISOLATED, "-c", CHECK_PYTHON]).exit_code == 0

    def create(self, base_python: str) -> None:
        """Create it from `base_python`, deleting what was there before.

        Raises:
            SetupError: it cannot be deleted or created.
        """
        self._delete()
        command = [base_python, *ISOLATED, "-m", "venv", str(self.folder)]
        if self._commands.run(command) or not self.is_usable():
            raise SetupError(
                f"{self.folder} could not be created.",
                "The lines above say why. On Debian and Ubuntu, install the package python3-venv; "
                "if the disk is full, free some space. Then start setup again.",
                STORAGE,
            )

    def has_installed(self, requirements: Sequence[str]) -> bool:
        """Return whether pip finds these installed, in suitable versions; contacts no index."""
        options = ["--no-index", "--quiet", *requirements]
        command = [self.python, *ISOLATED, "-c", PIP_ALONE, "install", *options]
        return self._commands.capture(command).exit_code == 0

    def install(
        self, requirements: Sequence[str], package: str, index_url: str | None = None
    ) -> None:
        """Install the requirements with pip; show what it is at in one line.

        Args:
            package: what they are, for an error's message.

        Raises:
            SetupError: pip failed, for the reason in its log, which stays.
        """
        log = self._log
        log.unlink(missing_ok=True)
        index = ["--index-url", index_url] if index_url else []
        command = [*self._pip(), "--log", str(log), "install", *index, *requirements]
        progress = PipProgress()
        try:
            exit_code = self._commands.follow(command, progress)
        finally:
            progress.finish()
        if exit_code == 0:
            with suppress(OSError):  # a virus scanner may look at it
                log.unlink(missing_ok=True)
            return
        text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        host = index_url.split("/")[2] if index_url else "PyPI"
        raise explain_failure(text, package, host, log)

    def has_locked(self, locked: str) -> bool:
        """Return whether all of these are installed, in just these versions; contacts no index.

        Args:
            locked: the text of a requirements file with the packages' SHA-256.
        """
        return self.has_installed(self._locked_options(locked))

    def install_locked(self, locked: str, package: str, options: Sequence[str] = ()) -> None:
        """Install just these packages, comparing the SHA-256 of each.

        Args:
            locked: the text of a requirements file with the packages' SHA-256.
            package: what they are, for an error's message.
            options: more for pip.

        Raises:
            SetupError: pip failed, for the reason in its log, which stays.
        """
        self.install([*options, *self._locked_options(locked)], package)

    def _locked_options(self, locked: str) -> list[str]:
        """Write the file, and return what makes pip keep to it."""
        file = self.folder / LOCKED_NAME
        try:
            file.write_text(locked, encoding="utf-8")
        except OSError as error:
            raise SetupError(
                f"{file} cannot be written ({error.strerror}).",
                "Free some space, and close every other window of this program, then start setup "
                "again.",
                STORAGE,
            ) from error
        # No source is built: a compiler may be missing, and would take its time.
        return ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(file)]

    def check_torch(self) -> TorchReport:
        """Load torch there, and compute something on the GPU if there is one."""
        result = self._commands.capture([self.python, *ISOLATED, "-c", CHECK_TORCH])
        lines = result.output.strip().splitlines() or [f"exit code {result.exit_code}"]
        try:
            return TorchReport(**json.loads(lines[-1]))
        except (ValueError, TypeError):  # it crashed before it could report
            return TorchReport("", None, gpu_works=False, problem=lines[-1])

    def _pip(self) -> list[str]:
        return [self.python, *ISOLATED, "-m", "pip"]

    def _delete(self) -> None:
        if not self.exists():
            return
        try:
            if self.folder.is_dir() and not self.folder.is_symlink():
                shutil.rmtree(self.folder)
            else:
                self.folder.unlink()
        except OSError as error:
            raise SetupError(
                f"{self.folder} is broken and cannot be deleted ({error.strerror}).",
                "Close every other window of this program, delete the folder .venv by hand, "
                "then start setup again.",
                STORAGE,
            ) from error
