"""What is behind the figure: moving noise in a few colours, and drifting shapes that mislead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from demo.draw import Window
from demo.figure import Swing
from demo.textures import Array, colour, fractal

PAN = 0.16  # how far the picture moves at most, in frame heights


class ShapeLayer(NamedTuple):
    """A shape by itself: straight colour [3, h, w] and alpha [h, w] over `rows`, `columns`."""

    rows: slice
    columns: slice
    colour: Array
    alpha: Array


class Shape:
    """A disc, ring, box or bar with a colour gradient, drifting and turning."""

    def __init__(self, rng: np.random.Generator, aspect: float) -> None:
        self.kind = ("disc", "ring", "box", "bar")[rng.integers(4)]
        self.radius = rng.uniform(0.03, 0.13)
        self.x = Swing(rng, rng.uniform(0, aspect), rng.uniform(0, 0.3), 0.2)
        self.y = Swing(rng, rng.uniform(0, 1), rng.uniform(0, 0.25), 0.25)
        self.turn = Swing(rng, rng.uniform(0, 6), rng.uniform(0, 2), 0.15)
        self.colours = np.stack(
            [colour(rng, rng.uniform(0, 0.9), rng.uniform(0.2, 1)) for _ in "ab"]
        )
        self.opacity = rng.uniform(0.55, 1)
        self.softness = rng.choice((1.0, 1.0, 5.0))

    def draw(self, window: Window, seconds: float, aside: float = 0) -> ShapeLayer | None:
        """Return what the window shows of the shape, or None.

        Args:
            aside: by how much it is moved to the right, in frame heights.
        """
        centre = complex(self.x.at(seconds) + aside, self.y.at(seconds))
        box = window.box((centre,), self.radius * 1.7)
        if box is None:
            return None
        y, x = window.grid(*box, centre)
        turn = self.turn.at(seconds)
        cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
        u, v = x * cos + y * sin, y * cos - x * sin
        distance = self._distance(u, v)
        alpha = np.clip(0.5 - distance / np.float32(window.edge * self.softness), 0, 1)
        alpha *= np.float32(self.opacity)
        mix = np.clip(u / np.float32(2 * self.radius) + 0.5, 0, 1)
        first, second = self.colours[:, :, None, None]
        return ShapeLayer(*box, first + (second - first) * mix, alpha)

    def _distance(self, u: Array, v: Array) -> Array:
        """Return signed distances of points in its own frame, in heights; negative inside."""
        r = np.float32(self.radius)
        if self.kind == "disc":
            return np.asarray(np.sqrt(u * u + v * v) - r)
        if self.kind == "ring":
            return np.asarray(np.abs(np.sqrt(u * u + v * v) - r * 0.8) - r * 0.2)
        narrow = np.float32(0.22 if self.kind == "bar" else 0.7)
        return np.asarray(np.maximum(np.abs(u) - r, np.abs(v) - r * narrow))


class Scene:
    """One place: a noise picture a little larger than the frame, panned, and shapes over it."""

    def __init__(
        self, rng: np.random.Generator, aspect: float, window: Window, aside: float = 0
    ) -> None:
        """
        Args:
            aside: by how much at most it can be moved to a side, in frame heights.
        """
        self.window = window
        self.margin_px = math.ceil((PAN + aside) * window.frame_height_px) + 1
        self.pan_x = Swing(rng, 0, PAN, 0.12)
        self.pan_y = Swing(rng, 0, PAN * 0.6, 0.1)
        self.shapes = [Shape(rng, aspect) for _ in range(rng.integers(3, 9))]
        self.picture = self._picture(rng)

    def at(self, seconds: float, aside: Sequence[float] | None = None) -> Array:
        """Return the background at a time of the shot, a new array [3, H, W] in [0, 1].

        Args:
            aside: by how much the picture and each of the shapes are moved to the right, in frame
                heights; None: not at all.
        """
        picture_aside, *shapes_aside = aside or (0.0,) * (1 + len(self.shapes))
        px = self.window.frame_height_px
        x = self.margin_px + (self.pan_x.at(seconds) - picture_aside) * px
        y = self.margin_px + self.pan_y.at(seconds) * px
        out = _crop(self.picture, y, x, self.window.height, self.window.width)
        for layer in self.layers(seconds, shapes_aside):
            if layer is not None:
                region = out[:, layer.rows, layer.columns]
                region += (layer.colour - region) * layer.alpha
        return out

    def layers(self, seconds: float, aside: Sequence[float]) -> list[ShapeLayer | None]:
        """Return the shapes from back to front; None for each that is outside the window.

        Args:
            aside: by how much each is moved to the right, in frame heights.
        """
        moved = zip(self.shapes, aside, strict=True)
        return [shape.draw(self.window, seconds, by) for shape, by in moved]

    def _picture(self, rng: np.random.Generator) -> Array:
        window, margin, px = self.window, self.margin_px, self.window.frame_height_px
        ys = _coordinates(window.top - margin, window.height + 2 * margin, px)
        xs = _coordinates(window.left - margin, window.width + 2 * margin, px)
        first, second, third = (
            colour(rng, rng.uniform(0.05, 0.75), rng.uniform(0.25, 0.95))[:, None, None]
            for _ in range(3)
        )
        coarse = fractal(rng, 2, ys, xs, octaves=3, frequency=rng.uniform(1.2, 3))
        mix = np.clip(coarse * np.float32(rng.uniform(0.8, 3)) + 0.5, 0, 1)
        picture = first + (second - first) * mix[0]
        picture += (third - picture) * (mix[1] * ys.clip(0, 1)[:, None])
        fine = fractal(rng, 1, ys, xs, octaves=4, frequency=rng.uniform(6, 14))
        picture *= 1 + fine * np.float32(rng.uniform(0.1, 0.6))
        return np.asarray(np.clip(picture, 0, 1), np.float32)


def _coordinates(start: int, count: int, frame_height_px: int) -> Array:
    """Return the coordinates of `count` px from `start` on, in frame heights."""
    return np.asarray(np.arange(start, start + count) / frame_height_px, np.float32)


def _crop(picture: Array, y: float, x: float, height: int, width: int) -> Array:
    """Return `height` x `width` px of the picture from (y, x) on, interpolated bilinearly."""
    top, left = math.floor(y), math.floor(x)
    fy, fx = np.float32(y - top), np.float32(x - left)
    band = picture[:, top : top + height + 1]
    rows = band[:, :, left : left + width] * (1 - fx)
    rows += band[:, :, left + 1 : left + width + 1] * fx
    out = rows[:, :-1] * (1 - fy)
    out += rows[:, 1:] * fy
    return np.asarray(out)
