"""How directions become places in an eye's part of a frame, and back.

A place is given in halves of the part's side: its left or upper edge lies at -1, its other at 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from matting.view import Projection

HALF_TURN_DEG = 180.0

# Places, across and down, to places in another picture, and whether something is seen there.
FindPlaces = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]


@dataclass(frozen=True)
class Lens:
    """How directions become places.

    Attributes:
        projection: HALF_EQUIRECTANGULAR, or FISHEYE, which is equidistant: the distance from the
            middle of its circle grows with the angle from the axis.
        field_of_view_deg: across the whole part.
    """

    projection: Projection
    field_of_view_deg: float = HALF_TURN_DEG

    @property
    def is_circle(self) -> bool:
        """Whether nothing is seen outside the circle in its part."""
        return self.projection is Projection.FISHEYE

    @property
    def half_angle(self) -> float:
        """The angle between the axis and the edge, in radians."""
        return math.radians(self.field_of_view_deg / 2)

    def sees(self, across: Tensor, down: Tensor) -> Tensor:
        """Return at which places there can be something of the picture, bool."""
        inside = (across.abs() <= 1) & (down.abs() <= 1)
        return inside & (across.square() + down.square() <= 1) if self.is_circle else inside

    def directions(self, across: Tensor, down: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the unit vectors that are seen at places: to the right, down, and ahead."""
        if self.is_circle:
            radius = torch.hypot(across, down)
            angle = radius * self.half_angle
            # Of the angle's sine, in the direction of the place; 1 to 1 in the middle.
            share = torch.sinc(angle / math.pi) * self.half_angle
            return across * share, down * share, torch.cos(angle)
        longitude, latitude = across * self.half_angle, down * self.half_angle
        level = torch.cos(latitude)
        ahead = level * torch.cos(longitude)
        return level * torch.sin(longitude), torch.sin(latitude).expand_as(ahead), ahead

    def places(self, right: Tensor, down: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
        """Return at which places, across and down, unit vectors are seen."""
        if self.is_circle:
            off_axis = torch.hypot(right, down)
            angle = torch.atan2(off_axis, ahead)
            # On the axis itself there is no direction to go.
            share = angle / self.half_angle / off_axis.clamp(min=torch.finfo(off_axis.dtype).tiny)
            return right * share, down * share
        longitude = torch.atan2(right, ahead)
        latitude = torch.asin(down.clamp(-1, 1))
        return longitude / self.half_angle, latitude / self.half_angle


def place_finder(source: Lens, target: Lens) -> FindPlaces:
    """Return what finds for places in the target where the same direction is in the source.

    It also tells where both see something. Nothing has to be known of a lens that stays the same.
    """

    def find(across: Tensor, down: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = target.sees(across, down)
        if source == target:
            same = torch.broadcast_tensors(across, down)
            return same[0], same[1], seen
        own_across, own_down = source.places(*target.directions(across, down))
        return own_across, own_down, seen & source.sees(own_across, own_down)

    return find
