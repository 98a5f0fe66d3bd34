"""People on planes in a room around a lens, and the picture that the lens sees, with exact alpha.

The eye is at the origin; directions are to the right, down and ahead, in metres. Each pixel is the
mean of several rays, and of these colour times alpha, alpha and background are averaged alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.lenses import Lens

RAYS = 3  # along each side of a pixel
BAND_ROWS = 64  # of pixels whose rays are followed at once
SIDE_M, FLOOR_M, CEILING_M, AHEAD_M = 3.0, 1.5, 1.6, 3.5  # how far the room's walls are
SHADES = (0.85, 0.7, 1.0)  # how bright its sides are, floor and ceiling, and the wall ahead
PAPER_M = 4.0  # of a wall that the height of its paper covers
DESK_M = 1.3  # half the width of what people stand behind who are cut off below
TINY = 1e-6  # of a direction: what is nearer to a plane's own never meets it
NOWHERE = 9.0  # in a grid: outside the picture that is sampled

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Place:
    """Where somebody is.

    Attributes:
        foot: the middle of the lower edge.
        right, up: unit vectors along the plane.
        height: from the lower edge to the head, in metres.
    """

    foot: Point
    right: Point
    up: Point
    height: float


def standing(azimuth_deg: float, distance: float, below: float, height: float) -> Place:
    """Return a place of somebody upright who faces the eye.

    Args:
        below: how deep the lower edge lies.
    """
    a = math.radians(azimuth_deg)
    foot = distance * math.sin(a), below, distance * math.cos(a)
    return Place(foot, (math.cos(a), 0, -math.sin(a)), (0, -1, 0), height)


def lying(distance: float, below: float, height: float) -> Place:
    """Return a place of somebody on the floor, whose feet are nearest."""
    return Place((0, below, distance), (1, 0, 0), (0, 0, 1), height)


@dataclass(frozen=True)
class Sprites:
    """Frames of somebody, cut out.

    Attributes:
        layers: [T, 4, h, w], float32: colour times alpha, then alpha. The feet, or where the
            person is cut off, are at the lower edge.
        is_cut_off: at the lower edge; what hides the rest is drawn below it.
        paper: what the room is papered with, [3, h, w], float32.
    """

    layers: Tensor
    is_cut_off: bool
    paper: Tensor


class Rays(NamedTuple):
    """Unit vectors, [h, w] each, and which of them the lens sees."""

    right: Tensor
    down: Tensor
    ahead: Tensor
    seen: Tensor


class SphereFilm:
    """The frames that a lens sees: a still room, and somebody who moves in it."""

    def __init__(self, sprites: Sprites, place: Place, lens: Lens, side_px: int) -> None:
        """
        Args:
            side_px: of the square pictures.
        """
        self._sprites, self._place = sprites, place
        self._lens, self._side_px = lens, side_px
        self._box = self._person_box()
        self._grid = self._sprite_places(self._rays(*self._box))
        bands = [self._rays(rows, slice(0, side_px)) for rows in self._bands()]
        self._room = torch.cat([F.avg_pool2d(self._room_at(rays), RAYS) for rays in bands], dim=1)

    def frame(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the picture [3, N, N] and its alpha [N, N], float32, in [0, 1]."""
        rows, columns = self._box
        layers = self._sprites.layers[index]
        own = F.grid_sample(layers[None], self._grid[None], align_corners=False)
        colours, share = F.avg_pool2d(own, RAYS)[0].clamp(0, 1).split((3, 1))
        picture, alpha = self._room.clone(), torch.zeros(self._side_px, self._side_px)
        alpha[rows, columns] = share[0]
        picture[:, rows, columns] = colours + (1 - share) * picture[:, rows, columns]
        return picture.clamp_(0, 1), alpha

    def _bands(self) -> Iterator[slice]:
        for top in range(0, self._side_px, BAND_ROWS):
            yield slice(top, min(self._side_px, top + BAND_ROWS))

    def _rays(self, rows: slice, columns: slice) -> Rays:
        """Return the rays of the pixels in some rows and columns."""
        step = 2 / (self._side_px * RAYS)
        across, down = (
            (torch.arange(own.start * RAYS, own.stop * RAYS) + 0.5) * step - 1
            for own in (columns, rows)
        )
        across, down = torch.broadcast_tensors(across, down[:, None])
        return Rays(*self._lens.directions(across, down), self._lens.sees(across, down))

    def _person_box(self) -> tuple[slice, slice]:
        """Return the rows and columns of the pixels in which the sprite can be seen."""
        seen = []
        for rows in self._bands():
            grid = self._sprite_places(self._rays(rows, slice(0, self._side_px)))
            inside = (grid.abs() <= 1).all(-1)
            seen.append(F.max_pool2d(inside[None].float(), RAYS)[0])
        rows_columns = torch.cat(seen).nonzero()
        (top, left), (bottom, right) = rows_columns.amin(0).tolist(), rows_columns.amax(0).tolist()
        return slice(top, bottom + 1), slice(left, right + 1)

    def _sprite_places(self, rays: Rays) -> Tensor:
        """Return where rays meet the sprite, as `grid_sample` counts, [h, w, 2]."""
        height, width = self._sprites.layers.shape[2:]
        right, up, meets = _on_plane(self._place, rays)
        half_width = self._place.height * width / height / 2
        grid = torch.stack((right / half_width, 1 - 2 * up / self._place.height), dim=-1)
        return torch.where(meets[..., None], grid, NOWHERE)

    def _room_at(self, rays: Rays) -> Tensor:
        """Return the colours of the room, [3, h, w], that rays meet."""
        paper = self._sprites.paper
        colours = _walls(paper, rays)
        if self._sprites.is_cut_off:
            right, up, meets = _on_plane(self._place, rays)
            is_desk = meets & (up < 0) & (right.abs() < DESK_M)
            desk = _papered(paper, right / 2, up / 2 + PAPER_M / 2) / 2 + 0.1
            colours = torch.where(is_desk, desk, colours)
        return torch.where(rays.seen, colours, 0)


