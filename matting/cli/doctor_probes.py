"""What this computer has for the program: each part is probed by itself, whatever others lack."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from matting.errors import MachineError, MattingError
from matting.inference.published import model_of
from matting.network_choice import Model
from matting.options import VideoCodec
from matting.system import files, fixes, releases
from matting.system.invocation import ROOT
from matting.system.nvidia_smi import Driver, query_nvidia_smi
from matting.system.other_adapters import unused_adapters
from matting.system.packages import (
    Package,
    describe_failure,
    load_isolated,
    read_packages,
    try_to_load,
)
from matting.system.subprocesses import run_isolated
from matting.system.torch_build import TorchState, check_gpu, query_torch
from matting.workers.cluster.installed import REQUIREMENTS as SHARING_REQUIREMENTS

if TYPE_CHECKING:  # it needs packages, any of which may be missing
    from matting.inference.device_record import DeviceTrial
    from matting.media.view_detection import FoundView

LIMIT_SECONDS = 120.0  # torch takes its time on a cold disk
FIRST_GPU = "cuda:0"

# For each codec, why it does not work, "" if it does; or why none could be tried.
CodecTrials = dict[VideoCodec, str] | str


@dataclass(frozen=True)
class TorchProbe:
    """What came of loading torch.

    Attributes:
        state: None if it does not load.
        trouble: what goes wrong, as a clause; "" for nothing.
        lacks_libraries: whether that is a library of the system's.
    """

    state: TorchState | None
    trouble: str = ""
    lacks_libraries: bool = False


@dataclass(frozen=True)
class WeightsProbe:
    """The network's weights that would be used.

    Attributes:
        trouble: why they cannot be loaded; "" if they can, or were not tried.
    """

    path: Path
    sha256: str
    trouble: str = ""


class Machine:
    """The computer that this runs on. Tests derive others from it.

    Drivers and broken packages may crash, so they are loaded in processes of their own.
    """

    @property
    def system(self) -> str:
        """Its name, as in `sys.platform`."""
        return sys.platform

    def python(self) -> tuple[tuple[int, int, int], int]:
        """Return Python's version and its bits."""
        return sys.version_info[:3], 64 if sys.maxsize > 2**32 else 32

    def other_python(self) -> Path | None:
        """Return the Python that setup has made ready, if another one runs this."""
        python = fixes.own_python(self.system)
        own = ROOT / ".venv"
        return None if python is None or Path(sys.prefix).resolve() == own.resolve() else python

    def processor(self) -> tuple[str, int]:
        """Return the processor's architecture, and how many cores the system counts."""
        return platform.machine(), os.cpu_count() or 1

    def driver(self) -> Driver:
        """Return what NVIDIA's driver says."""
        return query_nvidia_smi()

    def other_adapters(self) -> str:
        """Return what graphics cards of other makers are here, and what they need; as sentences."""
        return unused_adapters()

    def torch(self) -> TorchProbe:
        """Return what came of loading torch."""
        try:
            return run_isolated(load_torch, LIMIT_SECONDS)
        except MachineError as error:
            return TorchProbe(None, f"does not load ({error.what.rstrip('.')})")

    def decoders(self) -> CodecTrials:
        """Return what NVDEC decodes; torch must have a GPU that it can use."""
        return _try_isolated(_try_decoders)

    def encoders(self) -> CodecTrials:
        """Return what NVENC encodes; torch must have a GPU that it can use."""
        return _try_isolated(_try_encoders)

    def packages(self) -> list[Package]:
        """Return all packages that are needed, with their versions.

        Raises:
            MissingError: the list of them is missing.
        """
        return read_packages()

    def sharing_packages(self) -> list[Package]:
        """Return the packages for several devices and computers; few want them.

        Raises:
            MissingError: the list of them is missing.
        """
        return read_packages(SHARING_REQUIREMENTS)

    def load(self, names: Sequence[str]) -> dict[str, str]:
        """Return what goes wrong when each package is loaded, "" for nothing."""
        return load_isolated(names)

    def ffmpeg(self) -> tuple[str, Path]:
        """Return the ffmpeg program's version, and where it lies.

        Raises:
            ImportError, OSError: imageio-ffmpeg, which brings it, is missing or broken.
            MissingError: there is none, or it does not work.
        """
        from matting.media import ffmpeg

        return ffmpeg.version(), ffmpeg.program()

    def weights(self, *, load: bool, model: Model | None = None) -> WeightsProbe | None:
        """Return the file that would be used; None: it is not there yet, and would be downloaded.

        Args:
            load: whether to load a file other than the published one, too.
            model: for which network; None: where none is asked for.
        Raises:
            InputError: what the variable names is not there, or cannot be read.
        """
        from matting.inference import weights

        path = weights.present_checkpoint(None, model)
        if path is None:
            return None
        probe = WeightsProbe(path, files.sha256(path))
        if model_of(probe.sha256) or not load:
            return probe
        try:
            return replace(probe, trouble=run_isolated(partial(_load_weights, path), LIMIT_SECONDS))
        except MachineError as error:
            return replace(probe, trouble=error.what)

    def precision(self) -> str | None:
        """Return what the network computes in on the processor, and why, as a clause.

        Returns:
            "" where that was not tried yet; None where it cannot be told.
        """
        try:
            from matting.inference.precision_record import known_trial, this_machine

            weights = self.weights(load=False)
        except (ImportError, MattingError):  # which has a row of its own
            return None
        trial = known_trial(this_machine(), "" if weights is None else weights.sha256)
        return "" if trial is None else trial.in_words()

    def device_trial(self, device: str) -> DeviceTrial | str:
        """Return what comes, or came, of comparing a device with the processor; or why nothing did.

        Args:
            device: as torch names it, of a kind that the program was not tried on.
        """
        try:
            from matting.inference.device_choice import try_isolated

            weights = self.weights(load=False)
            if weights is None:
                return "it is compared with the processor when it is first used"
            return try_isolated(weights.path, device)
        except (ImportError, OSError) as error:  # which has a row of its own
            return f"it cannot be tried ({error})"
        except MattingError as error:
            return error.what.rstrip(".")

    def view(self, video: Path) -> FoundView:
        """Return how a video is meant to be seen, and where that is from.

        Raises:
            ImportError, OSError: a package that reads videos is missing or broken.
            InputError, MediaError, MissingError: as `view_of`.
        """
        from matting.media.foreign_files import guarded_reading
        from matting.media.view_detection import view_of

        with guarded_reading():
            return view_of(video)

    def newest_release(self) -> str:
        """Return the number of the newest release, asking for it; "" where there is no address.

        Raises:
            NoAnswerError: there is no answer.
        """
        address = releases.place()
        return releases.newest_release(address) if address else ""

    def free_bytes(self, folder: Path) -> int | None:
        """Return what is free on the disk that a folder is on; None if that cannot be told."""
        return files.free_disk_bytes(folder)


