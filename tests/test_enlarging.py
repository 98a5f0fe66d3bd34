"""The network's small results at full size: by matrices as by interpolation, where they count."""

from __future__ import annotations

import pytest
import torch

from matting.coding import Coding
from matting.composite import Matte, pictures
from matting.enlarging import covered, interpolated, multiplied
from matting.planes import Planes
from matting.workspace import ALPHA, ALPHA_PNG, COMPOSITE, FOREGROUND
from tests.test_composite import BT709, GREEN, numbers, video


def maps(frames: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(11)
    slope, offset = torch.randn(2, frames, 4, height, width, generator=generator)
    return slope, offset


@pytest.mark.parametrize("small", [(1, 1), (7, 9), (43, 61), (100, 130)])
@pytest.mark.parametrize("size", [(130, 100), (333, 95)])
def test_matrices_do_what_interpolation_does(small: tuple[int, int], size: tuple[int, int]) -> None:
    found = maps(2, *small)
    whole = torch.nn.functional.interpolate(
        torch.cat(found, dim=1).double(), size[::-1], mode="bilinear", align_corners=False
    )
    for rows, columns in (
        (slice(0, size[1]), slice(0, size[0])),
        (slice(16, 57), slice(64, 130)),
        (slice(88, 89), slice(0, 1)),
    ):
        expected = whole[:, :, rows, columns]
        assert (multiplied(found, rows, columns, size) - expected).abs().max() < 1e-4
        lines = interpolated(torch.cat(found, dim=1), rows, size)
        assert (lines[..., columns] - expected).abs().max() < 1e-4


def test_only_what_somebody_may_be_in_is_looked_at() -> None:
    some = torch.zeros(20, 50, dtype=torch.bool)
    bands = [slice(0, 64), slice(64, 128), slice(128, 200)]
    assert covered(some, bands, (500, 200)) == [[], [], []]
    some[19, 49] = some[0, 0] = True
    assert covered(some, bands, (500, 200)) == [[slice(0, 64)], [], [slice(448, 500)]]
    some[:] = True
    assert covered(some, bands, (500, 200)) == [[slice(0, 500)]] * 3


@pytest.mark.parametrize(("bits", "step"), [(8, (2, 2)), (10, (2, 1)), (12, (1, 1))])
@pytest.mark.parametrize("faint", [0.0, 0.0002, 0.003])
def test_what_is_left_out_is_what_would_have_come(
    bits: int, step: tuple[int, int], faint: float
) -> None:
    """Nobody but in two corners; elsewhere an alpha of nearly nothing, or below it."""
    coding = Coding(bits, BT709, False, step, (0.0, 0.5 if step[1] == 2 else 0.0))
    slope, offset = (each * 0.2 for each in maps(2, 40, 60))
    slope[:, 3] = 0
    offset[:, 3] = torch.linspace(-0.5, faint, 60).clamp(min=-0.001)
    offset[:, 3, 5:9, 5:9] += 0.5
    offset[:, 3, -4:, -3:] += 0.9
    source = video(coding, 2, 97, 301)
    matte = Matte(source, slope, offset)
    kinds = {COMPOSITE: coding, ALPHA: coding, ALPHA_PNG: Coding(16)}
    whole = pictures(matte, {**kinds, FOREGROUND: coding}, GREEN, 4000)
    parts = pictures(matte, kinds, GREEN, 4000)
    for kind, planes in parts.items():
        assert torch.equal(planes.main.int(), whole[kind].main.int()), kind
        if planes.chroma is not None:
            other = whole[kind].chroma
            assert other is not None and torch.equal(planes.chroma.int(), other.int()), kind


def test_samples_as_graphics_cards_hold_them() -> None:
    """P010: ten bits in the high ones of sixteen, Cb and Cr in turns."""
    plain = Coding(10, BT709, False, (2, 2), (0.0, 0.5))
    card = Coding(10, BT709, False, (2, 2), (0.0, 0.5), shift=6, interleaved=True)
    source = video(plain, 2, 50, 70)
    assert source.chroma is not None
    pairs = numbers(2, 25, 35, 2, bits=10)
    pairs.copy_(source.chroma.permute(0, 2, 3, 1))
    held = Planes(
        card,
        (source.main.int() << 6).to(torch.uint16),
        (pairs.int() << 6).to(torch.uint16).permute(0, 3, 1, 2),
    )
    slope, offset = maps(2, 20, 30)
    ours = pictures(Matte(source, slope, offset), {COMPOSITE: plain}, GREEN)[COMPOSITE]
    theirs = pictures(Matte(held, slope, offset), {COMPOSITE: card}, GREEN)[COMPOSITE]
    assert theirs.chroma is not None and ours.chroma is not None
    assert torch.equal(theirs.main.int(), ours.main.int() << 6)
    assert torch.equal(theirs.chroma.int(), ours.chroma.int() << 6)
    assert theirs.chroma.permute(0, 2, 3, 1).is_contiguous()
