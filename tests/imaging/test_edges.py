"""Edges for keying: what is cut off, steepened and cleaned of the background's colour."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from matting.imaging.colour_conversion import convert_planes
from matting.imaging.edges import KeyEdges, cut_off, despill, steepen
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.planes import Planes, same_samples
from matting.imaging.sample_format import SampleFormat
from matting.options import MOST_KEY_CONTRAST
from tests.support.frames import BT709, random_video

EVERY = torch.arange(MAX_ALPHA + 1, dtype=torch.int32).view(1, 1, 1, -1).to(torch.uint16)
GREEN_SCREEN = (0, 255, 0)


def alpha_of(*codes: int) -> Tensor:
    return torch.tensor(codes, dtype=torch.int32).view(1, 1, 1, -1).to(torch.uint16)


def rgb_of(*colours: tuple[float, float, float]) -> Tensor:
    """Return pixels side by side, [1, 3, 1, N]."""
    codes = np.rint(np.asarray(colours) * 65535).astype(np.uint16)
    return torch.from_numpy(codes.T.copy()).view(1, 3, 1, -1)


def shares(rgb: Tensor) -> list[tuple[float, ...]]:
    return [tuple(pixel / 65535) for pixel in rgb[0, :, 0].numpy().astype(np.float64).T]


@pytest.mark.parametrize("least", [0.0, 0.1, 0.5, 1.0])
def test_alpha_below_the_cutoff_is_none_and_the_rest_stays(least: float) -> None:
    kept = cut_off(EVERY, least).flatten().to(torch.int32)
    codes = EVERY.flatten().to(torch.int32)
    assert kept.dtype == torch.int32
    expected = torch.where(codes.double() >= least * MAX_ALPHA, codes, 0)
    assert torch.equal(kept, expected)


def test_contrast_of_one_changes_nothing() -> None:
    assert torch.equal(steepen(EVERY, 1).to(torch.int32), EVERY.to(torch.int32))


@pytest.mark.parametrize("contrast", [1.5, 2, 7.25, MOST_KEY_CONTRAST])
def test_contrast_is_steeper_around_one_half(contrast: float) -> None:
    codes = EVERY.flatten().to(torch.float64)
    exact = ((codes - MAX_ALPHA / 2) * contrast + MAX_ALPHA / 2).clamp(0, MAX_ALPHA)
    found = steepen(EVERY, contrast).flatten().to(torch.float64)
    assert (found - exact).abs().max() <= 0.5
    assert found[0] == 0
    assert found[-1] == MAX_ALPHA
    # What is lost below one half is gained above it.
    assert (found.flip(0) - (MAX_ALPHA - found)).abs().max() <= 1


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        cut_off(EVERY, value)
    with pytest.raises(ValueError, match="0 to 1"):
        despill(rgb_of((0, 0, 0)), alpha_of(0), GREEN_SCREEN, value)
    with pytest.raises(ValueError, match="contrast"):
        steepen(EVERY, value - 1)


def test_green_comes_down_to_the_stronger_of_red_and_blue() -> None:
    rgb = rgb_of((0.25, 0.75, 0.5), (0.5, 0.25, 0.25), (0.5, 0.5, 0.5))
    out = shares(despill(rgb, alpha_of(400, 400, 400), GREEN_SCREEN))
    assert out[0] == pytest.approx((0.25, 0.5, 0.5), abs=1e-4)
    assert out[1:] == shares(rgb)[1:]


def test_opaque_pixels_keep_what_they_wear_and_those_before_lose_less_and_less() -> None:
    green = (0.25, 0.75, 0.25)
    codes = (0, 300, 511, 700, 900, 1000, MAX_ALPHA)
    out = shares(despill(rgb_of(*[green] * len(codes)), alpha_of(*codes), GREEN_SCREEN))
    greens = [pixel[1] for pixel in out]
    assert greens == sorted(greens)
    assert greens[1] == pytest.approx(0.25, abs=1e-4)
    assert greens[-1] == pytest.approx(0.75, abs=1e-4)


@pytest.mark.parametrize(
    ("background", "spilled", "clean"),
    [
        ((0, 71, 187), (0.3, 0.4, 0.9), (0.3, 0.4 - 0.5 * 71 / 187, 0.4)),
        ((0, 255, 255), (0.2, 0.6, 0.7), (0.2, 0.2, 0.3)),
        ((128, 128, 128), (0.2, 0.9, 0.2), (0.2, 0.9, 0.2)),
    ],
)
def test_backgrounds_of_any_hue(
    background: tuple[int, int, int],
    spilled: tuple[float, float, float],
    clean: tuple[float, float, float],
) -> None:
    out = shares(despill(rgb_of(spilled), alpha_of(300), background))
    assert out[0] == pytest.approx(clean, abs=2e-3)


def test_half_the_strength_takes_out_half() -> None:
    out = shares(despill(rgb_of((0.25, 0.75, 0.25)), alpha_of(300), GREEN_SCREEN, 0.5))
    assert out[0][1] == pytest.approx(0.5, abs=1e-4)


def test_spill_of_the_screen_goes_and_the_truth_comes_nearer() -> None:
    """A soft edge whose foreground took some of the screen on."""
    truth = rgb_of((0.6, 0.4, 0.3), (0.2, 0.2, 0.25), (0.8, 0.7, 0.7))
    mixed = [
        tuple(0.7 * c + 0.3 * s for c, s in zip(pixel, (0, 1, 0), strict=True))
        for pixel in shares(truth)
    ]
    spilled = rgb_of(*[(p[0], p[1], p[2]) for p in mixed])
    cleaned = despill(spilled, alpha_of(300, 400, 500), GREEN_SCREEN)
    before, after = (
        np.abs(np.subtract(shares(rgb), shares(truth))).sum() for rgb in (spilled, cleaned)
    )
    assert after < 0.8 * before


@pytest.mark.parametrize("bits", [8, 10])
def test_video_keeps_its_samples_where_nothing_is_half_transparent(bits: int) -> None:
    sample_format = SampleFormat(bits, BT709, False, (2, 2), (0.0, 0.5))
    video = random_video(sample_format, 2, 16, 24)
    alpha = torch.full((2, 1, 16, 24), MAX_ALPHA, dtype=torch.int32)
    edges = KeyEdges(despill=1.0)
    _, same = edges.apply(alpha.to(torch.uint16), video, GREEN_SCREEN)
    assert same_samples(same, video)
    alpha[:, :, :, :8] = 300
    _, cleaned = edges.apply(alpha.to(torch.uint16), video, GREEN_SCREEN)
    left, right = slice(0, 8), slice(12, 24)  # chroma of the seam belongs to both
    kept = cleaned.luma_or_rgb[..., right].to(torch.int32)
    assert torch.equal(kept, video.luma_or_rgb[..., right].to(torch.int32))
    spills = [
        (rgb[:, 1] - torch.maximum(rgb[:, 0], rgb[:, 2])).clamp(min=0)[..., left].mean()
        for planes in (video, cleaned)
        for rgb in (convert_planes(planes, SampleFormat(16)).luma_or_rgb.double(),)
    ]
    assert spills[1] < 0.5 * spills[0]


def test_all_three_at_once_and_none() -> None:
    planes = Planes(SampleFormat(16), rgb_of((0.25, 0.75, 0.25), (0.5, 0.5, 0.5)))
    alpha = alpha_of(50, 700)
    same_alpha, same = KeyEdges().apply(alpha, planes, GREEN_SCREEN)
    assert torch.equal(same_alpha.to(torch.int32), alpha.to(torch.int32))
    assert same_samples(same, planes)
    out, cleaned = KeyEdges(cutoff=0.1, contrast=2, despill=1).apply(alpha, planes, GREEN_SCREEN)
    assert out.flatten().tolist() == [0, 889]
    assert shares(cleaned.luma_or_rgb)[0] == pytest.approx((0.25, 0.25, 0.25), abs=1e-4)