def load_torch() -> TorchProbe:
    """Load torch in this process, and let the GPU compute, if there is one."""
    error = try_to_load("torch")
    if error is not None:
        trouble = describe_failure("torch", error)
        return TorchProbe(None, trouble, lacks_libraries=isinstance(error, OSError))
    state = query_torch()
    if state.usable:
        try:
            check_gpu(state.kind)
        except RuntimeError as failure:
            state = replace(state, available=False, message=str(failure))
    return TorchProbe(state)


def _try_isolated(work: Callable[[], CodecTrials]) -> CodecTrials:
    try:
        return run_isolated(work, LIMIT_SECONDS)
    except MachineError as error:
        return error.what


def _try_decoders() -> CodecTrials:
    try:
        import torch

        from matting.media.cuda import Nvdec
        from matting.media.hardware_probe import probe_decoders
    except (ImportError, OSError) as error:
        return f"cannot be tried ({error})."
    return probe_decoders(Nvdec(torch.device(FIRST_GPU)))


def _try_encoders() -> CodecTrials:
    try:
        from matting.media.hardware_probe import probe_encoders
    except (ImportError, OSError) as error:
        return f"cannot be tried ({error})."
    return probe_encoders(FIRST_GPU)


def _load_weights(path: Path) -> str:
    from matting.inference.weights import load_checkpoint

    try:
        load_checkpoint(path)
    except MattingError as error:
        return error.what
    return ""
