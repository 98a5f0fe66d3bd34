"""What fixes a computer, in the exact words of its system: every such text of the program."""

from __future__ import annotations

import sys
from pathlib import Path

from matting.system import invocation
from matting.system.device_kinds import DeviceKind
from matting.system.invocation import PROGRAM, ROOT, command_line, pip_line

NEW_DRIVER = "install the newest driver from https://www.nvidia.com/drivers, then restart"
RESTART = f"restart the computer; if that does not help, {NEW_DRIVER}"
# Of PyTorch's builds, only those for CUDA 12.6 still hold code for GPUs older than the RTX 20's.
OLD_GPUS_INDEX = "https://download.pytorch.org/whl/cu126"
VISUAL_CPP = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
PYTHON_DOWNLOADS = "https://www.python.org/downloads/"
TORCH_DOWNLOADS = "https://pytorch.org/get-started/locally/"
REQUIREMENTS = ROOT / "requirements_inference.txt"


def setup(platform: str = sys.platform) -> str:
    """Return how everything that the program needs is installed."""
    if invocation.IS_INSTALLED:  # there is no setup, and the environment is somebody else's
        return pip_line("install", "--upgrade", "-r", str(REQUIREMENTS))
    if platform == "win32":
        return "double-click setup.bat"
    script = "setup.sh" if Path.cwd() == ROOT else str(ROOT / "setup.sh")
    return command_line(["sh", script], windows=False)


def doctor(python: Path, platform: str = sys.platform) -> str:
    """Return the command that runs the program's doctor with that Python."""
    return _line([str(python), PROGRAM, "doctor"], platform)


def torch_for_gpus(platform: str = sys.platform) -> str:
    """Return how a torch is installed that can use GPUs, in place of one that cannot."""
    if not invocation.IS_INSTALLED:
        return setup(platform)
    if platform == "win32":  # PyPI's is for the processor
        return f"install torch for CUDA, by the command that is shown at {TORCH_DOWNLOADS}"
    return pip_line("install", "--force-reinstall", "torch")


def torch_for_old_gpus(platform: str = sys.platform) -> str:
    """Return the command that installs the torch for GPUs older than most builds support."""
    packages = ["--force-reinstall", "torch", "--index-url", OLD_GPUS_INDEX]
    return _line([sys.executable, "-m", "pip", "install", *packages], platform)


def other_gpu(kind: DeviceKind, platform: str = sys.platform) -> str:
    """Return what gives torch a GPU of another maker than NVIDIA, as a sentence without its end."""
    if kind is DeviceKind.APPLE:
        return "It needs a Mac with Apple silicon, a recent macOS and a Python for arm64"
    if invocation.IS_INSTALLED:
        return f"Install torch for it, by the command that is shown at {TORCH_DOWNLOADS}"
    choice = "xpu" if kind is DeviceKind.INTEL else "rocm"
    if platform == "win32":
        return f"To install torch for it, in one window: set RVM_GPU={choice}, then setup.bat"
    asked = f"RVM_GPU={choice} {setup(platform)}"
    groups = " The user must be in the groups render and video" if choice == "rocm" else ""
    return f"To install torch for it: {asked}" + (f".{groups}" if groups else "")


def reinstall(package: str) -> str:
    """Return, as a sentence, how a package of this Python is installed again."""
    return f"Install it again: {pip_line('install', '--force-reinstall', package)}"


def unset_variable(name: str, platform: str = sys.platform) -> str:
    """Return the command that removes a variable from this window."""
    return f"set {name}=" if platform == "win32" else f"unset {name}"


def delete_file(path: Path, platform: str = sys.platform) -> str:
    """Return the command that deletes a file."""
    return _line(["del" if platform == "win32" else "rm", str(path)], platform)


def own_python(platform: str = sys.platform, root: Path = ROOT) -> Path | None:
    """Return the Python of the environment that setup makes in the program's folder, if any.

    The path is relative to that folder.
    """
    inside = Path("Scripts", "python.exe") if platform == "win32" else Path("bin", "python")
    python = Path(".venv") / inside
    return python if (root / python).is_file() else None


def _line(command: list[str], platform: str) -> str:
    return command_line(command, windows=platform == "win32")
