"""The session: how many frames at once, and in which precision, suit a device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.precision import DTYPES, computes_alike, suitable_precision
from matting.inference.rvm import RvmInference, RvmNetwork
from matting.inference.session import GPU_CHUNK_FRAMES, MattingSession, automatic_ratio, frames_in
from matting.inference.weights import load_checkpoint
from matting.options import Precision, Subject
from model import MattingNetwork, load_network, optimise_for_inference

GIB = 1 << 30
BT709 = (0.2126, 0.0722)
C420_8 = SampleFormat(8, BT709, subsampling=(2, 2))
C420_10 = SampleFormat(10, BT709, subsampling=(2, 2))
CPU, CARD = torch.device("cpu"), torch.device("cuda", 0)


def network_bytes(width: int, height: int, ratio: float) -> float:
    """What the network needs on a graphics card for a frame."""
    return RvmInference(MattingNetwork(), CPU).frame_bytes(Size(width, height), ratio)


@pytest.mark.parametrize("sample_format", [C420_8, C420_10])
def test_large_pictures_fit_a_small_card(sample_format: SampleFormat) -> None:
    size = Size(8192, 4096)
    ratio = automatic_ratio(*size, Subject.FULL_BODY)
    frames = frames_in(5 * GIB, sample_format, size, network_bytes(*size, ratio))
    assert 1 <= frames <= 4
    # Eight chunks on their way, beside the network's own work on one.
    assert frames * 8 * size[0] * size[1] * sample_format.pixel_bytes < 3 * GIB


def test_small_pictures_go_many_at_once() -> None:
    assert (
        frames_in(5 * GIB, C420_8, Size(1920, 1080), network_bytes(1920, 1080, 0.4))
        >= GPU_CHUNK_FRAMES
    )


def test_a_processor_takes_one_frame_at_once_unless_told_otherwise(
    random_checkpoint: Path,
) -> None:
    network = load_checkpoint(random_checkpoint).network
    cpu = torch.device("cpu")
    for told, expected in ((None, 1), (3, 3)):
        session = MattingSession(network, cpu, Precision.FP32, told)
        assert session.chunk_frames(C420_8, Size(1920, 1080), 0.4) == expected


def test_a_full_card_still_gets_one_frame() -> None:
    assert frames_in(0, C420_8, Size(1920, 1080), network_bytes(1920, 1080, 0.4)) == 1


@pytest.mark.parametrize(
    ("name", "capability", "precision"),
    [
        ("NVIDIA GeForce GTX 1080", (6, 1), "fp32"),
        ("NVIDIA GeForce RTX 2060", (7, 5), "fp16"),
        ("NVIDIA GeForce GTX 1660 Ti", (7, 5), "fp32"),
        ("NVIDIA GeForce MX450", (7, 5), "fp32"),
        ("NVIDIA T1000 8GB", (7, 5), "fp32"),
        ("Tesla T4", (7, 5), "fp16"),
        ("NVIDIA GeForce RTX 4090", (8, 9), "fp16"),
    ],
)
def test_a_card_with_matrix_units_computes_in_half_precision(
    monkeypatch: pytest.MonkeyPatch, name: str, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: name)
    assert suitable_precision(Precision.AUTO, CARD) == precision
    assert suitable_precision(Precision.BF16, CARD) == "bf16"


def test_a_device_is_trusted_with_half_precision_where_it_computes_alike(
    random_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matting.inference.precision.SIDE_PX", 64)
    network = RvmNetwork(load_network(random_checkpoint))
    exact = network.for_inference(torch.float32, CPU)
    assert computes_alike(network.for_inference(torch.bfloat16, CPU), exact, CPU)
    for value in (float("nan"), float("inf"), 1000.0):
        broken = optimise_for_inference(network.network, torch.float32)
        next(broken.project_mat.parameters()).data.fill_(value)
        assert not computes_alike(RvmInference(broken, CPU), exact, CPU), value


def test_every_choice_of_precision_is_there() -> None:
    assert {Precision.AUTO, *DTYPES} == set(Precision)


@pytest.mark.parametrize(
    ("told", "precision"),
    [({"amx_bf16": True}, "bf16"), ({"amx_bf16": False}, "fp32"), ({}, "fp32")],
)
def test_so_does_a_processor(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, Any], precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert suitable_precision(Precision.AUTO, torch.device("cpu")) == precision


def test_a_torch_that_does_not_tell_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert suitable_precision(Precision.AUTO, torch.device("cpu")) == "fp32"
