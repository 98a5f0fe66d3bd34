"""Which of PyTorch's builds suits a driver and its graphics cards: one table, newest build first.

To extend it, put a row at its top. Where its facts are from:
- tags, and the cards a build computes on: PyTorch's RELEASE.md, "PyTorch CUDA Support Matrix", and
  its issues 172352 (12.8 without Volta from torch 2.11 on), 178665 (no 12.8 after 2.11, 13.2 from
  2.12 on), 190355 (2.14: 12.6, 13.0, 13.2) and 190385 (2.15: no 12.6). An index keeps what it had.
- drivers: CUDA Toolkit Release Notes, "CUDA Toolkit and Corresponding Driver Versions", and for
  12.6 "Minor Version Compatibility": what is built with any CUDA 12 runs from driver 525 on.
Builds whose newest torch is older than 2.10 (cu118, cu121, cu124, cu129) do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Version = tuple[int, ...]
INDEX = "https://download.pytorch.org/whl/"


@dataclass(frozen=True)
class Build:
    """torch and torchvision, built with one CUDA.

    Args:
        tag: the end of the index's address, which the wheels carry too (2.14.1+cu132).
        windows_driver, linux_driver: the oldest driver it runs with.
        least, most: the cards' compute capability; no limit above where `most` is None.
        on_pypi: whether the wheels for Linux on PyPI are of this CUDA's major version.
    """

    tag: str
    windows_driver: Version
    linux_driver: Version
    least: Version
    most: Version | None = None
    on_pypi: bool = False

    def index(self, platform: str) -> str | None:
        """The address of the index it is taken from; None for the usual one, PyPI."""
        return None if self.on_pypi and platform == "linux" else INDEX + self.tag

    def runs_with(self, driver: Version, platform: str) -> bool:
        """Whether the driver is new enough, on `platform` (as in `sys.platform`)."""
        return driver >= (self.windows_driver if platform == "win32" else self.linux_driver)

    def serves(self, capability: Version | None) -> bool:
        """Whether it computes on a card; one that does not say what it is counts as any."""
        if capability is None:
            return True
        return self.least <= capability and (self.most is None or capability <= self.most)

    def is_installed(self, cuda: str | None, platform: str) -> bool:
        """Whether a torch that says it was built with `cuda` (as 13.0) is this build."""
        if cuda is None:
            return False
        if self.index(platform) is None:
            return cuda.split(".")[0] == self.tag[2:4]
        return "cu" + cuda.replace(".", "") == self.tag


BUILDS = (
    Build("cu132", (595,), (595, 45, 4), least=(7, 5), on_pypi=True),
    Build("cu130", (580,), (580, 65, 6), least=(7, 5), on_pypi=True),
    # Before 12.8, because its torch is newer (2.14, not 2.11); not for the RTX 50 series.
    Build("cu126", (528, 33), (525, 60, 13), least=(5, 0), most=(9, 0)),
    Build("cu128", (570, 65), (570, 26), least=(7, 5)),
)


def fitting(
    driver: Version, capabilities: Sequence[Version | None], platform: str
) -> tuple[Build, ...]:
    """The builds for this driver that compute on all cards, or else on one at least; best first."""
    running = [build for build in BUILDS if build.runs_with(driver, platform)]
    for enough in (all, any):
        found = tuple(b for b in running if enough(b.serves(c) for c in capabilities))
        if found:
            return found
    return ()
