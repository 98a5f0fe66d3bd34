"""The steps, in order: each is skipped where it was done before."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

from installation.builds import Build, fitting
from installation.cards import Graphics, look
from installation.environment import Environment, Torch
from installation.errors import BAD_PLACE, INTERRUPTED, SetupError
from installation.pip_words import NoBuildError
from installation.programs import Programs, RealPrograms
from installation.this_python import package_names

ROOT = Path(__file__).resolve().parent.parent
DONE, DOCTOR_MISSES = 0, 3
FROM_INDEX = ("torch", "torchvision")
DRIVER = "https://www.nvidia.com/drivers"
# Windows' limit, less the longest name in torch's wheel (119) and \.venv\Lib\site-packages\.
LONGEST_ROOT = 259 - 119 - 26
REDISTRIBUTABLE = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
LIBRARY_MISSING = ("WinError 126", "WinError 127", "WinError 1114", "DLL load failed")


def main(programs: Programs | None = None) -> int:
    """Sets up; returns the exit code: 0 done, 3 something is missing, others as the program's."""
    setup = SettingUp(ROOT, sys.platform, os.environ, programs or RealPrograms())
    try:
        return setup.run(sys.executable)
    except KeyboardInterrupt:
        print("\nInterrupted. Start setup again: what is installed stays.", flush=True)
        return INTERRUPTED
    except SetupError as error:
        print(f"\n{error}", flush=True)
        return error.exit_code


