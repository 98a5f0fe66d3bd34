"""Which device is chosen, and which is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.errors import MissingError
from matting.system.device import choose_device
from matting.system.nvidia_smi import Driver, Gpu
from matting.system.torch_build import TorchBuild, TorchState
from tests.support.markers import without_gpu
from tests.support.stand_in_programs import RTX_3060, listing, posix_only, stand_in_nvidia_smi

GTX = Gpu("NVIDIA GeForce GTX 1080", 8 << 30, (6, 1))
CUDA_BUILD = TorchBuild("2.11.0+cu130", "13.0")


@posix_only
@without_gpu
def test_a_gpu_asked_for_by_name_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    stand_in_nvidia_smi(tmp_path / "bin", listing(RTX_3060, cuda="1.0"), monkeypatch)
    with pytest.raises(MissingError, match="torch cannot use the graphics card: ") as refused:
        choose_device("cuda")
    assert refused.value.hint.startswith("To fix it: ")
    assert "--device cpu" in refused.value.hint
    assert "README" not in str(refused.value)


@without_gpu
def test_a_gpu_asked_for_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matting.system.device.query_nvidia_smi", Driver)
    with pytest.raises(MissingError, match="nvidia-smi shows none"):
        choose_device("cuda:0")


def test_auto_passes_over_a_gpu_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    old = TorchState(CUDA_BUILD, True, gpu=GTX, oldest_capability=(7, 5))
    monkeypatch.setattr("matting.system.device.query_torch", lambda: old)
    assert choose_device("auto").type == "cpu"
