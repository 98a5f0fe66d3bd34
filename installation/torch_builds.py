"""Which of PyTorch's builds suits a driver and its GPUs: one table, the newest build first.

To extend it, add a row at the top. Its facts come from:
- tags, and the GPUs that a build supports: PyTorch's RELEASE.md, "PyTorch CUDA Support Matrix", and
  its issues 172352 (12.8 without Volta from torch 2.11 on), 178665 (no 12.8 after 2.11, 13.2 from
  2.12 on), 190355 (2.14: 12.6, 13.0, 13.2) and 190385 (2.15: no 12.6). An index keeps old builds.
- drivers: CUDA Toolkit Release Notes, "CUDA Toolkit and Corresponding Driver Versions", and for
  12.6 "Minor Version Compatibility": anything built with a CUDA 12 runs from driver 525 on.
Builds whose newest torch is older than 2.10 (cu118, cu121, cu124, cu129) are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Version = tuple[int, ...]
INDEX_ROOT = "https://download.pytorch.org/whl/"
# PyPI's wheels for Linux bring CUDA, 3 GB to download, of which nothing is used without a GPU.
CPU_INDEX = INDEX_ROOT + "cpu"


@dataclass(frozen=True)
class TorchBuild:
    """torch, built with one version of CUDA.

    Args:
        tag: the end of the index's URL, which is also in the wheels' versions (2.14.1+cu132).
        windows_driver, linux_driver: the oldest driver that it runs with.
        min_capability, max_capability: the compute capabilities of the GPUs that it supports; None
            for no upper limit.
        last_torch: the last torch with this build, where the tested one has none; None: that one.
        on_pypi: whether PyPI's wheels for Linux are built with the same major version of CUDA.
    """

    tag: str
    windows_driver: Version
    linux_driver: Version
    min_capability: Version
    max_capability: Version | None = None
    last_torch: str | None = None
    on_pypi: bool = False

    def index_url(self, platform: str) -> str | None:
        """Return the URL of the index that has it; None for pip's default, PyPI."""
        return None if self.on_pypi and platform == "linux" else INDEX_ROOT + self.tag

    def runs_with(self, driver: Version, platform: str) -> bool:
        """Return whether the driver is new enough; `platform` as in `sys.platform`."""
        return driver >= (self.windows_driver if platform == "win32" else self.linux_driver)

    def supports(self, capability: Version | None) -> bool:
        """Return whether it supports a GPU; one of unknown capability counts as supported."""
        if capability is None:
            return True
        return self.min_capability <= capability and (
            self.max_capability is None or capability <= self.max_capability
        )

    def is_installed(self, cuda: str | None, platform: str) -> bool:
        """Return whether an installed torch that was built with `cuda` (as 13.0) is this build."""
        if cuda is None:
            return False
        if self.index_url(platform) is None:
            return cuda.split(".")[0] == self.tag[2:4]
        return "cu" + cuda.replace(".", "") == self.tag


BUILDS = (
    TorchBuild("cu132", (595,), (595, 45, 4), min_capability=(7, 5), on_pypi=True),
    TorchBuild("cu130", (580,), (580, 65, 6), min_capability=(7, 5), on_pypi=True),
    # Before 12.8, because its torch is newer (2.14, not 2.11); not for the RTX 50 series.
    TorchBuild("cu126", (528, 33), (525, 60, 13), min_capability=(5, 0), max_capability=(9, 0)),
    TorchBuild("cu128", (570, 65), (570, 26), min_capability=(7, 5), last_torch="2.11.0"),
)


def suitable_builds(
    driver: Version, capabilities: Sequence[Version | None], platform: str
) -> tuple[TorchBuild, ...]:
    """Return the builds that run with this driver, the best one first.

    Those that support all GPUs; if there are none, those that support at least one.
    """
    running = [build for build in BUILDS if build.runs_with(driver, platform)]
    for quantifier in (all, any):
        builds = tuple(b for b in running if quantifier(b.supports(c) for c in capabilities))
        if builds:
            return builds
    return ()
