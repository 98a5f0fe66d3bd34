"""The window of a crop: on a grid of cells, along which it moves without losing its state.

A cell is a pixel of the network's coarsest map. A window that moves by whole cells has each of its
states moved by whole numbers, and the network sees each pixel where it has always seen it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple

from msgspec import Meta

from matting.imaging.sample_format import Size

CELL_SIDE = 16  # of a cell, in pixels of the crop's small copy
SHORT_SIDE = 288  # of a crop's small copy, at which the network sees people best
LARGEST_SCALE = 1.6  # of a crop's small copy: larger ones show the network nothing but blur
LARGEST_AREA = 200_000  # of a crop's small copy, in pixels: half of a usual whole one
ROOM = 1.7  # times as large as the people is their window
LONGEST_SHAPE = 0.6  # short side of a window to its long side
MARGIN = 0.06  # of the people's size is left free at each side, or one cell
A_LITTLE_MORE = 1 + 1e-9  # so that rounding never takes a pixel off the small copy

Coordinate = Annotated[int, Meta(ge=-(1 << 20), le=1 << 20)]
Cells = Annotated[int, Meta(ge=1, le=1 << 10)]


class Box(NamedTuple):
    """A part of a frame, in its pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def area(self) -> int:
        return max(0, self.width) * max(0, self.height)

    def common(self, other: Box) -> Box:
        """Return what is part of both; its area is 0 where nothing is."""
        lefts_tops = (max(a, b) for a, b in zip(self[:2], other[:2], strict=True))
        ends = (min(a, b) for a, b in zip(self[2:], other[2:], strict=True))
        return Box(*lefts_tops, *ends)

    def joined(self, other: Box) -> Box:
        """Return the least box that holds both."""
        lefts_tops = (min(a, b) for a, b in zip(self[:2], other[:2], strict=True))
        ends = (max(a, b) for a, b in zip(self[2:], other[2:], strict=True))
        return Box(*lefts_tops, *ends)


@dataclass(frozen=True)
class CropWindow:
    """Where a crop is.

    Attributes:
        left, top: in pixels of the frame. Less than a cell may be outside of it, at any side.
        columns, rows: its size in cells.
        cell_px: pixels of the frame along a cell.
    """

    left: Coordinate
    top: Coordinate
    columns: Cells
    rows: Cells
    cell_px: Cells

    @property
    def size(self) -> Size:
        return Size(self.columns * self.cell_px, self.rows * self.cell_px)

    @property
    def box(self) -> Box:
        width, height = self.size
        return Box(self.left, self.top, self.left + width, self.top + height)

    @property
    def ratio(self) -> float:
        """The size of its small copy to its own; above 1 where it is enlarged."""
        return CELL_SIDE * A_LITTLE_MORE / self.cell_px

    def cells_from(self, before: CropWindow) -> tuple[int, int]:
        """Return by how many cells it has moved, to the right and down, since it was `before`."""
        return (
            (self.left - before.left) // self.cell_px,
            (self.top - before.top) // self.cell_px,
        )

    def following(self, people: Box, frame: Size) -> CropWindow | None:
        """Return it moved, if it has to be, so that people have room in it.

        Returns:
            None: they are too large for it.
        """
        (left, right), (top, bottom) = self.box[::2], self.box[1::2]
        x = self._follow((left, right), (people.left, people.right), frame.width)
        y = self._follow((top, bottom), (people.top, people.bottom), frame.height)
        return None if x is None or y is None else replace(self, left=x, top=y)

    def _follow(self, own: tuple[int, int], people: tuple[int, int], length: int) -> int | None:
        """Return where it begins along one side of the frame, of that length."""
        margin = max(self.cell_px, round(MARGIN * (people[1] - people[0])))
        # Nobody needs room beyond the frame's edge.
        wanted = max(0, people[0] - margin), min(length, people[1] + margin)
        if own[0] <= wanted[0] and wanted[1] <= own[1]:
            return own[0]
        middle = (people[0] + people[1] - own[0] - own[1]) / 2
        cells = math.floor(middle / self.cell_px + 0.5)
        for outside in (0, self.cell_px - 1):  # where it can be, none of it is
            least = -((own[0] + outside) // self.cell_px)
            most = (length + outside - own[1]) // self.cell_px
            step = max(least, min(most, cells)) * self.cell_px
            begin, end = own[0] + step, own[1] + step
            if begin <= wanted[0] and wanted[1] <= end:
                return begin
        return None


def window_around(people: Box, frame: Size, unit: int) -> CropWindow:
    """Return a window for people, with room for them to move.

    Args:
        unit: how many pixels of the frame belong together, because they share a chroma sample.
    """
    longest = max(people.width, people.height)
    sides = (max(side, LONGEST_SHAPE * longest) * ROOM for side in (people.width, people.height))
    width, height = (min(side, most) for side, most in zip(sides, frame, strict=True))
    scale = min(
        LARGEST_SCALE, SHORT_SIDE / min(width, height), math.sqrt(LARGEST_AREA / (width * height))
    )
    cell_px = unit * max(1, round(CELL_SIDE / scale / unit))
    columns = _cells(width, people.width, frame.width, cell_px)
    rows = _cells(height, people.height, frame.height, cell_px)
    left = _begin((people.left, people.right), columns * cell_px, frame.width, unit)
    top = _begin((people.top, people.bottom), rows * cell_px, frame.height, unit)
    return CropWindow(left, top, columns, rows, cell_px)


def _cells(wanted: float, people: int, length: int, cell_px: int) -> int:
    """Return how many cells a window has along a side: people find room at some place on its grid.

    Args:
        wanted: its length without that.
        people, length: how long they and the frame are.
    """
    least = math.ceil(people / cell_px) + 3  # a margin at each end, and a step
    return min(max(math.ceil(wanted / cell_px), least), math.ceil(length / cell_px))


def _begin(people: tuple[int, int], side: int, length: int, unit: int) -> int:
    """Return where a window begins along one side of the frame: inside, if it is not larger."""
    middle = (sum(people) - side) // 2
    return max(0, min(middle, length - side)) // unit * unit
