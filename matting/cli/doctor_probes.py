"""What this computer has for the program: each part is asked by itself, whatever others lack."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from matting.errors import MachineError, MattingError
from matting.system import files, fixes
from matting.system.nvidia_smi import Driver, query_nvidia_smi
from matting.system.packages import (
    NOT_INSTALLED,
    Package,
    load_each,
    load_isolated,
    read_packages,
    try_to_load,
)
from matting.system.subprocesses import run_isolated
from matting.system.torch_build import TorchState, ask_torch, compute_on_card

LIMIT_SECONDS = 120.0  # torch takes its time on a cold disk
VISION = "torchvision"
FIRST_CARD = "cuda:0"

# For each codec, why it does not work, "" where it does; or why none could be tried.
Tried = dict[str, str] | str


@dataclass(frozen=True)
class Torch:
    """What came of loading torch.

    Attributes:
        state: None where it does not load.
        trouble: with it, as a clause; "" where there is none.
        vision_trouble: the same of torchvision.
    """

    state: TorchState | None
    trouble: str = ""
    vision_trouble: str = ""


@dataclass(frozen=True)
class Weights:
    """The network's weights that would be used.

    Attributes:
        trouble: why they cannot be loaded; "" where they can, or nobody has tried.
    """

    path: Path
    sha256: str
    trouble: str = ""


class Machine:
    """The computer that this runs on. Tests derive others from it.

    Drivers and broken packages may crash: what loads them is done in processes of their own.
    """

    @property
    def system(self) -> str:
        """As in `sys.platform`."""
        return sys.platform

    def python(self) -> tuple[tuple[int, int, int], int]:
        """Its version, and its bits."""
        return sys.version_info[:3], 64 if sys.maxsize > 2**32 else 32

    def other_python(self) -> Path | None:
        """The one that setup has made ready, where another one runs this."""
        python = fixes.own_python(self.system)
        own = fixes.ROOT / ".venv"
        return None if python is None or Path(sys.prefix).resolve() == own.resolve() else python

    def processor(self) -> tuple[str, int]:
        """Its architecture, and how many cores the system counts."""
        return platform.machine(), os.cpu_count() or 1

    def driver(self) -> Driver:
        return query_nvidia_smi()

    def torch(self) -> Torch:
        try:
            return run_isolated(load_torch, LIMIT_SECONDS)
        except MachineError as error:
            return Torch(None, f"does not load ({error.what.rstrip('.')})")

    def decoders(self) -> Tried:
        """What NVDEC decodes; torch must have a card that it can use."""
        return _tried(_try_decoders)

    def encoders(self) -> Tried:
        """What NVENC encodes; the same."""
        return _tried(_try_encoders)

    def packages(self) -> list[Package]:
        """All that are needed, with their versions.

        Raises:
            MissingError: the list of them is missing.
        """
        return read_packages()

    def load(self, names: Sequence[str]) -> dict[str, str]:
        """What is wrong with each package."""
        return load_isolated(names)

    def ffmpeg(self) -> tuple[str, Path]:
        """The program's version, and where it lies.

        Raises:
            ImportError, OSError: imageio-ffmpeg, which brings it, is missing or broken.
            MissingError: there is none, or it does not work.
        """
        from matting.media import ffmpeg

        return ffmpeg.version(), ffmpeg.program()

    def weights(self, *, loaded: bool) -> Weights | None:
        """The file that would be used; None: it is not there yet, and would be downloaded.

        Args:
            loaded: whether another file than the published one is loaded, too.
        Raises:
            InputError: what the variable names is not there, or cannot be read.
        """
        from matting.inference import weights

        path = weights.present_checkpoint()
        if path is None:
            return None
        found = Weights(path, files.sha256(path))
        if found.sha256 == weights.SHA256 or not loaded:
            return found
        try:
            return replace(found, trouble=run_isolated(partial(_load_weights, path), LIMIT_SECONDS))
        except MachineError as error:
            return replace(found, trouble=error.what)

    def free_bytes(self, folder: Path) -> int | None:
        """Of the disk that a folder is on; None: that cannot be told."""
        from matting.system.files import free_disk_bytes

        return free_disk_bytes(folder)


def load_torch() -> Torch:
    """Loads torch and torchvision in this process, and has the card compute, if there is one."""
    trouble = try_to_load("torch")
    if trouble:
        absent = importlib.util.find_spec(VISION) is None
        return Torch(None, trouble, NOT_INSTALLED if absent else "")
    state = ask_torch()
    if state.usable:
        try:
            compute_on_card()
        except RuntimeError as error:
            state = replace(state, available=False, words=str(error))
    return Torch(state, vision_trouble=load_each([VISION])[VISION])


def _tried(work: Callable[[], Tried]) -> Tried:
    try:
        return run_isolated(work, LIMIT_SECONDS)
    except MachineError as error:
        return error.what


def _try_decoders() -> Tried:
    try:
        import torch

        from matting.media.cuda import Nvdec
        from matting.media.hardware_probe import try_decoders
    except (ImportError, OSError) as error:
        return f"cannot be tried ({error})."
    tried = try_decoders(Nvdec(torch.device(FIRST_CARD)))
    return {codec.value: reason for codec, reason in tried.items()}


def _try_encoders() -> Tried:
    try:
        from matting.media.hardware_probe import try_encoders
    except (ImportError, OSError) as error:
        return f"cannot be tried ({error})."
    return {codec.value: reason for codec, reason in try_encoders(FIRST_CARD).items()}


def _load_weights(path: Path) -> str:
    from matting.inference.weights import load_checkpoint

    try:
        load_checkpoint(path)
    except MattingError as error:
        return error.what
    return ""
