"""Windows count only where they show people sharper than the first pass does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch

from matting.imaging.planes import Planes, concatenate
from matting.inference.people_boxes import FADE_FRAMES
from matting.inference.softness import Softness, softness
from tests.support.brightness_network import DARK_BACKDROP, scene
from tests.support.small_people import (
    LIGHT_BACKDROP,
    SIZE,
    VeiledNetwork,
    assert_same_found,
    found,
    found_in_runs,
    matted,
    matted_once,
    same,
    session_of,
)

HAZE = 0.3


def frames_before(backdrops: Sequence[int]) -> Planes:
    """Return a still person before backdrops, frame by frame."""
    return concatenate([scene(SIZE, [(22, 62, 20, 45)], backdrop) for backdrop in backdrops])


def changing() -> Planes:
    """Return a person before a backdrop that lights up, and darkens again."""
    light = [LIGHT_BACKDROP] * 12
    return frames_before([DARK_BACKDROP] * 4 + light + [DARK_BACKDROP] * 12)


def shares(frames: Planes) -> list[int]:
    return [
        sum(share for (_, _, own), _ in crops for share in own)
        for _, crops in found(session_of(VeiledNetwork(HAZE)), frames)
    ]


def test_softness_is_counted_frame_by_frame() -> None:
    alpha = torch.zeros(2, 1, 4, 5)
    alpha[0, 0, 1] = torch.tensor([0.0, 0.04, 0.5, 0.94, 1.0])
    alpha[1, 0, 2:] = 0.97
    assert softness(alpha) == [Softness(2, 1), Softness(0, 10)]


@pytest.mark.parametrize(
    ("view", "first", "expected"),
    [
        (Softness(300, 4000), Softness(100, 1000), True),  # the size of the view is no matter
        (Softness(390, 4000), Softness(100, 1000), False),  # hardly less
        (Softness(100, 1000), Softness(100, 1000), False),
        (Softness(900, 4000), Softness(100, 1000), False),
        (Softness(50, 1000), Softness(100, 0), True),  # nothing but haze before
        (Softness(100, 0), Softness(50, 1000), False),
        (Softness(0, 0), Softness(50, 1000), False),  # nobody is there, after all
        (Softness(0, 0), Softness(50, 0), False),
        (Softness(0, 500), Softness(0, 1000), False),
        (Softness(50, 1000), Softness(0, 0), None),
    ],
)
def test_a_sharper_view_leaves_clearly_less_half_transparent(
    view: Softness, first: Softness, expected: bool | None
) -> None:
    assert view.is_sharper_than(first) is expected


def test_where_a_window_shows_haze_the_first_pass_stands() -> None:
    frames = frames_before([LIGHT_BACKDROP] * 6)
    session = session_of(VeiledNetwork(HAZE))
    assert same(matted(session, frames), matted_once(frames))
    assert session.state is not None
    assert session.state.parts[0].further  # it is watched all the same


def test_what_clears_up_comes_to_count_again_without_a_step() -> None:
    found_shares = shares(changing())
    assert found_shares[:4] == [FADE_FRAMES] * 4
    assert min(found_shares) == 0
    assert found_shares[-1] == FADE_FRAMES
    assert all(abs(now - before) <= 1 for before, now in pairwise(found_shares))


@pytest.mark.parametrize("lengths", [(28,), (1,) * 28, (6, 3, 12, 7)])
@pytest.mark.parametrize("chunk", [1, 4])
def test_trust_does_not_depend_on_where_a_run_is_interrupted(
    lengths: Sequence[int], chunk: int
) -> None:
    expected = found(session_of(VeiledNetwork(HAZE)), changing())
    assert_same_found(found_in_runs(VeiledNetwork(HAZE), changing(), lengths, chunk), expected)


@pytest.mark.parametrize(
    ("backdrop", "expected"), [(DARK_BACKDROP, FADE_FRAMES), (LIGHT_BACKDROP, 0)]
)
def test_after_a_run_up_a_window_counts_fully_or_not_at_all(backdrop: int, expected: int) -> None:
    session = session_of(VeiledNetwork(HAZE))
    found(session, frames_before([DARK_BACKDROP if expected else LIGHT_BACKDROP, *[backdrop] * 7]))
    session.settle()
    crops = found(session, frames_before([backdrop]))[0][1]
    assert [share for (_, _, own), _ in crops for share in own] == [expected] * bool(expected)
