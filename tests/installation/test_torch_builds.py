"""Which build of PyTorch a driver and its GPUs get."""

from __future__ import annotations

import pytest

from installation.torch_builds import BUILDS, Version, suitable_builds
from tests.support.simulated_computer import PYTORCH


@pytest.mark.parametrize(
    ("platform", "driver", "capability", "tag"),
    [
        ("win32", (596, 21), (8, 9), "cu132"),
        ("win32", (595,), (12, 0), "cu132"),
        ("win32", (591, 44), (8, 6), "cu130"),
        ("win32", (580, 88), (7, 5), "cu130"),
        ("win32", (579, 99), (8, 9), "cu126"),
        ("win32", (576, 2), (12, 0), "cu128"),  # the RTX 50 series with a driver of its first year
        ("win32", (596, 21), (7, 0), "cu126"),  # Volta
        ("win32", (581, 29), (6, 1), "cu126"),  # Pascal
        ("win32", (581, 29), (5, 2), "cu126"),  # Maxwell
        ("win32", (528, 33), (8, 6), "cu126"),
        ("win32", (528, 32), (8, 6), None),
        ("win32", (596, 21), (3, 5), None),  # Kepler
        ("win32", (560, 94), (12, 0), None),
        ("win32", (581, 29), None, "cu130"),
        ("linux", (595, 45, 4), (8, 9), "cu132"),
        ("linux", (595, 45, 3), (8, 9), "cu130"),
        ("linux", (580, 65, 6), (9, 0), "cu130"),
        ("linux", (580, 65, 5), (9, 0), "cu126"),
        ("linux", (525, 60, 13), (8, 0), "cu126"),
        ("linux", (525, 60, 12), (8, 0), None),
    ],
)
def test_the_best_build_for_driver_and_gpu_comes_first(
    platform: str, driver: Version, capability: Version | None, tag: str | None
) -> None:
    builds = suitable_builds(driver, [capability], platform)
    assert (builds[0].tag if builds else None) == tag


def test_a_build_that_supports_all_gpus_is_preferred() -> None:
    def tags(*capabilities: Version) -> list[str]:
        return [build.tag for build in suitable_builds((596, 21), capabilities, "win32")]

    assert tags((8, 9), (6, 1)) == ["cu126"]
    assert tags((12, 0), (6, 1))[0] == "cu132"  # none supports both


def test_the_table_has_one_row_for_each_tag_and_says_what_pypi_has() -> None:
    tags = [build.tag for build in BUILDS]
    assert len(set(tags)) == len(tags)
    for build in BUILDS:
        assert build.tag[:2] == "cu"
        assert build.index_url("win32") == PYTORCH + build.tag
        assert (build.index_url("linux") is None) == build.on_pypi == (build.tag >= "cu130")
