"""The test card: both eyes see each thing where it is, and the matte is what is drawn."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.card import (
    BALL_ELEVATION_DEG,
    BALL_M,
    FIELD_DEG,
    HALF_BASELINE_M,
    RINGS_DEG,
    Card,
    CardFrame,
)
from demo.card_boards import BALL, BALL_DEG, RED

SIDE = 384  # pixels; two a degree
LEFT, RIGHT = slice(0, SIDE), slice(SIDE, 2 * SIDE)


@pytest.fixture(scope="module")
def card() -> Card:
    return Card(["one", "two"], SIDE, 4)


@pytest.fixture(scope="module")
def frame(card: Card) -> CardFrame:
    """The first one, with the ball in the middle."""
    return next(iter(card))


def pixel(azimuth_deg: float, elevation_deg: float) -> tuple[int, int]:
    """Return the row and the column at which an eye sees what is far away there."""
    row, column = (
        int((degrees / FIELD_DEG + 0.5) * SIDE) for degrees in (-elevation_deg, azimuth_deg)
    )
    return row, column


def where(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> tuple[float, float]:
    """Return the mean row and column of what has a colour."""
    apart = np.abs(picture.astype(int) - np.array(colour)[:, None, None]).max(axis=0)
    rows, columns = np.nonzero(apart < 30)
    assert rows.size
    return float(rows.mean()), float(columns.mean())


def test_the_ball_is_seen_by_each_eye_as_near_as_it_is(card: Card) -> None:
    middle = SIDE / 2
    for number, frame in enumerate(islice(card, 3)):
        azimuth = math.radians(card.ball_azimuth_deg(number))
        level = BALL_M * math.cos(math.radians(BALL_ELEVATION_DEG))
        for eye, x in ((LEFT, -HALF_BASELINE_M), (RIGHT, HALF_BASELINE_M)):
            seen = math.atan2(level * math.sin(azimuth) - x, level * math.cos(azimuth))
            _, column = where(frame.source[:, : SIDE // 2 - 40, eye], BALL)
            assert column == pytest.approx(middle + math.degrees(seen) * SIDE / FIELD_DEG, abs=1)


def test_each_eye_reads_its_own_word(frame: CardFrame) -> None:
    board = slice(pixel(0, -6)[0], pixel(0, -11)[0])
    for eye, side in ((LEFT, -1), (RIGHT, 1)):
        red, _, blue = frame.source[:, board, eye].astype(int)
        columns = np.nonzero((red - blue).max(axis=0) > 60)[0]  # the word is yellow
        assert columns.size
        assert np.all(side * (columns - SIDE / 2) > 5)


@pytest.mark.parametrize("degrees", RINGS_DEG[:2])
def test_rings_lie_at_their_angles_in_each_direction(degrees: float, frame: CardFrame) -> None:
    for turn in (45, 135):
        for off_axis, alpha in ((degrees, 1), (degrees - 2, 0), (degrees + 2, 0)):
            theta, phi = math.radians(off_axis), math.radians(turn)
            up = math.sin(theta) * math.sin(phi)
            azimuth = math.atan2(math.sin(theta) * math.cos(phi), math.cos(theta))
            row, column = pixel(math.degrees(azimuth), math.degrees(math.asin(up)))
            around = frame.alpha[row - 1 : row + 2, column - 1 : column + 2]
            if alpha:
                assert around.max() > 0.8
            else:
                assert around.min() < 0.1


def test_the_matte_is_soft_where_it_says_so(frame: CardFrame) -> None:
    row, column = pixel(-38, -14)
    assert frame.alpha[row, column] == pytest.approx(0.5, abs=0.01)
    row, _ = pixel(0, -20.5)
    ramp = [frame.alpha[row, pixel(azimuth, 0)[1]] for azimuth in (-16, -8, 0, 8, 16)]
    assert np.all(np.diff(ramp) > 0.1)
    assert ramp[0] < 0.2
    assert ramp[-1] > 0.8


def test_red_is_there_twice_but_only_one_of_them_is_matted(frame: CardFrame) -> None:
    for azimuth, alpha in ((38, 1), (50.5, 0)):
        row, column = pixel(azimuth, 13)
        assert frame.alpha[row, column] == alpha
        assert tuple(frame.source[:, row, column]) == RED


def test_a_frame_is_foreground_over_what_was_filmed(frame: CardFrame) -> None:
    """Only where something is soft are they different."""
    sure = (frame.alpha == 0) | (frame.alpha == 1)
    difference = np.abs(frame.source.astype(int) - frame.foreground).max(axis=0)
    assert difference[sure].max() <= 1
    assert difference.max() > 50


def test_what_moves_goes_on_from_the_last_frame_to_the_first(card: Card) -> None:
    places = [card.ball_azimuth_deg(number) for number in range(card.frames + 1)]
    assert places[-1] == pytest.approx(places[0], abs=1e-9)
    assert max(places) > BALL_DEG
    assert len(list(card)) == card.frames
