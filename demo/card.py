"""A test card for headsets: what two eyes see of boards around them, with its exact alpha.

The eyes look straight ahead, side by side; each sees half a sphere as 180 degrees equirectangular,
and every board at its true distance. Rings lie at known angles from the middle, and two straight
rails run across, which a wrong projection bends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo.card_boards import BOTH, HINT, LEFT_EYE, RIGHT_EYE, WHITE, Board, BoardMaker
from demo.textures import Array

FIELD_DEG = 180
HALF_BASELINE_M = 0.032  # of the eyes, to either side
RINGS_DEG, RING_WIDTH_DEG = (30.0, 60.0, 89.6), 0.7  # the last one ends where an eye sees no more
RAIL_AHEAD_M, RAIL_HEIGHT_M, RAIL_HALF_M, RAIL_REACH_M = 2.0, 1.25, 0.025, 6.0
BALL_ELEVATION_DEG, BALL_M = 20, 1
SWING_DEG, SWING_SECONDS = 16, 2
FLOOR, SKY = (0.16, 0.18, 0.30), (0.05, 0.06, 0.12)  # of what was filmed behind
PARALLAX_DEG = 4  # by which an eye may see a board elsewhere


class CardFrame(NamedTuple):
    """What both eyes see, side by side: source = foreground * alpha + background * (1 - alpha).

    Attributes:
        source, foreground: [3, H, 2 * H], uint8.
        alpha: [H, 2 * H], float32, 0..1.
    """

    source: NDArray[np.uint8]
    foreground: NDArray[np.uint8]
    alpha: Array

    def put(self, part: CardFrame, rows: slice, columns: slice) -> None:
        """Replace what is in those rows and columns."""
        self.source[:, rows, columns] = part.source
        self.foreground[:, rows, columns] = part.foreground
        self.alpha[rows, columns] = part.alpha

    def window(self, rows: slice, columns: slice) -> CardFrame:
        """Return what is in those rows and columns, in the same memory."""
        return CardFrame(
            self.source[:, rows, columns],
            self.foreground[:, rows, columns],
            self.alpha[rows, columns],
        )


class _Layers(NamedTuple):
    """What one eye sees: of what was filmed behind, and of the people before it.

    Attributes:
        background: [3, H, H]; foreground: premultiplied, [3, H, H]; alpha: [H, H]; all 0..1.
    """

    background: Array
    foreground: Array
    alpha: Array

    def window(self, rows: slice, columns: slice) -> _Layers:
        """Return a copy of a part."""
        return _Layers(*(layer[..., rows, columns].copy() for layer in self))

    def put(self, colour: Array, alpha: Array, *, is_matted: bool) -> None:
        """Put straight colour over what is there.

        Args:
            colour: [3, h, w]; alpha: [h, w].
        """
        target = self.foreground if is_matted else self.background
        target *= 1 - alpha
        target += colour * alpha
        if is_matted:
            self.alpha[...] += alpha * (1 - self.alpha)

    def codes(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return source and foreground, [3, h, w], uint8."""
        source = self.foreground + self.background * (1 - self.alpha)
        straight = source.copy()
        np.divide(self.foreground, self.alpha, out=straight, where=self.alpha > 0)
        return _bytes(source), _bytes(straight)


