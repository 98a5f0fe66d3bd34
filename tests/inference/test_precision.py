"""AUTO is a half precision where the hardware is made for it and computes it rightly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from matting.inference.precision import DTYPES, choose_precision, networks_agree
from matting.inference.rvm import RvmInference, RvmNetwork
from matting.options import Precision
from model import load_network, optimise_for_inference

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("name", "capability", "precision"),
    [
        ("NVIDIA GeForce GTX 1080", (6, 1), Precision.FP32),
        ("NVIDIA GeForce RTX 2060", (7, 5), Precision.FP16),
        ("NVIDIA GeForce GTX 1660 Ti", (7, 5), Precision.FP32),
        ("NVIDIA GeForce MX450", (7, 5), Precision.FP32),
        ("NVIDIA T1000 8GB", (7, 5), Precision.FP32),
        ("Tesla T4", (7, 5), Precision.FP16),
        ("NVIDIA GeForce RTX 4090", (8, 9), Precision.FP16),
    ],
)
def test_a_gpu_with_matrix_units_computes_in_half_precision(
    monkeypatch: pytest.MonkeyPatch, name: str, capability: tuple[int, int], precision: Precision
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: name)
    assert choose_precision(Precision.AUTO, GPU) is precision
    assert choose_precision(Precision.BF16, GPU) is Precision.BF16


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [
        ({"amx_bf16": True}, Precision.BF16),
        ({"amx_bf16": False}, Precision.FP32),
        ({}, Precision.FP32),
    ],
)
def test_so_does_a_cpu(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], precision: Precision
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_precision(Precision.AUTO, CPU) is precision


def test_a_torch_that_knows_no_capabilities_computes_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert choose_precision(Precision.AUTO, CPU) is Precision.FP32


def test_half_precision_is_trusted_where_it_gives_about_the_same(random_checkpoint: Path) -> None:
    network = RvmNetwork(load_network(random_checkpoint))
    exact = network.for_inference(torch.float32, CPU)
    assert networks_agree(network.for_inference(torch.bfloat16, CPU), exact, CPU, side_px=64)
    for value in (float("nan"), float("inf"), 1000.0):
        broken = optimise_for_inference(network.network, torch.float32)
        next(broken.project_mat.parameters()).data.fill_(value)
        assert not networks_agree(RvmInference(broken, CPU), exact, CPU, side_px=64), value


def test_every_precision_has_a_dtype() -> None:
    assert {Precision.AUTO, *DTYPES} == set(Precision)
