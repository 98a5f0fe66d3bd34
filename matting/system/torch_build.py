"""The installed torch: how it was built, without loading it, and what it makes of the GPU."""

from __future__ import annotations

import importlib.util
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from matting.system.nvidia_smi import Gpu

# A line of torch/version.py, with or without the type.
ASSIGNMENT = re.compile(r"^(__version__|cuda|hip)\b[^=]*=\s*(?:'([^']*)'|None)", re.MULTILINE)
ARCHITECTURE = re.compile(r"sm_(\d+)(\d)")


@dataclass(frozen=True)
class TorchBuild:
    """An installed torch.

    Attributes:
        cuda: the CUDA version that it was built with, such as 13.0; "" for none.
        hip: the same for AMD's GPUs.
    """

    version: str
    cuda: str = ""
    hip: str = ""

    @property
    def for_gpus(self) -> bool:
        """Whether it was built for GPUs at all."""
        return bool(self.cuda or self.hip)


@dataclass(frozen=True)
class TorchState:
    """A torch that loads.

    Attributes:
        available: whether it says that it can use a GPU.
        message: what it said about that, as a warning or an error.
        gpu: the first GPU as torch sees it.
        oldest_capability: that of the oldest GPUs that it holds code for; None if it does not say.
        matrix_units: whether the processor has any; None if that is not known.
    """

    build: TorchBuild
    available: bool = False
    message: str = ""
    gpu: Gpu | None = None
    oldest_capability: tuple[int, int] | None = None
    matrix_units: bool | None = None

    @property
    def gpu_is_too_old(self) -> bool:
        """Whether this torch holds no code for the first GPU, because that is too old."""
        capability = None if self.gpu is None else self.gpu.capability
        oldest = self.oldest_capability
        return capability is not None and oldest is not None and capability < oldest

    @property
    def usable(self) -> bool:
        """Whether the network can run on the first GPU."""
        return self.available and not self.gpu_is_too_old


def installed_build(folder: Path | None = None) -> TorchBuild | None:
    """Return how the installed torch was built, without the seconds that loading it takes.

    Args:
        folder: where the package lies; None: where Python finds it.
    Returns:
        None if there is none, or it does not say.
    """
    try:
        if folder is None:
            spec = importlib.util.find_spec("torch")
            if spec is None or spec.origin is None:
                return None
            folder = Path(spec.origin).parent
        text = (folder / "version.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    values = {name: value or "" for name, value in ASSIGNMENT.findall(text)}
    if not {"__version__", "cuda"} <= set(values):
        return None
    return TorchBuild(values["__version__"], values["cuda"], values.get("hip", ""))


def query_torch() -> TorchState:
    """Return what torch itself says; load it, if it is not loaded yet.

    Raises:
        ImportError, OSError: it is missing, or its libraries do not load.
    """
    import torch

    cuda, hip = torch.version.cuda or "", getattr(torch.version, "hip", None) or ""
    build = TorchBuild(str(torch.__version__), cuda, hip)  # a plain string: others lack torch
    matrix_units = cpu_has_matrix_units()
    gpu: Gpu | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
        failure = ""
        if available:
            try:
                gpu = _first_gpu()
            except RuntimeError as error:  # another program has it to itself, or it is broken
                available, failure = False, str(error)
    message = failure or " ".join(str(warning.message) for warning in caught)
    oldest = _oldest_capability(torch.cuda.get_arch_list())
    return TorchState(build, available, message, gpu, oldest, matrix_units)


def check_gpu() -> None:
    """Multiply two matrices on the GPU: what is installed may hold no code for it.

    Raises:
        RuntimeError: it does not work, or the product is wrong.
    """
    import torch

    side = 64
    ones = torch.ones(side, side, device="cuda")
    total = float((ones @ ones).sum())
    if total != side**3:
        raise RuntimeError(f"it makes {total} of what is {side**3}")


def cpu_has_matrix_units() -> bool:
    """Return whether the processor multiplies bf16 matrices in hardware (Intel AMX)."""
    import torch

    capabilities = getattr(torch.cpu, "get_capabilities", None)  # older ones have none
    return capabilities is not None and bool(capabilities().get("amx_bf16"))


def _first_gpu() -> Gpu:
    import torch

    properties = torch.cuda.get_device_properties(0)
    return Gpu(properties.name, properties.total_memory, (properties.major, properties.minor))


def _oldest_capability(architectures: list[str]) -> tuple[int, int] | None:
    """Parse names such as sm_75 and sm_120a; a GPU runs code for its own generation and older."""
    matches = [ARCHITECTURE.fullmatch(name.rstrip("af")) for name in architectures]
    return min(((int(one[1]), int(one[2])) for one in matches if one), default=None)
