"""Graphics cards that are not NVIDIA's: which torch computes on them, and how to ask for it.

PyTorch's indexes `rocm7.2` and `xpu` have the torch versions that its others have (pytorch/
test-infra, generate_binary_build_matrix.py, for 2.14). Neither was tried on such a card, so setup
takes one only where the variable RVM_GPU asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from installation.errors import SetupError
from installation.torch_builds import INDEX_ROOT

VARIABLE = "RVM_GPU"
AUTO = "auto"
# Where Linux lists what shows pictures, with the maker's number on the PCI bus.
ADAPTERS = Path("/sys/class/drm")
MAC = (
    "macOS: PyPI's torch, which computes on the GPU of a Mac with Apple silicon (mps). That is\n"
    "untried on hardware: the first job, or doctor, compares what it computes with the processor.\n"
    "What is known is in docs/devices.md."
)


@dataclass(frozen=True)
class OtherBuild:
    """torch, built for the GPUs of one maker.

    Args:
        choice: what the variable says to have it.
        maker: whose graphics cards it is for.
        pci_vendor: the maker's number, as Linux writes it.
        tag: the end of the index's URL, which is also in the wheels' versions.
        platforms: the systems that it exists for.
    """

    choice: str
    maker: str
    pci_vendor: str
    tag: str
    platforms: tuple[str, ...]

    @property
    def index_url(self) -> str:
        """The URL of the index that has it."""
        return INDEX_ROOT + self.tag

    def is_installed(self, version: str) -> bool:
        """Return whether an installed torch of that version is this build, or a later one."""
        return version.partition("+")[2].startswith(self.choice)


OTHER_BUILDS = (
    OtherBuild("rocm", "AMD", "0x1002", "rocm7.2", ("linux",)),
    OtherBuild("xpu", "Intel", "0x8086", "xpu", ("linux", "win32")),
)


def asked_build(variables: Mapping[str, str], platform: str) -> OtherBuild | None:
    """Return the build that the variable asks for; None: it asks for none.

    Raises:
        SetupError: there is no such build, or not for this system.
    """
    asked = variables.get(VARIABLE, "").strip().lower()
    if asked in {"", AUTO}:
        return None
    for build in OTHER_BUILDS:
        if build.choice == asked and platform in build.platforms:
            return build
    known = [build.choice for build in OTHER_BUILDS if platform in build.platforms]
    raise SetupError(
        f"The variable {VARIABLE} is {asked}, for which there is no torch on this system.",
        f"Set it to {' or '.join([*known, AUTO])}, or remove it, and start setup again.",
    )


def hint_at_others(platform: str, script: str, adapters: Path = ADAPTERS) -> str:
    """Return how torch is had for the graphics cards of other makers that are here.

    Args:
        platform: as in `sys.platform`.
        script: what starts setup.
    """
    if platform == "win32":
        return (
            f"For an Intel graphics card, untried: set {VARIABLE}=xpu, then {script}, in one "
            "window.\n(See docs/devices.md.)"
        )
    vendors = _vendors(adapters)
    return "\n".join(
        f"A graphics card of {build.maker}'s is here. To have torch for it, which is untried:\n"
        f"  {VARIABLE}={build.choice} sh {script}   (See docs/devices.md.)"
        for build in OTHER_BUILDS
        if build.pci_vendor in vendors and platform in build.platforms
    )


def _vendors(adapters: Path) -> set[str]:
    vendors = set()
    for file in adapters.glob("card*/device/vendor"):
        with suppress(OSError, UnicodeDecodeError):
            vendors.add(file.read_text(encoding="ascii").strip().lower())
    return vendors
