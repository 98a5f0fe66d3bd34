"""torch: which build of it suits the graphics card, and installing that one."""

from __future__ import annotations

from typing import NamedTuple

from installation.errors import MISSING, SetupError
from installation.gpus import DRIVER_URL, GpuReport
from installation.lock import Lock
from installation.messages import note
from installation.other_gpus import MAC, OtherBuild, hint_at_others
from installation.pip_errors import NoBuildError
from installation.torch_builds import CPU_INDEX, TorchBuild, suitable_builds
from installation.virtual_environment import TorchReport, VirtualEnvironment

TORCH = "torch"
VISUAL_CPP_URL = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
MISSING_LIBRARY_SIGNS = ("WinError 126", "WinError 127", "WinError 1114", "DLL load failed")


class Source(NamedTuple):
    """Where a torch may come from.

    Args:
        index_url: of PyTorch's index for a build; None: PyPI.
        requirements: what pip is given; empty: PyPI's part of the lock.
    """

    index_url: str | None
    requirements: list[str]


class TorchSetup:
    """Installs torch.

    Args:
        requirements: what the program needs of it, such as torch>=2.10.
        script: setup.bat or setup.sh.
        cpu: whether the graphics card is to be left alone.
    """

    def __init__(
        self,
        environment: VirtualEnvironment,
        platform: str,
        script: str,
        requirements: list[str],
        lock: Lock,
        *,
        cpu: bool,
    ) -> None:
        self._environment, self._platform, self._script = environment, platform, script
        self._requirements, self._lock, self._cpu = requirements, lock, cpu

    def install(self, gpus: GpuReport) -> None:
        """Install the build for these graphics cards, unless one that will do is there.

        Raises:
            SetupError: it could not be installed, or does not load.
        """
        builds = self._choose_builds(gpus)
        found = self._environment.has_installed(self._requirements)
        before = self._environment.check_torch() if found else None
        if before and self._can_stay(before, builds):
            note(f"torch {before.version} is there already.")
            self._warn_of_idle_gpu(before, builds)
            return
        size = "about 3 GB" if builds else "about 200 MB"
        note(
            f"Installing torch: {size} to download, which takes minutes, or longer on a slow\n"
            "connection."
        )
        self._install_from(self._sources(builds), force=found)
        torch = self._environment.check_torch()
        _require_loaded(torch)
        if builds and not any(b.is_installed(torch.cuda, self._platform) for b in builds):
            raise SetupError(
                f"pip took torch {torch.version} from another index than the one it was given.",
                "Your own settings of pip name that index. See: python -m pip config list",
            )
        self._warn_of_idle_gpu(torch, builds)

    def install_other(self, build: OtherBuild) -> None:
        """Install the build for another maker's GPUs, which was asked for.

        Raises:
            SetupError: it could not be installed, or does not load.
        """
        found = self._environment.has_installed(self._requirements)
        before = self._environment.check_torch() if found else None
        if before and build.is_installed(before.version):
            return note(f"torch {before.version} is there already.")
        note(
            f"Installing torch for {build.maker}'s graphics cards: several GB to download.\n"
            "This is untried on hardware: the first job, or doctor, says whether the card\n"
            f"computes right.\nFrom {build.index_url}"
        )
        self._install_source(Source(build.index_url, self._requirements), force=found)
        _require_loaded(self._environment.check_torch())
        return None

    def _choose_builds(self, gpus: GpuReport) -> tuple[TorchBuild, ...]:
        """Say what was detected; return the builds for it, none if the CPU has to do the work."""
        if self._platform == "darwin":
            note(MAC)
            return ()
        if self._cpu:
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

    def _sources(self, builds: tuple[TorchBuild, ...]) -> list[Source]:
        """Return where to look for torch: first the tested version, then whatever will do."""
        version = self._lock.torch_version
        pinned = []
        for build in builds:
            index = build.index_url(self._platform)
            pin = f"{TORCH}=={build.last_torch or version}+{build.tag}"
            pinned.append(Source(index, [pin] if index else []))
        if not builds:
            on_cpu = Source(CPU_INDEX, [f"{TORCH}=={version}+cpu"])
            pinned = [*([on_cpu] if self._platform == "linux" else []), Source(None, [])]
        others = [Source(source.index_url, self._requirements) for source in pinned]
        sources = {
            (source.index_url, *source.requirements): source for source in [*pinned, *others]
        }
        return list(sources.values())

    def _install_from(self, sources: list[Source], *, force: bool) -> None:
        """Install from the first source that has a build for this Python.

        Args:
            force: whether another torch is there, which pip might otherwise leave.
        """
        for number, source in enumerate(sources):
            note(f"From {source.index_url or 'PyPI'}")
            try:
                return self._install_source(source, force=force)
            except SetupError as error:
                # Without a GPU PyPI's will do as well; with one, an index that cannot be reached
                # now is still the one to be used.
                unreached = source.index_url == CPU_INDEX and error.exit_code == MISSING
                if number == len(sources) - 1 or not (isinstance(error, NoBuildError) or unreached):
                    raise
                note(f"{str(error).splitlines()[0]} Trying the next one.")
        return None

    def _install_source(self, source: Source, *, force: bool) -> None:
        if not source.requirements:
            options = ["--force-reinstall"] * force
            return self._environment.install_locked(self._lock.torch, TORCH, options)
        if force:  # only torch itself: what else is there has been compared with its hashes
            alone = [*source.requirements, "--force-reinstall", "--no-deps"]
            self._environment.install(alone, TORCH, source.index_url)
        return self._environment.install(source.requirements, TORCH, source.index_url)

    def _warn_of_idle_gpu(self, torch: TorchReport, builds: tuple[TorchBuild, ...]) -> None:
        if builds and not torch.gpu_works:
            note(
                f"\nWARNING: torch {torch.version} does not compute on the graphics card "
                f"({torch.problem or 'it finds none'}).\nRestart the computer; if that "
                f"does not help, install the newest driver from {DRIVER_URL}"
            )


def _require_loaded(torch: TorchReport) -> None:
    if not torch.version:
        message = f"torch is installed, but does not load: {torch.problem}"
        raise SetupError(message, fix_for(torch))


def fix_for(torch: TorchReport) -> str:
    """Return what to do about a torch that does not load."""
    if any(sign in torch.problem for sign in MISSING_LIBRARY_SIGNS):
        return (
            f"Install Microsoft's Visual C++ libraries, {VISUAL_CPP_URL}, then start setup again."
        )
    return "Delete the folder .venv, then start setup again."
