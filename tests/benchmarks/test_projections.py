"""The bench of bent pictures: its scenes are exact, and its views come back where they were."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from benchmarks.quality.part_projections import (
    ONCE,
    WAYS,
    WINDOWS,
    Measurement,
    Shown,
    flat_views,
    people_view,
)
from benchmarks.quality.people_views import people_in, turned_view
from benchmarks.quality.sphere_scenes import Place, SphereFilm, Sprites, lying, standing
from benchmarks.quality.turned_views import PartialView, Shape, Turned, Window
from benchmarks.quality.view_maps import ViewMap
from benchmarks.quality.view_matting import matte_views, way_back_loss
from matting.imaging.lenses import Lens
from matting.imaging.sample_format import Size
from matting.view import Projection
from tests.support.brightness_network import BRIGHT, DARK, BrightnessInference

SIDE = 128
LENS = Lens(Projection.HALF_EQUIRECTANGULAR)
VIEWS = [
    Window(LENS, -0.5, -0.25, 0.25, 0.5, Size(48, 32)),
    *(Turned(LENS, shape, 0.3, 0.6, 0.5, 0.8, Size(32, 48)) for shape in Shape),
]
SMALL_PERSON = standing(20, 2, 1.2, 1.6)


def sprites(frames: int = 1) -> Sprites:
    """Return somebody white, a third as wide as high, before a dark wall."""
    return Sprites(torch.ones(frames, 4, 48, 16), False, torch.full((3, 8, 8), 0.1))


def scene(place: Place = SMALL_PERSON, lens: Lens = LENS) -> tuple[Tensor, Tensor]:
    """Return a picture and its alpha."""
    return SphereFilm(sprites(), place, lens, SIDE).frame(0)


@pytest.mark.parametrize("view", VIEWS)
def test_a_place_of_a_view_comes_back_to_itself(view: PartialView) -> None:
    across = torch.linspace(-0.95, 0.95, 7, dtype=torch.float64)
    x, y, seen = view.to_source(across, across[:, None])
    assert seen.all()
    back_x, back_y, back_seen = view.from_source(x, y)
    assert back_seen.all()
    assert torch.allclose(back_x, across.expand(7, 7), atol=1e-6)
    assert torch.allclose(back_y, across[:, None].expand(7, 7), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "distance"),
    [
        (Shape.FLAT, math.tan(0.5)),
        (Shape.STEREOGRAPHIC, 2 * math.tan(0.25)),
        (Shape.EQUIDISTANT, 0.5),
    ],
)
def test_a_direction_lies_as_far_from_the_middle_as_the_shape_says(
    shape: Shape, distance: float
) -> None:
    view = Turned(LENS, shape, 0.3, 0.2, 1, 1, Size(16, 16))
    down = [torch.tensor(own, dtype=torch.float64) for own in _direction(0.3, 0.2 + 0.5)]
    x, y, is_there = view.plane(*down)
    assert is_there
    assert float(x) == pytest.approx(0, abs=1e-9)
    assert float(y) == pytest.approx(distance)


def _direction(yaw: float, pitch: float) -> tuple[float, float, float]:
    level = math.cos(pitch)
    return level * math.sin(yaw), math.sin(pitch), level * math.cos(yaw)


@pytest.mark.parametrize(
    ("place", "top_deg", "bottom_deg"),
    [
        (standing(0, 1, 1, 0.9), math.degrees(math.atan(0.1)), 45),
        (lying(0.5, 1, 1), math.degrees(math.atan(1 / 1.5)), math.degrees(math.atan(2))),
    ],
)
def test_people_are_where_they_stand_or_lie(
    place: Place, top_deg: float, bottom_deg: float
) -> None:
    _, alpha = scene(place)
    rows = (alpha[:, SIDE // 2] > 0.5).nonzero()
    top, bottom = ((angle + 90) / 180 * SIDE for angle in (top_deg, bottom_deg))
    assert float(rows[0]) == pytest.approx(top, abs=1)
    assert float(rows[-1]) + 1 == pytest.approx(bottom, abs=1)


def test_a_picture_is_people_over_their_room_by_its_alpha() -> None:
    picture, alpha = scene()
    room = SphereFilm(sprites(), standing(-60, 2, 1.2, 0.1), LENS, SIDE).frame(0)[0]
    soft = (alpha > 0) & (alpha < 1)
    assert soft.any()
    expected = alpha + (1 - alpha) * room
    assert torch.allclose(picture[:, soft], expected[:, soft], atol=1e-5)


def test_a_fisheye_sees_nothing_outside_its_circle() -> None:
    picture, _ = scene(lens=Lens(Projection.FISHEYE, 190.0))
    assert float(picture[:, 0, 0].max()) == 0
    assert float(picture[:, SIDE // 2, 2].max()) > 0


def test_the_whole_picture_is_a_view_of_itself() -> None:
    picture, alpha = scene()
    view_map = ViewMap(Window(LENS, -1, -1, 1, 1, Size(SIDE, SIDE)), SIDE)
    assert torch.allclose(view_map.picture(picture), picture, atol=1e-5)
    assert float(view_map.weights.min()) == 1
    assert way_back_loss(alpha, [view_map]) == pytest.approx(0, abs=1e-4)


def test_flat_views_see_every_direction() -> None:
    weights = torch.zeros(SIDE, SIDE)
    for view_map in (ViewMap(view, SIDE) for view in flat_views(LENS)):
        weights[view_map.box] += view_map.weights
    assert float(weights.min()) > 0


@pytest.mark.parametrize("shape", Shape)
def test_a_turned_view_holds_its_people_and_room_around(shape: Shape) -> None:
    _, alpha = scene()
    (people,) = people_in(alpha[None])
    view = turned_view(people, LENS, shape)
    view_map = ViewMap(view, SIDE)
    assert torch.equal(people[view_map.box].sum(), people.sum())
    assert float(view_map.weights[people[view_map.box]].min()) > 0.95
    seen = view_map.picture(alpha[None])[0]
    edges = torch.cat((seen[0], seen[-1], seen[:, 0], seen[:, -1]))
    assert float(edges.max()) < 0.01
    assert way_back_loss(alpha, [view_map], onto=alpha) < 0.05


def test_a_matte_comes_back_to_the_pixels_that_it_is_of() -> None:
    picture, alpha = scene()
    (people,) = people_in(alpha[None])
    views = [people_view(way, people, LENS) for way in WAYS[LENS][-4:]]
    assert [type(view) for view in views] == [Window, Turned, Turned, Turned]
    first = torch.zeros(2, SIDE, SIDE)
    expected = ((picture.mean(0) - DARK) / (BRIGHT - DARK)).clamp(0, 1)
    for view in views:
        maps = [ViewMap(view, SIDE)]
        matte, cost = matte_views(BrightnessInference(), maps, [picture] * 2, first)
        assert cost.pixels == view.size.width * view.size.height
        difference = (matte[1] - expected).abs().sum() / expected.sum()
        assert float(difference) < 0.2  # the small maps' edges
        assert float((matte[1] - expected).abs()[alpha == 1].mean()) < 0.05


def test_every_way_is_measured() -> None:
    shown = Shown.of(SphereFilm(sprites(2), SMALL_PERSON, LENS, SIDE), 2)
    measurement = Measurement(LENS, (ONCE, WINDOWS), SIDE)
    figures = dict(measurement.figures(BrightnessInference(), shown))
    assert list(figures) == [ONCE, WINDOWS]
    for own in figures.values():
        assert 0 < own.error < 0.3
        assert own.low_error <= own.error
    assert figures[WINDOWS].kilopixels > figures[ONCE].kilopixels
