"""The installed torch: how it was built, without loading it, and what it makes of the GPU."""

from __future__ import annotations

import importlib.util
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from matting.system.device_kinds import DeviceKind
from matting.system.nvidia_smi import Gpu

# A line of torch/version.py, with or without the type.
ASSIGNMENT = re.compile(r"^(__version__|cuda|hip|xpu)\b[^=]*=\s*(?:'([^']*)'|None)", re.MULTILINE)
# In the order in which `auto` takes them; more than one of them is hardly ever there.
GPUS = (DeviceKind.NVIDIA, DeviceKind.AMD, DeviceKind.INTEL, DeviceKind.APPLE)
ARCHITECTURE = re.compile(r"sm_(\d+)(\d)")


@dataclass(frozen=True)
class TorchBuild:
    """An installed torch.

    Attributes:
        cuda: the CUDA version that it was built with, such as 13.0; "" for none.
        hip, xpu: the same for AMD's GPUs, and for Intel's.
    """

    version: str
    cuda: str = ""
    hip: str = ""
    xpu: str = ""

    @property
    def for_gpus(self) -> bool:
        """Whether it was built for graphics cards at all."""
        return bool(self.cuda or self.hip or self.xpu)


@dataclass(frozen=True)
class TorchState:
    """A torch that loads.

    Attributes:
        available: whether it says that it can use a GPU.
        message: what it said about that, as a warning or an error.
        kind: of the GPU that it can use; where it can use none, of those that it was built for.
        gpu: the first GPU as torch sees it.
        driver: the version of that one's driver, as far as torch knows it.
        oldest_capability: that of the oldest GPUs that it holds code for; None if it does not say.
        matrix_units: whether the processor has any; None if that is not known.
    """

    build: TorchBuild
    available: bool = False
    message: str = ""
    kind: DeviceKind = DeviceKind.NVIDIA
    gpu: Gpu | None = None
    driver: str = ""
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

    @property
    def has_nvidia(self) -> bool:
        """Whether that one is NVIDIA's, with all that only these have."""
        return self.usable and self.kind is DeviceKind.NVIDIA


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
    names = ("__version__", "cuda", "hip", "xpu")
    return TorchBuild(*(values.get(name, "") for name in names))


def query_torch() -> TorchState:
    """Return what torch itself says; load it, if it is not loaded yet.

    Raises:
        ImportError, OSError: it is missing, or its libraries do not load.
    """
    import torch

    from matting.system import accelerators

    cuda, hip, xpu = (getattr(torch.version, name, None) or "" for name in ("cuda", "hip", "xpu"))
    build = TorchBuild(str(torch.__version__), cuda, hip, xpu)  # a plain string: others lack torch
    matrix_units = cpu_has_matrix_units()
    gpu, driver = None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [kind for kind in GPUS if accelerators.count(kind)]
        available, failure = bool(found), ""
        kind = found[0] if found else _built_for(build)
        if available:
            try:
                device = torch.device(kind.type, 0)
                gpu, driver = accelerators.facts(device), accelerators.driver_of(device)
            except RuntimeError as error:  # another program has it to itself, or it is broken
                available, failure = False, str(error)
    message = failure or " ".join(str(warning.message) for warning in caught)
    oldest = _oldest_capability(torch.cuda.get_arch_list())
    return TorchState(build, available, message, kind, gpu, driver, oldest, matrix_units)


def check_gpu(kind: DeviceKind = DeviceKind.NVIDIA) -> None:
    """Multiply two matrices on the GPU: what is installed may hold no code for it.

    Args:
        kind: the GPU's.
    Raises:
        RuntimeError: it does not work, or the product is wrong.
    """
    import torch

    side = 64
    ones = torch.ones(side, side, device=kind.type)
    total = float((ones @ ones).sum())
    if total != side**3:
        raise RuntimeError(f"it makes {total} of what is {side**3}")


def cpu_has_matrix_units() -> bool:
    """Return whether the processor multiplies bf16 matrices in hardware (Intel AMX)."""
    import torch

    capabilities = getattr(torch.cpu, "get_capabilities", None)  # older ones have none
    return capabilities is not None and bool(capabilities().get("amx_bf16"))


def _built_for(build: TorchBuild) -> DeviceKind:
    if build.hip:
        return DeviceKind.AMD
    return DeviceKind.INTEL if build.xpu else DeviceKind.NVIDIA


def _oldest_capability(architectures: list[str]) -> tuple[int, int] | None:
    """Parse names such as sm_75 and sm_120a; a GPU runs code for its own generation and older."""
    matches = [ARCHITECTURE.fullmatch(name.rstrip("af")) for name in architectures]
    return min(((int(one[1]), int(one[2])) for one in matches if one), default=None)
