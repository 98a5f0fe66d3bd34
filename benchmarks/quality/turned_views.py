"""Views of a part of what a lens sees: a rectangle of its picture, or turned toward a direction.

Places in a view, across and down, lie between -1 and 1, as those in a lens's picture.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import torch
from torch import Tensor

from matting.imaging.lenses import Lens
from matting.imaging.sample_format import Size

# Places, across and down, to places in another picture, and whether something is seen there.
Places = tuple[Tensor, Tensor, Tensor]
Directions = tuple[Tensor, Tensor, Tensor]


class Shape(Enum):
    """How a turned view is drawn: what becomes of the angle from its axis."""

    FLAT = "flat"
    STEREOGRAPHIC = "stereographic"
    EQUIDISTANT = "equidistant"


# The distance from the middle, in units of the view's plane, to the angle, and back.
ANGLES: dict[Shape, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    Shape.FLAT: (torch.atan, torch.tan),
    Shape.STEREOGRAPHIC: (lambda r: 2 * torch.atan(r / 2), lambda t: 2 * torch.tan(t / 2)),
    Shape.EQUIDISTANT: (lambda r: r, lambda t: t),
}
TINY = 1e-9  # as near to the axis there is no direction to go
# Beyond these angles a view shows nothing.
MOST_ANGLES = {Shape.FLAT: 1.5, Shape.STEREOGRAPHIC: 3.0, Shape.EQUIDISTANT: math.pi}


class PartialView(ABC):
    """A picture of a part of what a lens sees.

    Attributes:
        size: its own, in pixels.
    """

    size: Size

    @abstractmethod
    def to_source(self, across: Tensor, down: Tensor) -> Places:
        """Return where places of the view lie in the lens's picture."""

    @abstractmethod
    def from_source(self, across: Tensor, down: Tensor) -> Places:
        """Return where places of the lens's picture lie in the view."""

    @abstractmethod
    def at_scale_of(self, side_px: int) -> PartialView:
        """Return the view as large as it is, at its middle, in a picture of that side."""


@dataclass(frozen=True)
class Window(PartialView):
    """A rectangle of the picture, not bent: its edges are places of it."""

    lens: Lens
    left: float
    top: float
    right: float
    bottom: float
    size: Size

    def to_source(self, across: Tensor, down: Tensor) -> Places:
        x = self.left + (across + 1) / 2 * (self.right - self.left)
        y = self.top + (down + 1) / 2 * (self.bottom - self.top)
        x, y = torch.broadcast_tensors(x, y)
        return x, y, self.lens.sees(x, y)

    def from_source(self, across: Tensor, down: Tensor) -> Places:
        x = (across - self.left) / (self.right - self.left) * 2 - 1
        y = (down - self.top) / (self.bottom - self.top) * 2 - 1
        x, y = torch.broadcast_tensors(x, y)
        return x, y, (x.abs() <= 1) & (y.abs() <= 1)

    def at_scale_of(self, side_px: int) -> Window:
        sides = self.right - self.left, self.bottom - self.top
        return replace(self, size=Size(*(round(own / 2 * side_px) for own in sides)))


@dataclass(frozen=True)
class Turned(PartialView):
    """A view with an axis of its own.

    Attributes:
        source: the lens whose picture it is a view of.
        yaw, pitch: of its axis, in radians to the right, then down.
        half_width, half_height: in units of its plane, which at its middle are radians.
    """

    source: Lens
    shape: Shape
    yaw: float
    pitch: float
    half_width: float
    half_height: float
    size: Size

    def to_source(self, across: Tensor, down: Tensor) -> Places:
        x, y = torch.broadcast_tensors(across * self.half_width, down * self.half_height)
        is_there = ANGLES[self.shape][0](torch.hypot(x, y)) <= MOST_ANGLES[self.shape]
        u, v = self.source.places(*self.directions(x, y))
        return u, v, is_there & self.source.sees(u, v)

    def from_source(self, across: Tensor, down: Tensor) -> Places:
        x, y, is_there = self.plane(*self.source.directions(across, down))
        x, y = x / self.half_width, y / self.half_height
        return x, y, is_there & (x.abs() <= 1) & (y.abs() <= 1)

    def at_scale_of(self, side_px: int) -> Turned:
        unit_px = side_px / self.source.half_angle / 2
        halves = self.half_width, self.half_height
        return replace(self, size=Size(*(round(2 * own * unit_px) for own in halves)))

    def directions(self, x: Tensor, y: Tensor) -> Directions:
        """Return the directions that are seen at places of its plane, in units of it."""
        radius = torch.hypot(x, y)
        angle = ANGLES[self.shape][0](radius)
        # Of the angle's sine, in the direction of the place; 1 to 1 in the middle.
        share = torch.sin(angle) / radius.clamp(min=TINY)
        share = torch.where(radius < TINY, 1, share)
        return _turned((x * share, y * share, torch.cos(angle)), self.yaw, self.pitch)

    def plane(self, right: Tensor, down: Tensor, ahead: Tensor) -> Places:
        """Return where directions lie in its plane, in units of it, and whether they do at all."""
        x, y, z = _turned_back((right, down, ahead), self.yaw, self.pitch)
        off_axis = torch.hypot(x, y)
        angle = torch.atan2(off_axis, z)
        is_there = angle <= MOST_ANGLES[self.shape]
        share = ANGLES[self.shape][1](angle.clamp(max=MOST_ANGLES[self.shape]))
        share = torch.where(off_axis < TINY, 1, share / off_axis.clamp(min=TINY))
        return x * share, y * share, is_there


def _turned(own: Directions, yaw: float, pitch: float) -> Directions:
    x, y, z = own
    y, z = y * math.cos(pitch) + z * math.sin(pitch), z * math.cos(pitch) - y * math.sin(pitch)
    return x * math.cos(yaw) + z * math.sin(yaw), y, z * math.cos(yaw) - x * math.sin(yaw)


def _turned_back(directions: Directions, yaw: float, pitch: float) -> Directions:
    x, y, z = directions
    x, z = x * math.cos(yaw) - z * math.sin(yaw), z * math.cos(yaw) + x * math.sin(yaw)
    return x, y * math.cos(pitch) - z * math.sin(pitch), z * math.cos(pitch) + y * math.sin(pitch)
