"""A canvas to draw on: shapes, words and pictures, with smooth edges, saved as a small PNG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom

FINER = 2  # everything is drawn so much larger, and made smaller at the end
COLOURS = 160  # of the palette that a picture is saved with

INK: Colour = (38, 43, 51)
GREY: Colour = (120, 128, 140)
PALE: Colour = (214, 219, 227)
PAPER: Colour = (250, 251, 253)
WHITE: Colour = (255, 255, 255)
BLUE: Colour = (26, 110, 220)


class Canvas:
    """A picture of so many pixels; all places and sizes are in pixels of it."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.width_px, self.height_px = width_px, height_px
        self._image = Image.new("RGB", (width_px * FINER, height_px * FINER), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def rectangle(
        self,
        box: Box,
        fill: Colour | None = None,
        line: Colour | None = None,
        *,
        round_px: float = 0,
        width_px: float = 2,
    ) -> None:
        """A filled or outlined rectangle, with round corners if asked for."""
        self._draw.rounded_rectangle(
            _finer(box), round_px * FINER, fill, line, max(1, round(width_px * FINER))
        )

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        """A filled shape."""
        self._draw.polygon([(x * FINER, y * FINER) for x, y in points], fill)

    def ellipse(self, box: Box, fill: Colour) -> None:
        """A filled ellipse."""
        self._draw.ellipse(_finer(box), fill)

    def arc(self, box: Box, degrees: tuple[float, float], line: Colour, width_px: float) -> None:
        """A part of an ellipse's line, clockwise from the right."""
        self._draw.arc(_finer(box), *degrees, fill=line, width=round(width_px * FINER))

    def line(self, points: Sequence[Point], colour: Colour, width_px: float) -> None:
        """Straight lines from point to point."""
        scaled = [(x * FINER, y * FINER) for x, y in points]
        self._draw.line(scaled, colour, round(width_px * FINER), joint="curve")

    def arrow(self, start: Point, end: Point, colour: Colour, *, dashed: bool = False) -> None:
        """An arrow, whose head ends at `end`."""
        length, head = math.dist(start, end), 14.0
        along = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)

        def at(distance: float, aside: float = 0) -> Point:
            x, y = (start[i] + along[i] * distance for i in (0, 1))
            return x - along[1] * aside, y + along[0] * aside

        dash, gap = (9.0, 6.0) if dashed else (length, 0.0)
        place = 0.0
        while place < length - head:
            self.line([at(place), at(min(place + dash, length - head))], colour, 4)
            place += dash + gap
        self.polygon([at(length), at(length - head - 2, 9), at(length - head - 2, -9)], colour)

    def words(
        self, place: Point, text: str, size_px: float, colour: Colour = INK, *, anchor: str = "mm"
    ) -> None:
        """A line of text; `anchor` as in Pillow: "mm" its middle, "lm" the middle of its left."""
        font = ImageFont.load_default(size_px * FINER)
        self._draw.text((place[0] * FINER, place[1] * FINER), text, colour, font, anchor)

    def picture(self, box: Box, rgb: NDArray[np.uint8]) -> None:
        """Puts a picture [H, W, 3] into the box."""
        left, top, right, bottom = (round(value) for value in _finer(box))
        image = Image.fromarray(rgb).resize((right - left, bottom - top), Image.Resampling.LANCZOS)
        self._image.paste(image, (left, top))

    def png(self) -> bytes:
        """The finished picture, as the content of a PNG file."""
        size = (self.width_px, self.height_px)
        finished = self._image.resize(size, Image.Resampling.BOX)
        reduced = finished.quantize(COLOURS, dither=Image.Dither.NONE)
        content = BytesIO()
        reduced.save(content, "PNG", optimize=True)
        return content.getvalue()


def _finer(box: Box) -> Box:
    left, top, right, bottom = box
    return left * FINER, top * FINER, right * FINER, bottom * FINER
