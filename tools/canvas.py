"""A canvas to draw on: shapes, text and pictures, antialiased, saved as a small PNG."""

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

SCALE = 2  # everything is drawn so much larger, and reduced at the end
PALETTE_COLOURS = 160  # of a saved picture

INK: Colour = (38, 43, 51)
GREY: Colour = (120, 128, 140)
PALE: Colour = (214, 219, 227)
PAPER: Colour = (250, 251, 253)
WHITE: Colour = (255, 255, 255)
BLUE: Colour = (26, 110, 220)


class Canvas:
    """A picture of a given size; all positions and sizes are in its pixels."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.width_px, self.height_px = width_px, height_px
        self._image = Image.new("RGB", (width_px * SCALE, height_px * SCALE), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def rectangle(
        self,
        box: Box,
        fill: Colour | None = None,
        outline: Colour | None = None,
        *,
        radius_px: float = 0,
        width_px: float = 2,
    ) -> None:
        """Draw a rectangle, filled or outlined; its corners are rounded if they have a radius."""
        self._draw.rounded_rectangle(
            _scaled(box), radius_px * SCALE, fill, outline, max(1, round(width_px * SCALE))
        )

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        """Draw a filled polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill)

    def ellipse(self, box: Box, fill: Colour) -> None:
        """Draw a filled ellipse."""
        self._draw.ellipse(_scaled(box), fill)

    def arc(self, box: Box, degrees: tuple[float, float], colour: Colour, width_px: float) -> None:
        """Draw a part of an ellipse's outline; angles are clockwise from the right."""
        self._draw.arc(_scaled(box), *degrees, fill=colour, width=round(width_px * SCALE))

    def line(self, points: Sequence[Point], colour: Colour, width_px: float) -> None:
        """Draw straight lines from point to point."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, colour, round(width_px * SCALE), joint="curve")

    def arrow(self, start: Point, end: Point, colour: Colour, *, dashed: bool = False) -> None:
        """Draw an arrow whose tip is at `end`."""
        length, head = math.dist(start, end), 14.0
        direction = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)

        def at(distance: float, offset: float = 0) -> Point:
            x, y = (start[i] + direction[i] * distance for i in (0, 1))
            return x - direction[1] * offset, y + direction[0] * offset

        dash, gap = (9.0, 6.0) if dashed else (length, 0.0)
        distance = 0.0
        while distance < length - head:
            self.line([at(distance), at(min(distance + dash, length - head))], colour, 4)
            distance += dash + gap
        self.polygon([at(length), at(length - head - 2, 9), at(length - head - 2, -9)], colour)

    def text(
        self,
        position: Point,
        text: str,
        size_px: float,
        colour: Colour = INK,
        *,
        anchor: str = "mm",
    ) -> None:
        """Draw a line of text; `anchor` as in Pillow: "mm" its centre, "lm" its left end."""
        font = ImageFont.load_default(size_px * SCALE)
        self._draw.text((position[0] * SCALE, position[1] * SCALE), text, colour, font, anchor)

    def picture(self, box: Box, rgb: NDArray[np.uint8]) -> None:
        """Draw a picture [H, W, 3], resized to the box."""
        left, top, right, bottom = (round(value) for value in _scaled(box))
        image = Image.fromarray(rgb).resize((right - left, bottom - top), Image.Resampling.LANCZOS)
        self._image.paste(image, (left, top))

    def png(self) -> bytes:
        """Return the picture as the content of a PNG file."""
        size = (self.width_px, self.height_px)
        image = self._image.resize(size, Image.Resampling.BOX)
        content = BytesIO()
        with_palette = image.quantize(PALETTE_COLOURS, dither=Image.Dither.NONE)
        with_palette.save(content, "PNG", optimize=True)
        return content.getvalue()


def _scaled(box: Box) -> Box:
    left, top, right, bottom = box
    return left * SCALE, top * SCALE, right * SCALE, bottom * SCALE
