"""`.venv`: made, made anew where it is not whole, and asked what is in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from installation.errors import STORAGE, SetupError
from installation.pip_words import explain
from installation.programs import Programs

WHOLE = "import struct, sys, pip; sys.exit(sys.version_info < (3, 10) or struct.calcsize('P') != 8)"
# Loaded, and tried on the card: that packages are listed does not say that they work.
TRY_TORCH = """
import json
found = {"torch": "", "cuda": None, "card": False, "trouble": ""}
try:
    import torch, torchvision
    found["torch"], found["cuda"] = torch.__version__, torch.version.cuda
    if torch.cuda.is_available():
        found["card"] = (torch.zeros(1, device="cuda") + 1).item() == 1
except Exception as error:
    found["trouble"] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps(found))
"""


@dataclass(frozen=True)
class Torch:
    """How the installed torch does.

    Args:
        torch: its version; empty where it does not load.
        cuda: what it was built with, such as 13.0; None where it is a build for the CPU.
        card: whether it computes on a graphics card.
        trouble: why it does not load, or not compute on the card.
    """

    torch: str
    cuda: str | None
    card: bool
    trouble: str


class Environment:
    """The virtual environment in `.venv` of the program's folder."""

    def __init__(self, root: Path, platform: str, programs: Programs) -> None:
        self.folder = root / ".venv"
        inside = "Scripts/python.exe" if platform == "win32" else "bin/python"
        self.python = str(self.folder / inside)
        self._programs = programs

    def is_there(self) -> bool:
        """Whether there is something, whole or not."""
        return self.folder.exists() or self.folder.is_symlink()

    def is_whole(self) -> bool:
        """Whether its Python starts, is of a kind that serves, and has pip."""
        return self._programs.ask([self.python, "-c", WHOLE]).code == 0

    def make(self, base: str) -> None:
        """Makes it, from the Python `base`; what was there before is deleted.

        Raises:
            SetupError: it cannot be deleted or made.
        """
        self._delete()
        if self._programs.show([base, "-m", "venv", str(self.folder)]) or not self.is_whole():
            raise SetupError(
                f"{self.folder} could not be made.",
                "The lines above say why. On Debian and Ubuntu, install the package python3-venv; "
                "a full disk needs room. Then start setup again.",
                STORAGE,
            )

    def has(self, requirements: Sequence[str]) -> bool:
        """Whether pip finds these installed, in versions that fit; reaches no index."""
        options = ["--no-index", "--quiet", *requirements]
        return self._programs.ask([self.python, "-m", "pip", "install", *options]).code == 0

    def install(self, requirements: Sequence[str], what: str, index: str | None = None) -> None:
        """Has pip install them, in this window.

        Raises:
            SetupError: pip could not, for the reason that it gives.
        """
        log = self.folder / "pip.log"
        log.unlink(missing_ok=True)
        source = ["--index-url", index] if index else []
        command = [self.python, "-m", "pip", "--log", str(log), "install", *source, *requirements]
        if self._programs.show(command) == 0:
            return
        words = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        raise explain(words, what, index.split("/")[2] if index else "PyPI")

    def try_torch(self) -> Torch:
        """Loads torch and torchvision there, and computes something on the card if there is one."""
        answer = self._programs.ask([self.python, "-c", TRY_TORCH])
        lines = answer.output.strip().splitlines() or [f"it ended with exit code {answer.code}"]
        try:
            return Torch(**json.loads(lines[-1]))
        except (ValueError, TypeError):  # it crashed before it could say anything
            return Torch("", None, False, lines[-1])

    def _delete(self) -> None:
        if not self.is_there():
            return
        try:
            if self.folder.is_dir() and not self.folder.is_symlink():
                shutil.rmtree(self.folder)
            else:
                self.folder.unlink()
        except OSError as error:
            raise SetupError(
                f"{self.folder} is not whole and cannot be deleted ({error.strerror}).",
                "Close every other window of this program, delete the folder .venv by hand, "
                "then start setup again.",
                STORAGE,
            ) from error
