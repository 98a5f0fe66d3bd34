"""How much both eyes' mattes differ: depth does not count, all else does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from demo.stereo_film import StereoFilm
from matting.imaging.eye_difference import eye_differences

HEIGHT, WIDTH = 72, 160


def person(moved: int = 0) -> Tensor:
    """Return somebody with soft edges, moved to the left by so many columns."""
    x = torch.arange(WIDTH) - 80.0 + moved
    y = torch.arange(HEIGHT) - 40.0
    distance = (x[None] / 20).square() + (y[:, None] / 30).square()
    return (3 - 2 * distance).clamp(0, 1)[None, None]


@pytest.mark.parametrize("moved", [0, 1, 5, -12])
def test_depth_does_not_count(moved: int) -> None:
    assert eye_differences(person(), person(moved)) < 1e-3


def test_every_row_may_have_a_depth_of_its_own() -> None:
    other = person()
    other[..., 36:, :] = person(4)[..., 36:, :]
    assert eye_differences(person(), other) < 1e-3


def test_several_depths_in_one_row_count_less_than_what_one_shift_leaves() -> None:
    def people(first: int, second: int) -> Tensor:
        both = person(30 + first)[..., 36:, :] + person(second - 30)[..., 36:, :]
        return both.clamp(max=1)

    left, right = people(0, 0), people(2, 6)
    shifted = [float((left - right.roll(shift, 3)).abs().sum()) for shift in range(9)]
    left_over = min(shifted) / float((left + right).sum())
    assert 0 < eye_differences(left, right) < 0.6 * left_over


def test_what_one_eye_alone_shows_or_misses_counts_by_its_area() -> None:
    left, hole, ghost = person(), person(5), person(5)
    hole[..., 30:40, 70:80] = 0
    ghost[..., 5:15, 10:20] = 1
    for other in (hole, ghost):
        changed = float((other - person(5)).abs().sum() / (left + other).sum())
        assert eye_differences(left, other) == pytest.approx(changed, rel=0.1)
        assert eye_differences(other, left) == pytest.approx(changed, rel=0.1)


def test_what_makes_up_for_itself_in_a_row_counts_too() -> None:
    left, right = person(), person()
    right[..., 30:40, 70:80] = 0
    right[..., 30:40, 10:20] = 1
    assert eye_differences(left, right) > 0.02


def test_frames_are_told_by_themselves() -> None:
    nobody = torch.zeros_like(person())
    left = torch.cat((person(), person(), nobody, nobody))
    right = torch.cat((person(3), nobody, person(), nobody))
    found = eye_differences(left, right)
    assert found.shape == (4,)
    assert found.tolist() == pytest.approx([0, 1, 1, 0], abs=1e-3)


def test_a_speck_of_one_eye_in_an_empty_picture_is_little() -> None:
    left, right = torch.zeros(2, 1, 1, HEIGHT, WIDTH)
    left[..., 10:12, 20:22] = 1
    assert 0 < eye_differences(left, right) < 0.1


def test_a_drawn_film_differs_by_its_depths_little_and_by_half_a_head_more() -> None:
    frame = StereoFilm(1000, 320, 180, 8, cuts=())[5]
    left, right = (torch.from_numpy(eye.alpha)[None] for eye in (frame.left, frame.right))
    assert eye_differences(left, right) < 0.015
    rows = (left[0, 0] > 0.5).any(1).nonzero()[:, 0]
    damaged = left.clone()
    damaged[:, :, : int(rows[0]) + 12] = 0
    assert eye_differences(damaged, right) > 2 * eye_differences(left, right)
