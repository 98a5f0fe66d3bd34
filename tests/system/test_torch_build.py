"""How the installed torch was built, without loading it and by its own account."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.system.torch_build import TorchBuild, installed_build, query_torch
from tests.support.markers import without_gpu

CPU_BUILD, CUDA_BUILD = TorchBuild("2.11.0+cpu"), TorchBuild("2.11.0+cu130", "13.0")


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("__version__ = '2.11.0+cpu'\ncuda: Optional[str] = None\nhip = None\n", CPU_BUILD),
        ("__version__ = '2.11.0+cu130'\ncuda: Optional[str] = '13.0'\n", CUDA_BUILD),
        ("__version__ = '2.9'\ncuda = None\nhip = '6.4'\n", TorchBuild("2.9", hip="6.4")),
        ("from elsewhere import *\n", None),
        (None, None),
    ],
)
def test_the_build_is_known_without_loading_it(
    text: str | None, build: TorchBuild | None, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "version.py").write_text(text, encoding="utf-8")
    assert installed_build(tmp_path) == build


def test_torch_itself_says_the_same() -> None:
    assert installed_build() == query_torch().build


@without_gpu
def test_torch_without_a_gpu() -> None:
    state = query_torch()
    assert not state.usable
    assert state.gpu is None
