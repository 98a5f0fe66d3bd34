"""Drawing the puppet: soft-edged parts over one another, averaged over the exposure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from demo.figure import Head, Limb, Looks, Pose
from demo.textures import Array, texels

EDGE = 0.0055  # width of a soft edge, in frame heights


@dataclass(frozen=True)
class Window:
    """The part of a frame to draw: `width` x `height` px from (`left`, `top`) on.

    The whole frame is `frame_height_px` high.
    """

    left: int
    top: int
    width: int
    height: int
    frame_height_px: int

    def box(self, points: Sequence[complex], reach: float) -> tuple[slice, slice] | None:
        """Return rows and columns of the window within `reach` heights of the points, or None."""
        px = self.frame_height_px
        left = int((min(p.real for p in points) - reach) * px) - self.left - 1
        right = int((max(p.real for p in points) + reach) * px) - self.left + 2
        top = int((min(p.imag for p in points) - reach) * px) - self.top - 1
        bottom = int((max(p.imag for p in points) + reach) * px) - self.top + 2
        rows = slice(max(top, 0), min(bottom, self.height))
        columns = slice(max(left, 0), min(right, self.width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return None
        return rows, columns

    def grid(self, rows: slice, columns: slice, origin: complex) -> tuple[Array, Array]:
        """Return pixel centres relative to `origin`, in heights: y [h, 1] and x [1, w]."""
        px = self.frame_height_px
        y = (np.arange(rows.start, rows.stop) + self.top + 0.5) / px - origin.imag
        x = (np.arange(columns.start, columns.stop) + self.left + 0.5) / px - origin.real
        return y.astype(np.float32)[:, None], x.astype(np.float32)[None, :]

    @property
    def edge(self) -> float:
        """The width of a soft edge, in heights: at least 1.2 px."""
        return max(EDGE, 1.2 / self.frame_height_px)


@dataclass(frozen=True)
class FigureImage:
    """Premultiplied colour [3, h, w] and alpha [h, w] of the figure, over `rows`, `columns`."""

    rows: slice
    columns: slice
    colour: Array
    alpha: Array


class Layer(NamedTuple):
    """A part of the figure, or of its head, by itself.

    Attributes:
        part: which of the pose's parts it belongs to, in the order in which they are drawn.
        rows, columns: of the window, that it covers.
        colour: [3, h, w] in [0, 1], not multiplied by alpha.
        alpha: [h, w] in [0, 1].
    """

    part: int
    rows: slice
    columns: slice
    colour: Array
    alpha: Array

    def within(self, rows: slice, columns: slice) -> tuple[slice, slice, slice]:
        """Return its region of an array [C, h, w] that covers those rows and columns."""
        return (
            slice(None),
            slice(self.rows.start - rows.start, self.rows.stop - rows.start),
            slice(self.columns.start - columns.start, self.columns.stop - columns.start),
        )


def draw_figure(poses: Sequence[Pose], looks: Looks, window: Window) -> FigureImage | None:
    """Return the mean over the poses of one exposure; None where the window shows none of them."""
    boxes = [box for pose in poses for box in _boxes(pose, looks, window)]
    if not boxes:
        return None
    rows = slice(min(box[0].start for box in boxes), max(box[0].stop for box in boxes))
    columns = slice(min(box[1].start for box in boxes), max(box[1].stop for box in boxes))
    total = np.zeros((4, rows.stop - rows.start, columns.stop - columns.start), np.float32)
    picture = np.empty_like(total)
    for pose in poses:
        picture.fill(0)
        for layer in draw_layers(pose, looks, window):
            _blend(picture[layer.within(rows, columns)], layer.colour, layer.alpha)
        total += picture
    total *= np.float32(1 / len(poses))
    return FigureImage(rows, columns, total[:3], total[3])


def _blend(picture: Array, colour: Array, alpha: Array) -> None:
    """Blend a straight colour [3, h, w] over premultiplied colour and alpha [4, h, w], in place.

    Overwrites `colour`.
    """
    colour -= picture[:3]
    colour *= alpha
    picture[:3] += colour
    picture[3] += (1 - picture[3]) * alpha


_Box = tuple[slice, slice]


def _boxes(pose: Pose, looks: Looks, window: Window) -> Iterator[_Box]:
    """Return where each part of a pose is drawn."""
    for limb in (*pose.behind, *pose.before):
        if box := _limb_box(limb, window):
            yield box
    if box := _hair_box(pose.head, looks, window):
        yield box


def _limb_box(limb: Limb, window: Window) -> _Box | None:
    reach = max(limb.radius_start, limb.radius_end) + window.edge
    return window.box((limb.start, limb.end), reach)


def _hair_box(head: Head, looks: Looks, window: Window) -> _Box | None:
    longest = max(float(looks.hair_length.max()), 1.1)
    return window.box((head.centre,), head.radius * longest + 2 * window.edge)


_Drawn = tuple[_Box, Array, Array]  # what a layer covers, its colour and alpha


def draw_layers(pose: Pose, looks: Looks, window: Window) -> Iterator[Layer]:
    """Yield the layers from back to front; none for what lies outside the window."""
    parts = [
        *(_limb(limb, looks, window) for limb in pose.behind),
        _head(pose.head, looks, window),
        *(_limb(limb, looks, window) for limb in pose.before),
    ]
    for part, drawn in enumerate(parts):
        for box, colour, alpha in drawn:
            yield Layer(part, *box, colour, alpha)


def _limb(limb: Limb, looks: Looks, window: Window) -> Iterator[_Drawn]:
    """Return a tapered capsule, shaded as round, its tile moving with it."""
    box = _limb_box(limb, window)
    if box is None:
        return
    y, x = window.grid(*box, limb.start)
    length = abs(limb.end - limb.start)
    axis = (limb.end - limb.start) / length
    along = x * np.float32(axis.real) + y * np.float32(axis.imag)
    across = y * np.float32(axis.real) - x * np.float32(axis.imag)
    inside = np.clip(along, 0, np.float32(length))
    taper = np.float32((limb.radius_end - limb.radius_start) / length)
    radius = inside * taper + np.float32(limb.radius_start)
    beyond = along - inside
    distance = np.sqrt(beyond * beyond + across * across) - radius
    side = across / radius
    light = 1.06 + 0.10 * side - 0.42 * np.minimum(side * side, 1)
    tile = looks.tiles[limb.tile]
    colour = tile[:, texels(along, across)]
    colour *= light
    yield box, np.minimum(colour, 1, out=colour), _soft(distance, window.edge)


def _head(head: Head, looks: Looks, window: Window) -> Iterator[_Drawn]:
    """Return the hair behind the face, the face, and the hair over the forehead."""
    box = _hair_box(head, looks, window)
    if box is None:
        return
    y, x = window.grid(*box, head.centre)
    scale = 1 / head.radius
    cos, sin = np.float32(math.cos(head.turn) * scale), np.float32(math.sin(head.turn) * scale)
    u, v = x * cos + y * sin, y * cos - x * sin  # in head radii, v down
    r = np.sqrt(u * u + v * v)
    angle = np.arctan2(-v, u) + np.float32(head.sway) * np.maximum(r - 0.8, 0)
    index = (angle * np.float32(128 / math.pi)).astype(np.int32) & 255
    length = looks.hair_length[index]
    strands = 1.4 + 0.5 * (length - looks.hair_length.mean()) + 0.19 * np.clip(1.2 - r, 0, 1)
    hair = np.minimum(looks.hair_colour[:, None, None] * strands, 1)
    tips = np.clip((length - r) * np.float32(1 / 0.14), 0, 1)
    yield box, hair.copy(), tips * (1 - 0.25 * np.clip(r - 1.1, 0, 1))

    edge = window.edge * scale
    face = window.box((head.centre,), head.radius * (1.07 + edge))
    if face is None:
        return
    part = (
        slice(face[0].start - box[0].start, face[0].stop - box[0].start),
        slice(face[1].start - box[1].start, face[1].stop - box[1].start),
    )
    u, v, length = u[part], v[part], length[part]
    oval = np.sqrt((u / np.float32(0.86)) ** 2 + v * v)
    colour = looks.tiles["skin"][:, texels(v * head.radius, u * head.radius)]
    colour *= 1.06 - 0.30 * np.minimum(oval * oval, 1) + 0.06 * u
    _face(colour, u, v, edge)
    yield face, np.minimum(colour, 1, out=colour), _soft(oval - 1, edge)

    brow = -0.42 + 0.35 * (length - 1.2) + 0.25 * np.abs(u)
    yield face, hair[:, part[0], part[1]], _soft(v - brow, 0.16) * _soft(oval - 1.06, edge)


def _face(colour: Array, u: Array, v: Array, edge: float) -> None:
    """Paint eyes, cheeks and a mouth into `colour` [3, h, w]."""
    u, side = np.abs(u), np.sign(u)

    def paint(distance: Array, width: float, shade: tuple[float, float, float]) -> None:
        alpha = _soft(distance, width)
        colour[...] += (np.array(shade, np.float32)[:, None, None] - colour) * alpha

    paint(np.hypot((u - 0.50) / 1.3, v - 0.28) - 0.12, 0.3, (0.92, 0.5, 0.45))
    paint(np.hypot(u - 0.34, (v + 0.02) / 1.3) - 0.13, edge, (0.97, 0.97, 0.95))
    paint(np.hypot(u - 0.34 + 0.03 * side, v + 0.0) - 0.075, edge, (0.09, 0.07, 0.08))
    smile = np.abs(np.hypot(u, v - 0.26) - 0.26) - 0.045
    paint(np.maximum(smile, 0.36 - v), edge, (0.55, 0.13, 0.14))


def _soft(distance: Array, width: float) -> Array:
    """Return the coverage in [0, 1] at a signed distance (negative inside) from a soft edge."""
    a = np.clip(np.float32(0.5) - distance * np.float32(1 / width), 0, 1)
    return np.asarray(a * a * (3 - 2 * a), np.float32)
