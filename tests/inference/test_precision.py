"""A GPU computes in half precision where it is made for that, and computes it rightly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from matting.inference.precision import DTYPES, choose_gpu_precision, networks_agree
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
    assert choose_gpu_precision(GPU) is precision


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
