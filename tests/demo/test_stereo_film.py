"""The drawn film in stereo: what both eyes see is the same things, where their disparity says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.quality.eye_matching import Eye, matched, seen_by_both
from demo.film import Film
from demo.stereo_film import EyeFrame, StereoFilm, StereoFrame
from matting.view import View, parse_view

SIZE = (640, 360)
FRAMES = 8


@cache
def stereo_frame() -> StereoFrame:
    return StereoFilm(1000, *SIZE, FRAMES, cuts=())[5]


def eyes(frame: StereoFrame, eye: Eye) -> tuple[EyeFrame, EyeFrame]:
    """Return what an eye sees, and what the other does."""
    return (frame.left, frame.right) if eye is Eye.LEFT else (frame.right, frame.left)


def differences(own: EyeFrame, other: EyeFrame, eye: Eye) -> Tensor:
    """Return by how much alpha differs at matched places, where it is soft and both eyes see it."""
    alpha, disparity, others, others_disparity = (
        torch.from_numpy(values)
        for values in (own.alpha, own.disparity, other.alpha, other.disparity)
    )
    both = seen_by_both(disparity, others_disparity, eye)
    soft = (alpha > 0) & (alpha < 1) & both
    assert soft.sum() > 1000
    return (matched(others, disparity, eye) - alpha).abs()[soft]


@pytest.mark.parametrize("eye", list(Eye))
def test_one_eyes_alpha_moved_by_the_disparity_is_the_others(eye: Eye) -> None:
    own, other = eyes(stereo_frame(), eye)
    found = differences(own, other, eye)
    # What remains comes of the interpolation of edges 2 px wide.
    assert found.mean() < 0.02
    assert found.quantile(0.95) < 0.08


@pytest.mark.parametrize("eye", list(Eye))
def test_exchanged_eyes_are_told(eye: Eye) -> None:
    own, other = eyes(stereo_frame(), eye)
    assert differences(other, own, eye).mean() > 0.3


def test_both_eyes_see_the_same_colours_of_the_figure_and_of_what_is_behind_it() -> None:
    frame = stereo_frame()
    left, right = (torch.from_numpy(eye.rgb).float() / 255 for eye in (frame.left, frame.right))
    disparities = [torch.from_numpy(eye.disparity) for eye in (frame.left, frame.right)]
    both = seen_by_both(disparities[0], disparities[1], Eye.LEFT)[0]
    alpha = torch.from_numpy(frame.left.alpha[0])
    moved = (matched(right, disparities[0], Eye.LEFT) - left).abs().mean(0)
    for where in (both & (alpha == 1), both & (alpha == 0)):
        assert where.sum() > 1000
        assert moved[where].mean() < 0.25 * (right - left).abs().mean(0)[where].mean()


def test_what_is_nearer_has_more_disparity_and_hides_what_is_behind_it() -> None:
    frame = stereo_frame()
    for eye in (frame.left, frame.right):
        inside = eye.alpha > 0
        assert eye.disparity.dtype == np.float32
        assert eye.disparity.shape == eye.alpha.shape
        assert eye.disparity[inside].min() > eye.disparity[~inside].max() > 0
        assert len(np.unique(eye.disparity[inside])) >= 5
    left, right = (torch.from_numpy(eye.disparity) for eye in (frame.left, frame.right))
    hidden = ~seen_by_both(left, right, Eye.LEFT)[0]
    # Only the left eye sees what is just to the left of the figure.
    figure = torch.from_numpy(frame.left.alpha[0] > 0)
    row = int(figure.sum(1).argmax())
    columns = figure[row].nonzero()[:, 0]
    start, stop = int(columns[0]), int(columns[-1]) + 1
    gap = round(float(left[0, row, start] - left[0, row, start - 1]))
    assert gap > 2
    assert hidden[row, start - gap + 1 : start].all()
    assert not hidden[row, start - gap - 3 : start - gap].any()
    assert not hidden[row, stop + 1 : stop + 4].any()


def test_eyes_at_one_place_see_the_flat_film() -> None:
    flat = Film(1000, *SIZE, FRAMES, cuts=())[5]
    frame = StereoFilm(1000, *SIZE, FRAMES, cuts=(), baseline_m=0)[5]
    for eye in (frame.left, frame.right):
        assert np.abs(eye.rgb.astype(int) - flat.rgb).max() <= 1
        assert np.abs(eye.alpha - flat.alpha).max() < 1e-5
        assert not eye.disparity.any()


@pytest.mark.parametrize(
    ("view", "first"), [("left-right", "left"), ("bottom-top", "right"), ("top-bottom", "left")]
)
def test_both_eyes_are_packed_where_the_view_has_them(view: str, first: str) -> None:
    frame, packing = stereo_frame(), parse_view(view)
    packed = frame.packed(packing)
    size = packed.alpha.shape[2], packed.alpha.shape[1]
    assert packing.eye_size(size) == SIZE
    for eye, box in zip((frame.left, frame.right), packing.eyes(size), strict=True):
        rows = slice(box.top, box.top + box.height)
        columns = slice(box.left, box.left + box.width)
        for name in ("rgb", "alpha", "foreground", "background"):
            part = getattr(packed, name)[:, rows, columns]
            assert np.array_equal(part, getattr(eye, name))
    corner = getattr(frame, first).rgb[:, 0, 0]
    assert np.array_equal(packed.rgb[:, 0, 0], corner)


def test_one_eye_cannot_be_packed() -> None:
    with pytest.raises(ValueError, match="two eyes"):
        stereo_frame().packed(View())


def test_there_are_no_frames_beyond_the_end() -> None:
    film = StereoFilm(1000, 64, 36, FRAMES)
    assert len(film) == FRAMES == len(list(film))
    with pytest.raises(IndexError):
        film[FRAMES]
