"""The boards of a test card for headsets: what is drawn on each, and where it stands.

Each is drawn so that a mistake of a player shows: a wrong eye, a wrong projection, a matte that is
hard, shifted or late, colours of the wrong matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from demo.textures import Array

Colour = tuple[int, int, int]

DRAWN = 3  # a board is drawn so many times as large, and made smaller: its edges are smooth then
FINENESS = 1.5  # texels for each pixel of an eye's picture
WHITE, DARK, HAIR, BALL = (240, 240, 240), (40, 44, 52), (150, 90, 45), (235, 120, 30)
RED, HINT = (255, 0, 0), (255, 220, 90)
PATCHES: Sequence[Colour] = (
    *((222, 170, 140), (255, 0, 0), (0, 0, 255)),
    *((128, 128, 128), (0, 160, 60), (255, 255, 255)),
)
PATCHES_DEG, HAIR_DEG = (15, 10), (14, 12)
HAIRS, HAIR_SPREAD_DEG = 17, 140
OFF = "PASSTHROUGH IS OFF"
BALL_DEG = 8
LEFT_EYE, RIGHT_EYE = 0, 1
BOTH = (LEFT_EYE, RIGHT_EYE)


@dataclass(frozen=True)
class Board:
    """A flat picture that faces the viewer.

    Attributes:
        picture: straight R'G'B' and alpha, [4, h, w], 0..1.
        azimuth_deg, elevation_deg: of its middle: to the right, and up.
        distance_m: of its middle.
        size_deg: how wide and how high it is seen.
        eyes: which see it.
        is_matted: whether it is one of the people, or what was filmed behind them.
    """

    picture: Array
    azimuth_deg: float
    elevation_deg: float
    distance_m: float
    size_deg: tuple[float, float]
    eyes: tuple[int, ...] = BOTH
    is_matted: bool = True

    def at(self, azimuth_deg: float) -> Board:
        """Return it in another place at the same height."""
        return replace(self, azimuth_deg=azimuth_deg)


class BoardMaker:
    """Draws boards for pictures of one resolution."""

    def __init__(self, pixels_a_degree: float) -> None:
        self._scale = pixels_a_degree * FINENESS

    def texts(
        self,
        lines: Sequence[str],
        place: tuple[float, float, float],
        size_deg: tuple[float, float],
        *,
        colours: tuple[Colour, Colour | None] = (WHITE, DARK),
        eyes: tuple[int, ...] = BOTH,
        is_matted: bool = True,
    ) -> Board:
        """Return lines of text, each as large as it fits.

        Args:
            place: azimuth, elevation, and distance.
            colours: of the text, and of the board; None: there is nothing but text.
        """
        ink, paper = colours

        def draw(picture: ImageDraw.ImageDraw, width: int, height: int) -> None:
            if paper is not None:
                picture.rectangle((0, 0, width, height), fill=(*paper, 255))
            step = height / len(lines)
            for number, line in enumerate(lines):
                middle = (width / 2, step * (number + 0.5))
                font = _fitting(line, 0.9 * width, 0.8 * step)
                picture.text(middle, line, font=font, fill=(*ink, 255), anchor="mm")

        paint = (*ink, 0) if paper is None else (*paper, 255)
        picture = self._drawn(size_deg, draw, paint)
        return Board(picture, *place, size_deg, eyes, is_matted)

    def fixed(self) -> Iterator[Board]:
        """Yield all that is the same on every card, and does not move."""
        for side in (-1, 1):
            for degrees in (30, 60, 87):
                label = str(90 if degrees == 87 else degrees)
                yield self.texts([label], (side * degrees, 0, 3), (6, 3.5))
        yield self._arrow()
        yield self._ramp()
        yield self.texts(["0 %      soft edge      100 %"], (0, -26.5, 2), (40, 4))
        yield self._flat((-38, -14, 3), (12, 12), alpha=0.5)
        yield Board(self._hair(), 38, -14, 3, HAIR_DEG)
        yield Board(self._patches(), -38, 13, 3, PATCHES_DEG)
        yield self._flat((38, 13, 3), (10, 10), RED)
        for azimuth, elevation, label in (
            *((-38, -22, "50 %"), (38, -22, "hair")),
            *((-38, 6, "colours"), (38, 6, "red")),
        ):
            yield self.texts([label], (azimuth, elevation, 3), (12, 3.5))
        # What was filmed behind the people: seen where there is no passthrough.
        yield self._flat((50.5, 13, 4), (8, 8), RED, is_matted=False)
        for elevation in (-44, 52):
            place, colours = (0, elevation, 4), (HINT, None)
            yield self.texts([OFF], place, (50, 7), colours=colours, is_matted=False)

    def ball(self, elevation_deg: float, distance_m: float) -> Board:
        """Return what swings: an opaque ball with a sharp edge."""

        def draw(picture: ImageDraw.ImageDraw, width: int, height: int) -> None:
            picture.ellipse((0, 0, width, height), fill=(*BALL, 255))
            words = f"{distance_m:g} m"
            font = _fitting(words, 0.6 * width, 0.4 * height)
            middle = (width / 2, height / 2)
            picture.text(middle, words, font=font, fill=(*DARK, 255), anchor="mm")

        size = (BALL_DEG, BALL_DEG)
        picture = self._drawn(size, draw, (*BALL, 0))
        return Board(picture, 0, elevation_deg, distance_m, size)

    def _arrow(self) -> Board:
        size = (12, 14)

        def draw(picture: ImageDraw.ImageDraw, width: int, height: int) -> None:
            head, shaft = 0.45 * height, 0.14 * width
            corners = [(width / 2, 0), (width, head), (0, head)]
            picture.polygon(corners, fill=(*WHITE, 255))
            picture.rectangle(
                (width / 2 - shaft, head, width / 2 + shaft, height), fill=(*WHITE, 255)
            )
            font = _fitting("UP", 0.5 * width, 0.2 * height)
            place = (width / 2, 0.32 * height)
            picture.text(place, "UP", font=font, fill=(*DARK, 255), anchor="mm")

        return Board(self._drawn(size, draw, (*WHITE, 0)), 0, 40, 3, size)

    def _ramp(self) -> Board:
        """Return a bar that is transparent at its left and opaque at its right."""
        ramp = self._flat((0, -20.5, 2), (40, 7))
        ramp.picture[3] = (np.arange(ramp.picture.shape[2]) + 0.5) / ramp.picture.shape[2]
        return ramp

    def _hair(self) -> Array:
        """Return strands that grow thinner, down to a part of a pixel."""

        def draw(picture: ImageDraw.ImageDraw, width: int, height: int) -> None:
            root = np.array([width / 2, height])
            turns = np.radians(np.linspace(-HAIR_SPREAD_DEG / 2, HAIR_SPREAD_DEG / 2, HAIRS))
            for number, turn in enumerate(turns):
                tip = root + np.array([np.sin(turn) * width / 2, -np.cos(turn) * height * 0.96])
                thick = max(1, round(width / 60 * (1 - number / HAIRS)))
                ends = [tuple(map(float, root)), tuple(map(float, tip))]
                picture.line(ends, fill=(*HAIR, 255), width=thick)

        return self._drawn(HAIR_DEG, draw, (*HAIR, 0))

    def _patches(self) -> Array:
        def draw(picture: ImageDraw.ImageDraw, width: int, height: int) -> None:
            for number, colour in enumerate(PATCHES):
                left, top = number % 3 * width / 3, number // 3 * height / 2
                picture.rectangle((left, top, left + width / 3, top + height / 2), fill=colour)

        return self._drawn(PATCHES_DEG, draw, (*DARK, 255))

    def _flat(
        self,
        place: tuple[float, float, float],
        size_deg: tuple[float, float],
        colour: Colour = WHITE,
        *,
        alpha: float = 1,
        is_matted: bool = True,
    ) -> Board:
        """Return a board of one colour and one alpha."""
        width, height = self._texels(size_deg)
        picture = np.empty((4, height, width), np.float32)
        picture[:3] = np.array(colour, np.float32)[:, None, None] / 255
        picture[3] = alpha
        return Board(picture, *place, size_deg, is_matted=is_matted)

    def _texels(self, size_deg: tuple[float, float]) -> tuple[int, int]:
        width, height = (max(2, round(side * self._scale)) for side in size_deg)
        return width, height

    def _drawn(
        self,
        size_deg: tuple[float, float],
        draw: Callable[[ImageDraw.ImageDraw, int, int], None],
        paper: tuple[int, int, int, int],
    ) -> Array:
        """Return what is drawn on a board of that size, [4, h, w].

        Args:
            paper: what it is drawn on; the colour of what is transparent, too.
        """
        width, height = self._texels(size_deg)
        picture = Image.new("RGBA", (width * DRAWN, height * DRAWN), paper)
        draw(ImageDraw.Draw(picture), width * DRAWN - 1, height * DRAWN - 1)
        small = picture.resize((width, height), Image.Resampling.BOX)
        texels: Array = np.asarray(small, np.float32).transpose(2, 0, 1) / np.float32(255)
        return texels


def _fitting(text: str, width: float, height: float) -> ImageFont.FreeTypeFont:
    """Return the font in which a text is at most so wide and so high, in pixels."""
    font = _font(max(1, int(height)))
    wide = font.getlength(text)
    return font if wide <= width else _font(max(1, int(height * width / wide)))


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this build of pillow has no font of any size")
    return font
