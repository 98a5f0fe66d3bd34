"""Full-size pictures from small results: in bands, and still what the whole network says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from matting.composite import bands, pictures
from matting.session import MattingSession
from matting.weights import load_checkpoint
from matting.workspace import ALPHA, COMPOSITE, FOREGROUND
from model import MattingNetwork

CPU = torch.device("cpu")
GREEN = (120, 255, 155)


@pytest.fixture(scope="module")
def network(random_checkpoint: Path) -> MattingNetwork:
    return load_checkpoint(random_checkpoint).network


def noise(frames: int, height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (frames, 3, height, width), generator=generator).to(torch.uint8)


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.31])
@pytest.mark.parametrize("band_px", [1, 1000, 1 << 30])
def test_bands_are_the_networks_own_answer(
    network: MattingNetwork, ratio: float, band_px: int
) -> None:
    rgb = noise(2, 99, 130)
    with torch.inference_mode():
        foreground, alpha, _ = network(rgb[None].float() / 255, None, ratio)
        matte = MattingSession(network, CPU, "fp32").matte(rgb, ratio)
        parts = list(bands(matte, band_px))
    assert [y for rows, _, _ in parts for y in range(99)[rows]] == list(range(99))
    assert (torch.cat([p[1] for p in parts], dim=2) - foreground[0]).abs().max() < 1e-5
    assert (torch.cat([p[2] for p in parts], dim=2) - alpha[0]).abs().max() < 1e-5


def test_pictures_are_rounded_composites(network: MattingNetwork) -> None:
    rgb = noise(2, 64, 96)
    with torch.inference_mode():
        foreground, alpha, _ = network(rgb[None].float() / 255, None, 0.5)
    made = pictures(
        MattingSession(network, CPU, "fp32").matte(rgb, 0.5), (COMPOSITE, ALPHA, FOREGROUND), GREEN
    )
    colour = torch.tensor(GREEN).view(3, 1, 1) / 255
    exact = {
        COMPOSITE: foreground[0] * alpha[0] + colour * (1 - alpha[0]),
        ALPHA: alpha[0],
        FOREGROUND: foreground[0],
    }
    for kind, values in exact.items():
        assert made[kind].shape == values.shape
        assert (made[kind].float() - values * 255).abs().max() <= 0.501


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_half_precision_gives_pictures_too(network: MattingNetwork, ratio: float) -> None:
    rgb = noise(1, 64, 96)
    kinds = (COMPOSITE, ALPHA, FOREGROUND)
    full = MattingSession(network, CPU, "fp32").pictures(rgb, ratio, kinds, GREEN)
    half = MattingSession(network, CPU, "bf16").pictures(rgb, ratio, kinds, GREEN)
    for kind in kinds:
        assert (full[kind].int() - half[kind].int()).abs().float().mean() < 8
