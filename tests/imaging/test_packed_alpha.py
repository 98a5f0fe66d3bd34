"""Packed alpha: a player's own formula reads it back, and the pictures stay as they were."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from benchmarks.vr.pictures import (
    EQUIRECTANGULAR,
    FISHEYE_180,
    FISHEYE_190,
    in_circles,
    luma_and_cr,
    noise_planes,
    packed,
    quadrants,
)
from benchmarks.vr.player import BT601, Floats, read_mattes, read_quarters, red_of
from matting.imaging.lenses import Lens
from matting.imaging.sample_format import Size

SIDE = 128
VALUES = ((0.2, 0.4, 0.6, 0.8), (0.9, 0.7, 0.5, 0.3))
LEVEL = 1 / 255
RED_STEPS = 219 * 0.2126  # of luma


def require_own_values(red: Floats) -> None:
    for seen, values in zip(read_quarters(red), VALUES, strict=True):
        assert np.abs(seen - values).max() <= 1.5 * LEVEL


@pytest.fixture(scope="module")
def red() -> Floats:
    frame = packed(quadrants(VALUES[0], SIDE), quadrants(VALUES[1], SIDE))
    return red_of(*luma_and_cr(frame))


def test_a_player_reads_each_quarter_of_each_eye(red: Floats) -> None:
    require_own_values(red)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda red: np.roll(red, red.shape[1] // 2, axis=1),  # eyes swapped
        lambda red: red[::-1],  # turned over
        lambda red: red[:, ::-1],  # mirrored
        lambda red: np.roll(red, red.shape[0] // 2, axis=0),
        lambda red: np.concatenate([np.zeros_like(red[:26]), red[26:-26], red[:26]]),  # halves
    ],
)
def test_another_packing_is_not_taken_for_it(
    mistake: Callable[[Floats], Floats], red: Floats
) -> None:
    with pytest.raises(AssertionError):
        require_own_values(mistake(red))


def test_another_matrix_is_noticed() -> None:
    frame = packed(np.ones((SIDE, SIDE)), np.full((SIDE, SIDE), 128 / 255))
    samples = luma_and_cr(frame)
    opaque, half = (seen.max() * 255 for seen in read_quarters(red_of(*samples)))
    assert abs(opaque - 255) < 1
    assert abs(half - 128) < 1
    opaque, half = (seen.max() * 255 for seen in read_quarters(red_of(*samples, BT601)))
    assert opaque < 240 or abs(half - 128) > 3


def test_red_has_the_code_values_of_bt709() -> None:
    frame = packed(np.ones((SIDE, SIDE)), np.ones((SIDE, SIDE)))
    assert frame.chroma is not None
    assert frame.luma_or_rgb[0, 0, 0, SIDE] == 63
    assert frame.chroma[0, :, 0, SIDE // 2].tolist() == [102, 240]


def test_it_is_the_six_crops_that_others_make() -> None:
    """The other common form, at the size at which both agree on every pixel that is packed."""
    width, height = 400, 200
    left, right = (quadrants(values, height) for values in VALUES)
    luma, _ = luma_and_cr(packed(left, right))
    w, h = 4 * width // 10, 4 * height // 10
    hw, hh, qw = w // 2, h // 2, w // 4
    small = np.concatenate([quadrants(values, h) for values in VALUES], axis=1)
    theirs = np.zeros((height, width))
    for (x, y, across), (to_x, to_y) in {
        (0, 0, hw): (width // 2 - hw // 2, height - hh),
        (0, hh, hw): (width // 2 - hw // 2, 0),
        (hw, 0, qw): (width - qw, height - hh),
        (w - qw, 0, qw): (0, height - hh),
        (hw, hh, qw): (width - qw, 0),
        (w - qw, hh, qw): (0, 0),
    }.items():
        theirs[to_y : to_y + hh, to_x : to_x + across] = small[y : y + hh, x : x + across]
    written = luma > 16
    assert abs(written.sum() - 2 * np.pi / 4 * h**2) < 100
    difference = np.abs((luma - 16.0) / RED_STEPS - theirs)[written]
    assert (difference <= 0.51 / RED_STEPS).mean() > 0.95  # others where quarters meet
    assert difference.max() < 2 / RED_STEPS


def test_nothing_of_the_picture_is_touched() -> None:
    frame = noise_planes(Size(2 * SIDE, SIDE), 0)
    assert frame.chroma is not None
    before = frame.luma_or_rgb.clone(), frame.chroma.clone()
    packed(np.ones((SIDE, SIDE)), np.ones((SIDE, SIDE)), frame=frame)
    luma = torch.from_numpy(in_circles(SIDE))
    chroma = torch.from_numpy(in_circles(SIDE, step=2, siting=(0, 0.5)))
    assert torch.equal(frame.luma_or_rgb[0, 0][luma], before[0][0, 0][luma])
    assert torch.equal(frame.chroma[0][:, chroma], before[1][0][:, chroma])
    assert not torch.equal(frame.luma_or_rgb, before[0])


def test_no_matte_leaves_no_red() -> None:
    frame = noise_planes(Size(2 * SIDE, SIDE), 0)
    before = frame.luma_or_rgb.clone()
    packed(np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE)), frame=frame)
    assert torch.equal(frame.luma_or_rgb, before)


def test_what_is_outside_the_circles_is_black_or_red() -> None:
    left, right = (quadrants(values, SIDE) for values in VALUES)
    luma, cr = luma_and_cr(packed(left, right))
    outside = ~in_circles(SIDE)
    ratio = (cr.astype(float).repeat(2, 0).repeat(2, 1) - 128) / 112
    is_red = np.abs((luma - 16.0) / 47 - ratio) < 0.1
    assert is_red[outside].mean() > 0.8
    red = red_of(luma, cr)[outside]
    assert 0.3 < (red > 0.05).mean() < 0.75


@pytest.mark.parametrize(("lens", "seen_deg"), [(FISHEYE_190, 190), (FISHEYE_180, 180)])
def test_the_matte_is_bent_as_the_picture_is(lens: Lens, seen_deg: float) -> None:
    """Of an equirectangular matte: a bar at 45 degrees stands where that lens has it."""
    alpha = np.zeros((SIDE, SIDE))
    column = (45 / 90 + 1) / 2 * SIDE
    alpha[SIDE // 2 - 10 : SIDE // 2 + 10, round(column) - 4 : round(column) + 4] = 1
    frame = packed(alpha, np.zeros_like(alpha), EQUIRECTANGULAR, target=lens)
    left, right = read_mattes(red_of(*luma_and_cr(frame)), 400)
    assert right.max() < 3 * LEVEL
    middle = np.average(np.arange(400) + 0.5, weights=left[200])
    assert abs(middle / 200 - 1 - 45 / (seen_deg / 2)) < 0.012


def test_beyond_half_a_turn_nothing_is_opaque() -> None:
    everybody = np.ones((SIDE, SIDE))
    frame = packed(everybody, everybody, EQUIRECTANGULAR)
    luma, _ = luma_and_cr(frame)  # it ends at a pixel, where chroma needs two
    left, _ = read_mattes((luma.astype(np.float64) - 16) / RED_STEPS, 400)
    places = (np.arange(400) + 0.5) / 200 - 1
    radius = np.hypot(places, places[:, None])
    assert left[radius < 0.9].min() > 1 - 1 / RED_STEPS
    ring = left[(radius > 0.985) & (radius <= 1)]
    assert ring.max() == 0
