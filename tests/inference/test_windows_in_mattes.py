"""What is stored where windows move, and where people come and go."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from matting.imaging.compositor import Matte
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import concatenate
from matting.inference.people_boxes import FADE_FRAMES, LOST_FRAMES
from tests.support.brightness_network import BrightnessNetwork, scene
from tests.support.small_people import (
    LIGHT_BACKDROP,
    RATIO,
    SIZE,
    VeiledNetwork,
    errors,
    matted,
    matted_once,
    session_of,
)

THIN_VEIL = 0.04  # what nobody takes for half transparent
Person = tuple[int, int, int, int]


def veiled_walk(frames: int) -> tuple[list[Matte], list[Person]]:
    """Return the mattes of a person who walks, seen through a veil in windows, and where."""
    people = [(22 + 4 * i, 62, 20, 45) for i in range(frames)]
    walk = concatenate([scene(SIZE, [person], LIGHT_BACKDROP) for person in people])
    return session_of(VeiledNetwork(THIN_VEIL)).mattes(walk, RATIO), people


def mask_of(left: int, top: int, width: int, height: int, room: int = 0) -> Tensor:
    """Return which pixels of a frame are in a box, with room around it."""
    mask = torch.zeros(SIZE.height, SIZE.width, dtype=torch.bool)
    rows = slice(max(0, top - room), max(0, top + height + room))
    mask[rows, max(0, left - room) : max(0, left + width + room)] = True
    return mask


def steepest(values: Tensor, where: Tensor) -> int:
    """Return the largest step between neighbours, both of which are to be looked at."""
    steps = []
    for dim in (0, 1):
        pairs = where.narrow(dim, 1, where.shape[dim] - 1) & where.narrow(
            dim, 0, where.shape[dim] - 1
        )
        steps.append(int(values.diff(dim=dim).abs()[pairs].max()))
    return max(steps)


def test_no_edge_of_a_moving_window_can_be_seen() -> None:
    mattes, people = veiled_walk(24)
    assert len({(crop.left, crop.top) for m in mattes for crop in m.crops}) > 2  # it moves
    veil = THIN_VEIL * MAX_ALPHA
    for matte, person in zip(mattes, people, strict=True):
        (crop,) = matte.crops
        once = render_planes(replace(matte, crops=())).alpha[0, 0].int()
        change = render_planes(matte).alpha[0, 0].int() - once
        window = mask_of(crop.left, crop.top, *crop.content.source.size)
        assert not window.all()
        assert (change[~window] == 0).all()
        beside = ~mask_of(*person, room=14)  # the trail of whoever moves is no longer
        assert change[beside].max() > veil / 4
        assert steepest(change, beside) <= veil / crop.ramp_px + 2


def test_several_people_who_come_and_go_are_each_seen_sharper() -> None:
    """One stands still; one walks in and out again on the right; one is there at first only."""
    way = [*range(330, 270, -5), *range(270, 335, 5)]
    frames = concatenate(
        [
            scene(
                SIZE,
                [(22, 102, 20, 45), (x, 21, 20, 45)] + [(150, 110, 18, 41)] * (index < 4),
            )
            for index, x in enumerate(way)
        ]
    )
    twice, once = matted(session_of(BrightnessNetwork()), frames), matted_once(frames)
    assert sum(errors(twice, frames)) < 0.75 * sum(errors(once, frames))
    for own, first in zip(errors(twice, frames), errors(once, frames), strict=True):
        assert own <= 1.02 * first
    # Whoever comes or goes changes nothing about the one who stands still.
    still = twice.alpha[FADE_FRAMES:, :, 95:160, 10:60]
    assert (still.int() == still[:1].int()).all()


def test_when_all_have_left_nothing_is_left_of_them() -> None:
    session = session_of(BrightnessNetwork())
    walk = [scene(SIZE, [(282 + 5 * index, 62, 20, 45)]) for index in range(10)]
    empty = [scene(SIZE, [])] * (LOST_FRAMES + FADE_FRAMES + 2)
    mattes = session.mattes(concatenate([*walk, *empty]), RATIO)
    assert mattes[0].crops
    assert not mattes[-1].crops
    assert (render_planes(mattes[-1]).alpha.int() == 0).all()
    assert session.state is not None
    assert not session.state.parts[0].further
