"""Views that show people larger: windows of the picture as they are, or turned toward the people.

All follow the rules of the program's windows: as much room, as large a small copy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.quality.turned_views import Directions, Shape, Turned, Window
from matting.imaging.lenses import Lens
from matting.imaging.sample_format import Size
from matting.inference.components import component_boxes
from matting.inference.crop_window import (
    CELL_SIDE,
    LARGEST_AREA,
    LARGEST_SCALE,
    LONGEST_SHAPE,
    ROOM,
    SHORT_SIDE,
    Box,
    window_around,
)
from matting.inference.people_boxes import LEAST_SHARE, MOST_WINDOWS, joined, near_groups
from matting.inference.small_people import LEAST_ALPHA

BLOCK_PX = 10
STEPS = 6  # until the people are in the middle of a turned view
# How wide a turned view can be, in units of its plane: 113, 205 and 183 degrees.
MOST_WIDTHS = {Shape.FLAT: 3.0, Shape.STEREOGRAPHIC: 5.0, Shape.EQUIDISTANT: 3.2}


def people_in(alpha: Tensor) -> Iterator[Tensor]:
    """Yield where each group of people ever is, [N, N], bool, the largest group first.

    Args:
        alpha: [T, N, N].
    """
    side = alpha.shape[1]
    means = F.avg_pool2d(alpha[:, None], BLOCK_PX, ceil_mode=True, count_include_pad=False)
    mask = (means[:, 0] > LEAST_ALPHA).any(0)
    boxes = [
        Box(*(min(side, BLOCK_PX * end) for end in box)) for box in component_boxes(mask.numpy())
    ]
    groups = [joined(group) for group in near_groups(boxes)]
    ever = (alpha > 0.5).any(0)
    for box in sorted(groups, key=lambda own: own.area, reverse=True)[:MOST_WINDOWS]:
        inside = torch.zeros_like(ever)
        rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
        inside[rows, columns] = ever[rows, columns]
        if LEAST_SHARE * max(box.width, box.height) >= side and inside.any():
            yield inside


def window_view(people: Tensor, lens: Lens) -> Window:
    """Return the program's window around people, [N, N], bool."""
    side = len(people)
    rows, columns = (people.any(dim).nonzero() for dim in (1, 0))
    box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    window = window_around(box, Size(side, side), 1)
    size = Size(window.columns * CELL_SIDE, window.rows * CELL_SIDE)
    left, top, right, bottom = (2 * end / side - 1 for end in window.box)
    return Window(lens, left, top, right, bottom, size)


def turned_view(people: Tensor, lens: Lens, shape: Shape) -> Turned:
    """Return a view turned toward people, [N, N], bool, which holds all of them if it can."""
    side = len(people)
    rows, columns = ((own.double() * 2 + 1) / side - 1 for own in people.nonzero(as_tuple=True))
    directions = lens.directions(columns, rows)
    view = _turned_to(lens, shape, *(float(own.mean()) for own in directions))
    for _ in range(STEPS):
        middle = [(own.amin() + own.amax()) / 2 for own in _extent(view, directions)]
        view = _turned_to(lens, shape, *map(float, view.directions(*middle)))
    reach = [2 * float(own.abs().amax()) for own in _extent(view, directions)]
    longest = max(reach)
    most = MOST_WIDTHS[shape]
    width, height = (min(most, max(own, LONGEST_SHAPE * longest) * ROOM) for own in reach)
    unit_px = side / 2 / lens.half_angle
    scale = min(
        LARGEST_SCALE * unit_px,
        SHORT_SIDE / min(width, height),
        math.sqrt(LARGEST_AREA / (width * height)),
    )
    across, down = (math.ceil(own * scale / CELL_SIDE) * CELL_SIDE for own in (width, height))
    half = across / scale / 2, down / scale / 2
    return Turned(lens, shape, view.yaw, view.pitch, *half, Size(across, down))


def _turned_to(lens: Lens, shape: Shape, right: float, down: float, ahead: float) -> Turned:
    """Return a view with its axis in a direction, as wide as two units of its plane."""
    yaw = math.atan2(right, ahead)
    pitch = math.atan2(down, math.hypot(right, ahead))
    return Turned(lens, shape, yaw, pitch, 1, 1, Size(CELL_SIDE, CELL_SIDE))


def _extent(view: Turned, directions: Directions) -> tuple[Tensor, Tensor]:
    """Return where directions lie in a view's plane, of those that can be seen in it."""
    across, down, is_there = view.plane(*directions)
    return across[is_there], down[is_there]
