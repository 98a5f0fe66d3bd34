"""What torch is here: how it was built, told without loading it, and what it makes of the card."""

from __future__ import annotations

import importlib.util
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from matting.system.nvidia_smi import Card

# A line of torch/version.py, with or without the type.
ASSIGNED = re.compile(r"^(__version__|cuda|hip)\b[^=]*=\s*(?:'([^']*)'|None)", re.MULTILINE)
ARCHITECTURE = re.compile(r"sm_(\d+)(\d)")


@dataclass(frozen=True)
class TorchBuild:
    """An installed torch.

    Attributes:
        cuda: the CUDA that it was built with, as 13.0; "" for none.
        hip: the same for AMD's cards.
    """

    version: str
    cuda: str = ""
    hip: str = ""

    @property
    def for_gpus(self) -> bool:
        return bool(self.cuda or self.hip)


@dataclass(frozen=True)
class TorchState:
    """A torch that loads.

    Attributes:
        available: whether it says that it can use a card.
        words: what it said about that, as a warning or an error.
        card: the first card as torch sees it.
        oldest: the oldest generation of cards that it holds code for; None: not told.
        matrix_units: whether the processor has any; None: not told.
    """

    build: TorchBuild
    available: bool = False
    words: str = ""
    card: Card | None = None
    oldest: tuple[int, int] | None = None
    matrix_units: bool | None = None

    @property
    def gpu_is_too_old(self) -> bool:
        known = None if self.card is None else self.card.capability
        return known is not None and self.oldest is not None and known < self.oldest

    @property
    def usable(self) -> bool:
        """Whether the network can work on the first card."""
        return self.available and not self.gpu_is_too_old


def installed_build(folder: Path | None = None) -> TorchBuild | None:
    """How the installed torch was built, without the seconds that loading it takes.

    Args:
        folder: where the package lies; None: where Python finds it.
    Returns:
        None where there is none, or it does not say.
    """
    try:
        if folder is None:
            found = importlib.util.find_spec("torch")
            if found is None or found.origin is None:
                return None
            folder = Path(found.origin).parent
        text = (folder / "version.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    told = {name: value or "" for name, value in ASSIGNED.findall(text)}
    if not {"__version__", "cuda"} <= set(told):
        return None
    return TorchBuild(told["__version__"], told["cuda"], told.get("hip", ""))


def ask_torch() -> TorchState:
    """What torch itself says. Loads it, if it is not yet.

    Raises:
        ImportError, OSError: it is missing, or its libraries do not load.
    """
    import torch

    cuda, hip = torch.version.cuda or "", getattr(torch.version, "hip", None) or ""
    build = TorchBuild(str(torch.__version__), cuda, hip)  # a plain string: others lack torch
    units = cpu_has_matrix_units()
    card: Card | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
        failure = ""
        if available:
            try:
                card = _first_card()
            except RuntimeError as error:  # taken by another program alone, or broken
                available, failure = False, str(error)
    words = failure or " ".join(str(warning.message) for warning in caught)
    return TorchState(build, available, words, card, _oldest(torch.cuda.get_arch_list()), units)


def compute_on_card() -> None:
    """Multiplies two matrices there: what is installed may hold no code for that card.

    Raises:
        RuntimeError: it does not work, or makes something else of them.
    """
    import torch

    side = 64
    ones = torch.ones(side, side, device="cuda")
    total = float((ones @ ones).sum())
    if total != side**3:
        raise RuntimeError(f"it makes {total} of what is {side**3}")


def _first_card() -> Card:
    import torch

    told = torch.cuda.get_device_properties(0)
    return Card(told.name, told.total_memory, (told.major, told.minor))


def _oldest(architectures: list[str]) -> tuple[int, int] | None:
    """Of names such as sm_75 and sm_120a; a card runs code for its own generation and older."""
    found = [ARCHITECTURE.fullmatch(name.rstrip("af")) for name in architectures]
    return min(((int(one[1]), int(one[2])) for one in found if one), default=None)


def cpu_has_matrix_units() -> bool:
    """Whether the processor multiplies matrices of bf16 by itself (Intel AMX)."""
    import torch

    # An older torch does not say.
    told = getattr(torch.cpu, "get_capabilities", None)
    return told is not None and bool(told().get("amx_bf16"))
