"""Setup: its steps, in order. A step that is done already is skipped."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import indent

from installation.arguments import SetupOptions, parse_arguments
from installation.commands import CommandRunner, SubprocessRunner
from installation.errors import INTERRUPTED, MISSING, SetupError
from installation.gpus import DRIVER_URL, GpuReport, detect_gpus
from installation.long_paths import check_root_length, long_paths_enabled
from installation.other_gpus import MAC, OtherBuild, asked_build, hint_at_others
from installation.pip_errors import NoBuildError
from installation.python_check import package_names
from installation.torch_builds import CPU_INDEX, TorchBuild, suitable_builds
from installation.virtual_environment import TorchReport, VirtualEnvironment

ROOT = Path(__file__).resolve().parent.parent
DOCTOR_OK, DOCTOR_MISSING = 0, 3
TORCH = "torch"
VISUAL_CPP_URL = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
MISSING_LIBRARY_SIGNS = ("WinError 126", "WinError 127", "WinError 1114", "DLL load failed")


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
        if self._platform == "win32" and not long_paths_enabled():
            check_root_length(self._root)
        gpus = self._detect_gpus()  # what stops setup is said before anything is downloaded
        self._create_environment(base_python)
        say("2 of 4  The graphics card, and torch to compute on it.")
        self._install_torch(gpus)
        self._install_other_packages()
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

    def _install_torch(self, gpus: GpuReport) -> None:
        requirements = [line for line in self._requirements() if package_names(line)[0] == TORCH]
        asked = asked_build(self._variables, self._platform)
        if asked is not None:
            return self._install_other_build(asked, requirements)
        builds = self._choose_builds(gpus)
        found = self._environment.has_installed(requirements)
        before = self._environment.check_torch() if found else None
        if before and self._can_stay(before, builds):
            note(f"torch {before.version} is there already.")
            return self._warn_of_idle_gpu(before, builds)
        size = "about 3 GB" if builds else "about 200 MB"
        note(
            f"Installing torch: {size} to download, which takes minutes, or longer on a slow\n"
            "connection."
        )
        self._install_build(builds, requirements, force=found)
        torch = self._environment.check_torch()
        if not torch.version:
            message = f"torch is installed, but does not load: {torch.problem}"
            raise SetupError(message, fix_for(torch))
        if builds and not any(b.is_installed(torch.cuda, self._platform) for b in builds):
            raise SetupError(
                f"pip took torch {torch.version} from another index than the one it was given.",
                "Your own settings of pip name that index. See: python -m pip config list",
            )
        return self._warn_of_idle_gpu(torch, builds)

    def _install_other_build(self, build: OtherBuild, requirements: list[str]) -> None:
        """Install the torch for another maker's GPUs, which was asked for."""
        found = self._environment.has_installed(requirements)
        before = self._environment.check_torch() if found else None
        if before and build.is_installed(before.version):
            return note(f"torch {before.version} is there already.")
        note(
            f"Installing torch for {build.maker}'s graphics cards: several GB to download.\n"
            "This is untried on hardware: the first job, or doctor, says whether the card\n"
            "computes right.\n"
            f"From {build.index_url}"
        )
        options = [*requirements, *(["--force-reinstall"] if found else [])]
        self._environment.install(options, TORCH, build.index_url)
        torch = self._environment.check_torch()
        if not torch.version:
            message = f"torch is installed, but does not load: {torch.problem}"
            raise SetupError(message, fix_for(torch))
        return None

    def _choose_builds(self, gpus: GpuReport) -> tuple[TorchBuild, ...]:
        """Say what was detected; return the builds for it, none if the CPU has to do the work."""
        if self._platform == "darwin":
            note(MAC)
            return ()
        if self._options.cpu:
            note(f"{gpus.problem}\nWARNING: the CPU will do all the work, many times slower.")
            return ()
        if not gpus.gpus:
            note(
                f"{gpus.problem}\n"
                "WARNING: the CPU will do all the work, many times slower. If there is one,\n"
                f"install its driver from {DRIVER_URL} and start {self._script} again."
            )
            others = hint_at_others(self._platform, self._script)
            if others:
                note(others)
            return ()
        note(f"Graphics card: {gpus.describe()}.")
        capabilities = [gpu.capability for gpu in gpus.gpus]
        builds = suitable_builds(gpus.driver, capabilities, self._platform)
        if not builds:
            note(
                "WARNING: no build of PyTorch runs on this graphics card with this driver: the\n"
                "CPU will do all the work, many times slower. Install the newest driver from\n"
                f"{DRIVER_URL} and start {self._script} again.\n"
                "(Graphics cards older than the GTX 900 series are no longer supported.)"
            )
        for gpu in gpus.gpus:
            if builds and not builds[0].supports(gpu.capability):
                note(f"{gpu.name} is too old or too new for that build and will not be used.")
        return builds

    def _can_stay(self, torch: TorchReport, builds: tuple[TorchBuild, ...]) -> bool:
        """Return whether this torch loads, and computes on the GPU or is a build that should."""
        if not torch.version:
            return False
        is_suitable = any(build.is_installed(torch.cuda, self._platform) for build in builds)
        return torch.gpu_works or is_suitable or not builds

    def _install_build(
        self, builds: tuple[TorchBuild, ...], requirements: list[str], *, force: bool
    ) -> None:
        """Install the first build that exists for this Python.

        Args:
            force: whether another torch is there, which pip would otherwise leave.
        """
        indexes = list(dict.fromkeys(build.index_url(self._platform) for build in builds))
        if not builds:
            indexes = [CPU_INDEX, None] if self._platform == "linux" else [None]
        options = [*requirements, *(["--force-reinstall"] if force else [])]
        for number, index in enumerate(indexes):
            note(f"From {index or 'PyPI'}")
            try:
                return self._environment.install(options, TORCH, index)
            except SetupError as error:
                # Without a GPU PyPI's will do as well; with one, an index that cannot be reached
                # now is still the one to be used.
                unreached = index == CPU_INDEX and error.exit_code == MISSING
                if number == len(indexes) - 1 or not (isinstance(error, NoBuildError) or unreached):
                    raise
                note(f"{str(error).splitlines()[0]} Trying the next one.")
        return None

    def _warn_of_idle_gpu(self, torch: TorchReport, builds: tuple[TorchBuild, ...]) -> None:
        if builds and not torch.gpu_works:
            note(
                f"\nWARNING: torch {torch.version} does not compute on the graphics card "
                f"({torch.problem or 'it finds none'}).\nRestart the computer; if that "
                f"does not help, install the newest driver from {DRIVER_URL}"
            )

    def _install_other_packages(self) -> None:
        path = str(self._root / "requirements_inference.txt")
        if self._environment.has_installed(["-r", path]):
            say("3 of 4  All other packages are there already.")
            return
        say("\n3 of 4  Installing the other packages: about 100 MB to download.")
        self._environment.install(["-r", path], "the packages")

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

    def _requirements(self) -> list[str]:
        text = (self._root / "requirements_inference.txt").read_text(encoding="utf-8")
        lines = (line.split("#")[0].strip() for line in text.splitlines())
        return [line for line in lines if line]


def say(text: str) -> None:
    """Print at once, before another program prints."""
    print(text, flush=True)


def note(text: str) -> None:
    """Print at once, indented below the step that it belongs to."""
    say(indent(text, " " * 8))


def fix_for(torch: TorchReport) -> str:
    """Return what to do about a torch that does not load."""
    if any(sign in torch.problem for sign in MISSING_LIBRARY_SIGNS):
        return (
            f"Install Microsoft's Visual C++ libraries, {VISUAL_CPP_URL}, then start setup again."
        )
    return "Delete the folder .venv, then start setup again."
