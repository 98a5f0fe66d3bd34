"""The session: how many frames at once, and in which precision, suit a device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from matting.choices import AUTO, PRECISION_CHOICES
from matting.coding import Coding
from matting.precision import PRECISIONS, suitable_precision
from matting.session import GPU_CHUNK_FRAMES, MattingSession, automatic_ratio, frames_in
from matting.weights import load_checkpoint

GIB = 1 << 30
BT709 = (0.2126, 0.0722)
C420_8 = Coding(8, BT709, step=(2, 2))
C420_10 = Coding(10, BT709, step=(2, 2))
CARD = torch.device("cuda", 0)


@pytest.mark.parametrize("coding", [C420_8, C420_10])
def test_large_pictures_fit_a_small_card(coding: Coding) -> None:
    size = (8192, 4096)
    ratio = automatic_ratio(*size, "full-body")
    frames = frames_in(5 * GIB, coding, size, ratio)
    assert 1 <= frames <= 4
    # Eight chunks on their way, beside the network's own work on one.
    assert frames * 8 * size[0] * size[1] * coding.pixel_bytes < 3 * GIB


def test_small_pictures_go_many_at_once() -> None:
    assert frames_in(5 * GIB, C420_8, (1920, 1080), 0.4) >= GPU_CHUNK_FRAMES


def test_a_processor_takes_one_frame_at_once_unless_told_otherwise(
    random_checkpoint: Path,
) -> None:
    network = load_checkpoint(random_checkpoint).network
    cpu = torch.device("cpu")
    for told, expected in ((None, 1), (3, 3)):
        session = MattingSession(network, cpu, "fp32", told)
        assert session.chunk_frames(C420_8, (1920, 1080), 0.4) == expected


def test_a_full_card_still_gets_one_frame() -> None:
    assert frames_in(0, C420_8, (1920, 1080), 0.4) == 1


@pytest.mark.parametrize(
    ("capability", "precision"), [((6, 1), "fp32"), ((7, 5), "fp16"), ((8, 9), "fp16")]
)
def test_a_card_with_matrix_units_computes_in_half_precision(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert suitable_precision("auto", CARD) == precision
    assert suitable_precision("bf16", CARD) == "bf16"


def test_every_choice_of_precision_is_there() -> None:
    assert (AUTO, *PRECISIONS) == PRECISION_CHOICES


@pytest.mark.parametrize(
    ("told", "precision"),
    [({"amx_bf16": True}, "bf16"), ({"amx_bf16": False}, "fp32"), ({}, "fp32")],
)
def test_so_does_a_processor(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, Any], precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert suitable_precision("auto", torch.device("cpu")) == precision


def test_a_torch_that_does_not_tell_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert suitable_precision("auto", torch.device("cpu")) == "fp32"