class Card:
    """The frames of a test card, in order; the first one goes on where the last one ends."""

    def __init__(self, lines: Sequence[str], side_px: int, rate: int) -> None:
        """
        Args:
            lines: what is written on the board in the middle, above the clock.
            side_px: of an eye's picture.
            rate: frames a second.
        """
        self.side_px, self.rate, self.frames = side_px, rate, SWING_SECONDS * rate
        self._eyes = [_Eye(side_px, number) for number in BOTH]
        self._maker = BoardMaker(side_px / FIELD_DEG)
        self._ball = self._maker.ball(BALL_ELEVATION_DEG, BALL_M)
        boards = [*self._maker.fixed(), *self._middle(lines)]
        self._fixed = [eye.fixed(boards) for eye in self._eyes]

    def __iter__(self) -> Iterator[CardFrame]:
        """Yield the frames; the memory of each is used again for the next."""
        codes = zip(*(layers.codes() for layers in self._fixed), strict=True)
        alphas = [layers.alpha for layers in self._fixed]
        still = CardFrame(*(np.concatenate(parts, axis=-1) for parts in (*codes, alphas)))
        frame = CardFrame(*(values.copy() for values in still))
        for number in range(self.frames):
            changed = [
                eye.change(frame, layers, board)
                for board in (self._clock(number), self._ball.at(self.ball_azimuth_deg(number)))
                for eye, layers in zip(self._eyes, self._fixed, strict=True)
            ]
            yield frame
            for rows, columns in changed:
                frame.put(still.window(rows, columns), rows, columns)

    def ball_azimuth_deg(self, number: int) -> float:
        """Return where the ball is in a frame."""
        return SWING_DEG * math.sin(2 * math.pi * number / self.frames)

    def _middle(self, lines: Sequence[str]) -> Iterator[Board]:
        """Yield the board in the middle, and each eye's own word on it."""
        yield self._maker.texts([*lines, "", "", ""], (0, 0, 2), (42, 24))
        for eye, azimuth, word in ((LEFT_EYE, -13, "L  left eye"), (RIGHT_EYE, 13, "right eye  R")):
            place = (azimuth, -8.5, 2)
            yield self._maker.texts([word], place, (15, 5), colours=(HINT, None), eyes=(eye,))

    def _clock(self, number: int) -> Board:
        text = f"{number / self.rate:.2f} s   frame {number:03d}"
        return self._maker.texts([text], (0, -2.6, 2), (34, 4))