def _on_plane(place: Place, rays: Rays) -> tuple[Tensor, Tensor, Tensor]:
    """Return how far to the right and up rays meet a plane, in metres, and whether they do."""
    r, u = place.right, place.up
    normal = r[1] * u[2] - r[2] * u[1], r[2] * u[0] - r[0] * u[2], r[0] * u[1] - r[1] * u[0]
    toward = _product(rays, normal)
    distance = _product(place.foot, normal) / torch.where(toward.abs() < TINY, TINY, toward)
    points = [ray * distance - foot for ray, foot in zip(rays[:3], place.foot, strict=True)]
    return _product(points, r), _product(points, u), (distance > 0) & rays.seen


def _product(one: Sequence[Tensor] | Point, other: Point) -> Tensor:
    """Return the scalar product of vectors."""
    return torch.as_tensor(one[0] * other[0] + one[1] * other[1] + one[2] * other[2])


def _walls(paper: Tensor, rays: Rays) -> Tensor:
    """Return the colours of the walls, the floor and the ceiling, [3, h, w], that rays meet."""
    deep = torch.where(rays.down > 0, FLOOR_M, CEILING_M)
    distances = (
        SIDE_M / rays.right.abs().clamp(min=TINY),
        deep / rays.down.abs().clamp(min=TINY),
        AHEAD_M / rays.ahead.clamp(min=TINY),
    )
    distance, wall = torch.stack(distances).min(0)
    right, down, ahead = (own * distance for own in rays[:3])
    along = torch.where(wall == 0, ahead, right)
    deep = torch.where(wall == 1, ahead, down + CEILING_M)
    return _papered(paper, along, deep) * torch.tensor(SHADES)[wall]


def _papered(paper: Tensor, right_m: Tensor, down_m: Tensor) -> Tensor:
    """Return what paper [3, h, w], mirrored at its edges without end, shows at places."""
    height, width = paper.shape[1:]
    width_m = PAPER_M * width / height
    grid = torch.stack((2 * right_m / width_m, 2 * down_m / PAPER_M - 1), dim=-1)
    return F.grid_sample(paper[None], grid[None], padding_mode="reflection", align_corners=False)[0]