class SettingUp:
    """One start of setup.

    Args:
        platform: as in `sys.platform`.
        environment: the variables, where folders are looked up.
    """

    def __init__(
        self, root: Path, platform: str, environment: Mapping[str, str], programs: Programs
    ) -> None:
        self._root, self._platform, self._programs = root, platform, programs
        self._variables = environment
        self._environment = Environment(root, platform, programs)
        self._again = "setup.bat" if platform == "win32" else "setup.sh"

    def run(self, base: str) -> int:
        """All steps; `base` is the Python that `.venv` is made from.

        Raises:
            SetupError: a step failed.
        """
        say(f"Setting up RVM on Segments in {self._root}")
        if self._platform == "win32" and not long_paths_allowed():
            refuse_long_root(self._root)
        self._make_environment(base)
        say("2 of 4  The graphics card, and torch to compute on it.")
        self._install_torch(look(self._programs, self._platform, self._variables))
        self._install_rest()
        return self._doctor()

    def _make_environment(self, base: str) -> None:
        if self._environment.is_whole():
            say("\n1 of 4  .venv is there.")
            return
        anew = ": what is there is not whole, and is made anew" * self._environment.is_there()
        say(f"\n1 of 4  Making .venv{anew}.")
        self._environment.make(base)

    def _install_torch(self, graphics: Graphics) -> None:
        builds = self._builds(graphics)
        wanted = [line for line in self._requirements() if package_names(line)[0] in FROM_INDEX]
        there = self._environment.try_torch() if self._environment.has(wanted) else None
        if there and self._suits(there, builds):
            note(f"torch {there.torch} is there.")
            self._warn(there, builds)
            return
        size = "about 3 GB" if builds or self._platform == "linux" else "about 150 MB"
        note(
            f"Installing torch and torchvision: {size} to download, which takes minutes, or\n"
            "longer on a slow line. While they are unpacked, nothing moves for a while."
        )
        self._install_first(builds, wanted, force=there is not None)
        now = self._environment.try_torch()
        if there is None and now.torch and not self._suits(now, builds):
            self._install_first(builds, wanted, force=True)  # beside a torch that pip left
            now = self._environment.try_torch()
        if not now.torch:
            raise SetupError(f"torch is installed, but does not load: {now.trouble}", cure(now))
        if builds and not any(b.is_installed(now.cuda, self._platform) for b in builds):
            raise SetupError(
                f"pip took torch {now.torch} from another index than it was told.",
                "Your own settings of pip name that index. See: python -m pip config list",
            )
        self._warn(now, builds)

    def _builds(self, graphics: Graphics) -> tuple[Build, ...]:
        """The builds for the cards, none where the CPU has to do; tells what was found."""
        if self._platform == "darwin":
            note("No NVIDIA graphics cards on macOS: the CPU will do the work, slowly.")
            return ()
        if not graphics.cards:
            note(
                f"{graphics.trouble}\n"
                "WARNING: the CPU will do all the work, many times slower. If there is such a "
                f"card,\ninstall its driver from {DRIVER} and start {self._again} again."
            )
            return ()
        note(f"Graphics card: {graphics.describe()}.")
        builds = fitting(graphics.driver, [c.capability for c in graphics.cards], self._platform)
        if not builds:
            note(
                "WARNING: no build of PyTorch runs on this card with this driver: the CPU "
                "will do all the work,\nmany times slower. Install the newest driver from "
                f"{DRIVER}\nand start {self._again} again. (Cards older than the GTX 900 "
                "series serve no more.)"
            )
        for card in graphics.cards:
            if builds and not builds[0].serves(card.capability):
                note(f"{card.name} is too old or too new for that build and stays unused.")
        return builds

    def _suits(self, torch: Torch, builds: tuple[Build, ...]) -> bool:
        """Whether it may stay: it loads, and computes on the card or is the build that should."""
        if not torch.torch:
            return False
        right = any(build.is_installed(torch.cuda, self._platform) for build in builds)
        return torch.card or right or not builds

    def _install_first(self, builds: tuple[Build, ...], wanted: list[str], *, force: bool) -> None:
        """Installs the first build that there is for this Python.

        Args:
            force: another torch is there, which pip would leave.
        """
        indexes = list(dict.fromkeys(build.index(self._platform) for build in builds)) or [None]
        options = [*wanted, *(["--force-reinstall"] if force else [])]
        for number, index in enumerate(indexes):
            note(f"From {index or 'PyPI'}\n")
            try:
                return self._environment.install(options, "torch", index)
            except NoBuildError:
                if number == len(indexes) - 1:
                    raise
            note("That index has none for this Python. The next one is tried.")
        return None

    def _warn(self, torch: Torch, builds: tuple[Build, ...]) -> None:
        if builds and not torch.card:
            note(
                f"\nWARNING: torch {torch.torch} does not compute on the graphics card "
                f"({torch.trouble or 'it finds none'}).\nRestart the computer; if that "
                f"does not help, install the newest driver from {DRIVER}"
            )

    def _install_rest(self) -> None:
        path = str(self._root / "requirements_inference.txt")
        if self._environment.has(["-r", path]):
            say("3 of 4  All other packages are there.")
            return
        say("\n3 of 4  Installing the other packages: about 100 MB to download.\n")
        self._environment.install(["-r", path], "the packages")

    def _doctor(self) -> int:
        say("\n4 of 4  Trying it out: doctor\n")
        program = str(self._root / "inference_custom.py")
        code = self._programs.show([self._environment.python, program, "doctor"])
        if code == DONE:
            say("\nSetup is done. Nothing is missing.")
        elif code == DOCTOR_MISSES:
            say("\nSetup is done, but for what doctor names above.")
        else:
            say(f"\nThe packages are installed, but doctor ended with exit code {code}.")
        return code

    def _requirements(self) -> list[str]:
        text = (self._root / "requirements_inference.txt").read_text(encoding="utf-8")
        lines = (line.split("#")[0].strip() for line in text.splitlines())
        return [line for line in lines if line]


def say(text: str) -> None:
    """Prints at once, before another program prints."""
    print(text, flush=True)


def note(text: str) -> None:
    """The same, below the step that it belongs to."""
    say(indent(text, " " * 8))


def cure(torch: Torch) -> str:
    """What to do about a torch that does not load."""
    if any(words in torch.trouble for words in LIBRARY_MISSING):
        return (
            f"Install Microsoft's Visual C++ libraries, {REDISTRIBUTABLE}, then start setup again."
        )
    return "Delete the folder .venv, then start setup again."


def refuse_long_root(root: Path) -> None:
    """Refuses a folder in which torch's longest paths pass Windows' limit of 260 characters.

    Raises:
        SetupError: it is too long.
    """
    if len(str(root)) > LONGEST_ROOT:
        raise SetupError(
            f"This folder's path is too long: {len(str(root))} characters, where torch leaves "
            f"{LONGEST_ROOT} at most.",
            "Move the folder to a shorter place, such as C:\\rvm, and start setup again there.",
            BAD_PLACE,
        )


def long_paths_allowed() -> bool:
    """Whether this Windows takes paths of more than 260 characters."""
    if sys.platform != "win32":
        return False
    import winreg  # noqa: PLC0415 - there is none elsewhere

    place = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False
