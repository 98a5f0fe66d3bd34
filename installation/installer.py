"""Setup: its steps, in order. A step that is done already is skipped."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from installation.arguments import SetupOptions, parse_arguments
from installation.commands import CommandRunner, SubprocessRunner
from installation.errors import INTERRUPTED, SetupError
from installation.gpus import GpuReport, detect_gpus
from installation.lock import Lock, read_lock
from installation.long_paths import check_root_length, long_paths_enabled
from installation.messages import note, say
from installation.other_gpus import OtherBuild, asked_build
from installation.pip_errors import NoBuildError
from installation.python_check import package_names
from installation.takeover import older_folders, take_over_weights
from installation.torch_setup import TORCH, TorchSetup
from installation.virtual_environment import VirtualEnvironment

ROOT = Path(__file__).resolve().parent.parent
DOCTOR_OK, DOCTOR_MISSING = 0, 3


def main(commands: CommandRunner | None = None, arguments: Sequence[str] = ()) -> int:
    """Run setup and return its exit code: 0 done, 3 something is missing, others as the program's.

    Args:
        commands: None for real subprocesses.
        arguments: as in `sys.argv[1:]`.
    """
    options = parse_arguments(arguments, os.environ)
    runner = commands or SubprocessRunner()
    installer = Installer(ROOT, sys.platform, os.environ, runner, options)
    try:
        return installer.run(sys.executable)
    except KeyboardInterrupt:
        print("\nInterrupted. Start setup again: what is installed stays.", flush=True)
        return INTERRUPTED
    except SetupError as error:
        print(f"\n{error}", flush=True)
        return error.exit_code


class Installer:
    """One run of setup.

    Args:
        root: the program's folder.
        platform: as in `sys.platform`.
        variables: the environment variables, by which nvidia-smi is looked up.
        options: what was asked for.
    """

    def __init__(
        self,
        root: Path,
        platform: str,
        variables: Mapping[str, str],
        commands: CommandRunner,
        options: SetupOptions = SetupOptions(),  # noqa: B008 - it is frozen
    ) -> None:
        self._options = options
        self._root, self._platform, self._commands = root, platform, commands
        self._variables = variables
        self._environment = VirtualEnvironment(root, platform, commands)
        self._script = "setup.bat" if platform == "win32" else "setup.sh"

    def run(self, base_python: str) -> int:
        """Run all steps and return doctor's exit code.

        Args:
            base_python: the Python that `.venv` is created from.

        Raises:
            SetupError: a step failed.
        """
        say(f"Setting up RVM on Segments in {self._root}")
        self._lock = self._read_lock()
        if self._platform == "win32" and not long_paths_enabled():
            check_root_length(self._root)
        # What stops setup is said before anything is downloaded.
        older = older_folders(self._root, self._options.older)
        asked = asked_build(self._variables, self._platform)
        gpus = self._detect_gpus() if asked is None else GpuReport()
        self._create_environment(base_python)
        self._install_packages()
        self._install_torch(gpus, asked)
        self._take_over(older)
        return self._run_doctor()

    def _detect_gpus(self) -> GpuReport:
        """Return the graphics cards.

        Raises:
            SetupError: there is a driver that fails, and the CPU was not asked for.
        """
        if self._options.cpu:
            return GpuReport(problem="The graphics card is left alone, as --cpu asks for.")
        gpus = detect_gpus(self._commands, self._platform, self._variables)
        if gpus.remedy:
            raise SetupError(
                gpus.problem,
                f"{gpus.remedy} then start setup again. To have the CPU do all the work, many "
                f"times slower, type: {self._script} --cpu",
            )
        return gpus

    def _create_environment(self, base_python: str) -> None:
        if self._environment.is_usable():
            say("\n1 of 4  .venv is there already.")
            return
        reason = " anew, because it is broken" * self._environment.exists()
        say(f"\n1 of 4  Creating .venv{reason}.")
        self._environment.create(base_python)

    def _install_packages(self) -> None:
        """Install all but torch: the tested set, or where it has no builds, whatever will do."""
        if self._environment.has_locked(self._lock.others):
            say("2 of 4  The packages are there already.")
            return
        say("2 of 4  Installing the packages: about 100 MB to download.")
        try:
            self._environment.install_locked(self._lock.others, "the packages")
        except NoBuildError as error:
            note(f"{str(error).splitlines()[0]} Taking others that will do.")
            others = [x for x in self._requirements() if package_names(x)[0] != TORCH]
            self._environment.install(others, "the packages")

    def _install_torch(self, gpus: GpuReport, asked: OtherBuild | None) -> None:
        say("\n3 of 4  The graphics card, and torch to compute on it.")
        requirements = [x for x in self._requirements() if package_names(x)[0] == TORCH]
        cpu = self._options.cpu
        torch_setup = TorchSetup(
            self._environment, self._platform, self._script, requirements, self._lock, cpu=cpu
        )
        if asked is None:
            torch_setup.install(gpus)
        else:
            torch_setup.install_other(asked)

    def _take_over(self, older: Sequence[Path]) -> None:
        for source in take_over_weights(self._root, older):
            note(
                f"Taken over: {source.name}, from {source.parent}\n"
                "(That folder, with its .venv, is needed no more, unless you go on using it.)"
            )

    def _run_doctor(self) -> int:
        say("\n4 of 4  Trying it out: doctor\n")
        program = str(self._root / "inference_custom.py")
        exit_code = self._commands.run([self._environment.python, program, "doctor"])
        if exit_code == DOCTOR_OK:
            say("\nSetup is done. Nothing is missing.")
            self._say_next()
        elif exit_code == DOCTOR_MISSING:
            say("\nSetup is done, except for what doctor lists above.")
        else:
            say(f"\nThe packages are installed, but doctor ended with exit code {exit_code}.")
        return exit_code

    def _say_next(self) -> None:
        """Say what to type now; setup.bat says what to drop."""
        if self._platform == "win32":
            return
        python = Path(self._environment.python).relative_to(self._root)
        program = f"{python.as_posix()} inference_custom.py"
        say(f"\nNext, in the folder {self._root}:")
        say(f"  {program} demo             draws a film and mattes it, to see it work")
        say(f"  {program} run VIDEO.mp4    mattes your own video")
        say(f"  {program} help             shows all commands")

    def _read_lock(self) -> Lock:
        try:
            return read_lock(self._root)
        except (OSError, ValueError) as error:
            raise SetupError(
                f"The list of the packages is missing, or damaged ({error}).",
                f"Unpack the whole download into one folder, and start {self._script} there.",
            ) from error

    def _requirements(self) -> list[str]:
        text = (self._root / "requirements_inference.txt").read_text(encoding="utf-8")
        lines = (line.split("#")[0].strip() for line in text.splitlines())
        return [line for line in lines if line]