class _Eye:
    """One eye: where it is, and where its picture shows what."""

    def __init__(self, side_px: int, number: int) -> None:
        self._number, self._side = number, side_px
        self._left = number * side_px  # the first column of its picture
        self._x = HALF_BASELINE_M * (1 if number == RIGHT_EYE else -1)
        angles = ((np.arange(side_px) + 0.5) / side_px - 0.5) * math.radians(FIELD_DEG)
        self._angles = angles.astype(np.float32)

    def fixed(self, boards: Sequence[Board]) -> _Layers:
        """Return all that does not move, the farthest first."""
        side = self._side
        shade = np.linspace(0, 1, side, dtype=np.float32)[:, None]
        sky, floor = (np.array(c, np.float32)[:, None, None] for c in (SKY, FLOOR))
        background = np.broadcast_to(sky + (floor - sky) * shade, (3, side, side)).copy()
        zeros = np.zeros((4, side, side), np.float32)
        layers = _Layers(background, zeros[:3], zeros[3])
        white: Array = np.array(WHITE, np.float32)[:, None, None] / np.float32(255)
        for lines in self._lines():
            layers.put(white, lines, is_matted=True)
        for board in sorted(boards, key=lambda own: -own.distance_m):
            if self._number in board.eyes:
                rows, columns = self.window(board)
                part = _Layers(*(layer[..., rows, columns] for layer in layers))
                self.draw(part, board, rows, columns)
        return layers

    def window(self, board: Board) -> tuple[slice, slice]:
        """Return the rows and columns in which a board is seen."""
        reach = math.hypot(*board.size_deg) / 2 + PARALLAX_DEG
        wide = reach / math.cos(math.radians(min(80.0, abs(board.elevation_deg) + reach)))
        return self._between(-board.elevation_deg, reach), self._between(board.azimuth_deg, wide)

    def change(self, frame: CardFrame, layers: _Layers, board: Board) -> tuple[slice, slice]:
        """Draw a board into a frame over the eye's layers; return in which rows and columns."""
        rows, columns = self.window(board)
        part = layers.window(rows, columns)
        self.draw(part, board, rows, columns)
        columns = slice(columns.start + self._left, columns.stop + self._left)
        frame.put(CardFrame(*part.codes(), part.alpha), rows, columns)
        return rows, columns

    def draw(self, layers: _Layers, board: Board, rows: slice, columns: slice) -> None:
        """Draw a board into the part of the eye's layers at those rows and columns."""
        right, down, ahead = self._rays(rows, columns)
        azimuth, dip = math.radians(board.azimuth_deg), math.radians(-board.elevation_deg)
        normal = (
            math.sin(azimuth) * math.cos(dip),
            math.sin(dip),
            math.cos(azimuth) * math.cos(dip),
        )
        across = (math.cos(azimuth), 0.0, -math.sin(azimuth))
        along = (
            -math.sin(azimuth) * math.sin(dip),
            math.cos(dip),
            -math.cos(azimuth) * math.sin(dip),
        )
        facing = right * normal[0] + down * normal[1] + ahead * normal[2]
        distance = board.distance_m - self._x * normal[0]
        reach = np.where(facing > 0, distance / np.maximum(facing, 1e-6), 0)
        places = [
            (self._x * axis[0] + reach * (right * axis[0] + down * axis[1] + ahead * axis[2]))
            / (board.distance_m * math.tan(math.radians(size / 2)))
            for axis, size in zip((across, along), board.size_deg, strict=True)
        ]
        colour, alpha = _sampled(board.picture, places[0], places[1])
        layers.put(colour, alpha * (facing > 0), is_matted=board.is_matted)

    def _lines(self) -> Iterator[Array]:
        """Yield the coverage of rings and rails, [H, H]."""
        whole = slice(0, self._side)
        right, down, ahead = self._rays(whole, whole)
        pixel = math.radians(FIELD_DEG) / self._side
        off_axis = np.arctan2(np.hypot(right, down), ahead)
        for degrees in RINGS_DEG:
            apart = np.abs(off_axis - math.radians(degrees))
            yield _covered(math.radians(RING_WIDTH_DEG / 2) - apart, pixel)
        reach = RAIL_AHEAD_M / np.maximum(ahead, 1e-3)
        inside = np.abs(self._x + right * reach) < RAIL_REACH_M
        for height in (-RAIL_HEIGHT_M, RAIL_HEIGHT_M):
            apart = np.abs(down * reach - height)
            yield _covered(RAIL_HALF_M - apart, pixel * reach) * inside

    def _rays(self, rows: slice, columns: slice) -> tuple[Array, Array, Array]:
        """Return the unit vectors that are seen: to the right, down, and ahead."""
        latitude, longitude = self._angles[rows, None], self._angles[None, columns]
        level = np.cos(latitude)
        down = np.broadcast_to(np.sin(latitude), (latitude.size, longitude.size))
        return level * np.sin(longitude), down, level * np.cos(longitude)

    def _between(self, degrees: float, reach_deg: float) -> slice:
        first, stop = (
            round((side / FIELD_DEG + 0.5) * self._side)
            for side in (degrees - reach_deg, degrees + reach_deg)
        )
        return slice(max(0, first), min(self._side, stop))


def _covered(inside: NDArray[np.floating], pixel: NDArray[np.floating] | float) -> Array:
    """Return how much of each pixel is covered, by how far inside an edge its middle lies."""
    return np.asarray(np.clip(inside / pixel + 0.5, 0, 1), np.float32)


def _sampled(picture: Array, across: Array, down: Array) -> tuple[Array, Array]:
    """Return colours [3, h, w] and alpha [h, w] at places -1..1 of a picture; outside it is none.

    Between texels it is linear, and so is the step to nothing at the edge.
    """
    height, width = picture.shape[1:]
    x, y = (across + 1) * width / 2 - 0.5, (down + 1) * height / 2 - 0.5
    inside = np.clip(np.minimum(x + 1, width - x), 0, 1) * np.clip(
        np.minimum(y + 1, height - y), 0, 1
    )
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = x.astype(np.int32), y.astype(np.int32)
    next_x, next_y = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    share_x, share_y = x - left, y - top
    upper = picture[:, top, left] * (1 - share_x) + picture[:, top, next_x] * share_x
    lower = picture[:, next_y, left] * (1 - share_x) + picture[:, next_y, next_x] * share_x
    seen = upper * (1 - share_y) + lower * share_y
    return seen[:3], seen[3] * inside


def _bytes(values: Array) -> NDArray[np.uint8]:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
