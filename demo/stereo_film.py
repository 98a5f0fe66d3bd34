"""The drawn film as two eyes see it, with exact alpha and disparity in each.

The eyes are two cameras side by side that look straight ahead. Each part of the figure, each shape
behind it, and the picture behind these lies at a depth of its own: in each eye it is moved aside by
half of its disparity, and what is nearer covers what is farther.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from demo.draw import draw_figure, draw_layers
from demo.figure import Limb, Pose
from demo.film import Film, Frame, composite
from demo.textures import Array
from matting.view import StereoLayout, View

BASELINE_M = 0.064  # between the eyes
FOCAL = 0.9  # focal length in frame heights: the picture is 58 degrees high
FIGURE_M = 1.7  # how tall the figure is, which tells how far away it stands
# The depth of each part against the body's: one arm, both legs, neck and body; the head; the other
# arm. Nearer parts are drawn later, as the puppet has them.
BEHIND_M = (0.18,) * 3 + (0.07,) * 3 + (0.04,) * 3 + (0.0,) * 2
HEAD_M = -0.05
BEFORE_M = (-0.2,) * 3
PARTS_M = (*BEHIND_M, HEAD_M, *BEFORE_M)
SCENE_M = (4.0, 9.0)  # how far away the picture behind everything is
SHAPES_M = (1.2, 0.9)  # between so many times the figure's depth and the picture's
SHOWN = 0.5  # the opacity from which a shape hides what is behind it
LEFT, RIGHT = 1, -1  # the way things in front of the left and the right eye move, nearer ones more


@dataclass(frozen=True)
class EyeFrame(Frame):
    """What one eye sees.

    Attributes:
        disparity: [1, H, W], float32, in px: what the left eye sees in column x, the right one sees
            in column x - disparity, unless something hides it there. It is the figure's where alpha
            is above 0, the background's elsewhere.
    """

    disparity: Array


@dataclass(frozen=True)
class StereoFrame:
    """What both eyes see at one time."""

    left: EyeFrame
    right: EyeFrame

    def packed(self, view: View) -> Frame:
        """Return both eyes in one picture.

        Args:
            view: where the eyes lie: side by side or one above the other, and which comes first.
        Raises:
            ValueError: it is a view of one eye.
        """
        if view.stereo is StereoLayout.MONO:
            raise ValueError("Expected a view of two eyes")
        eyes = (self.right, self.left) if view.right_eye_first else (self.left, self.right)
        axis = 2 if view.stereo is StereoLayout.LEFT_RIGHT else 1
        parts = ([getattr(eye, field.name) for eye in eyes] for field in fields(Frame))
        return Frame(*(np.concatenate(part, axis) for part in parts))


@dataclass(frozen=True)
class _Disparities:
    """Of what a shot shows, in frame heights: how far apart the eyes see it."""

    parts: Sequence[float]  # of the figure, as they are drawn
    scene: Sequence[float]  # of the picture behind everything, and of the shapes

    @classmethod
    def of(
        cls, rng: np.random.Generator, figure_size: float, shapes: int, baseline_m: float
    ) -> _Disparities:
        figure_m = FIGURE_M * FOCAL / figure_size
        picture_m = rng.uniform(*SCENE_M)
        nearest, farthest = SHAPES_M[0] * figure_m, SHAPES_M[1] * picture_m
        shapes_m = np.sort(rng.uniform(nearest, farthest, shapes))[::-1]  # drawn from back to front
        return cls(
            [baseline_m * FOCAL / (figure_m + part_m) for part_m in PARTS_M],
            [baseline_m * FOCAL / float(depth_m) for depth_m in (picture_m, *shapes_m)],
        )


class StereoFilm:
    """The frames of a film in stereo, by number and in any order.

    It shows what `Film` does of the same seed, but for where things are: the figure of `Film` is
    between the places in which both eyes see it.
    """

    def __init__(
        self,
        seed: int,
        width: int = 1280,
        height: int = 720,
        frames: int = 360,
        fps: int = 30,
        *,
        cuts: tuple[int, ...] | None = None,
        flashes: tuple[int, ...] | None = None,
        baseline_m: float = BASELINE_M,
    ) -> None:
        """
        Args:
            seed: decides everything that is not given here.
            width, height: of what one eye sees, in px.
            frames, fps, cuts, flashes: as for `Film`.
            baseline_m: how far apart the eyes are; disparities are in proportion to it.
        """
        aside = baseline_m * FOCAL / SCENE_M[0] / 2
        self._film = Film(seed, width, height, frames, fps, cuts=cuts, flashes=flashes, aside=aside)
        self._disparities = [
            _Disparities.of(
                np.random.default_rng((seed, number, 2)),
                shot.puppet.size,
                len(shot.scene.shapes),
                baseline_m,
            )
            for number, shot in enumerate(self._film.shots)
        ]

    def __len__(self) -> int:
        return len(self._film)

    def __getitem__(self, index: int) -> StereoFrame:
        """Draw one frame; thread-safe."""
        return StereoFrame(self._eye(index, LEFT), self._eye(index, RIGHT))

    def __iter__(self) -> Iterator[StereoFrame]:
        """Draw all frames in order."""
        return (self[i] for i in range(len(self)))

    def _eye(self, index: int, way: int) -> EyeFrame:
        film, number = self._film, self._film.shot_number(index)
        scene, known = film.shots[number].scene, self._disparities[number]
        seconds = index / film.fps
        aside = [way * disparity / 2 for disparity in known.scene]
        poses = [
            _moved(pose, [way * disparity / 2 for disparity in known.parts])
            for pose in film.poses(index)
        ]
        figure = draw_figure(poses, film.looks, film.window)
        frame = composite(scene.at(seconds, aside), figure, lit=index in film.flashes)

        disparity = np.full_like(frame.alpha, known.scene[0])
        for layer, own in zip(scene.layers(seconds, aside[1:]), known.scene[1:], strict=True):
            if layer is not None:
                disparity[0, layer.rows, layer.columns][layer.alpha >= SHOWN] = own
        if figure is not None:
            region = disparity[0, figure.rows, figure.columns]
            weights = self._part_weights(poses, figure.rows, figure.columns)
            own = np.asarray(known.parts, np.float32)[weights.argmax(0)]
            np.copyto(region, own, where=figure.alpha > 0)
        disparity *= np.float32(film.window.frame_height_px)
        return EyeFrame(frame.rgb, frame.alpha, frame.foreground, frame.background, disparity)

    def _part_weights(self, poses: Sequence[Pose], rows: slice, columns: slice) -> Array:
        """Return how much of each part is seen during the exposure, [parts, h, w]."""
        shape = len(PARTS_M), rows.stop - rows.start, columns.stop - columns.start
        total, weights = np.zeros(shape, np.float32), np.empty(shape, np.float32)
        for pose in poses:
            weights.fill(0)
            for layer in draw_layers(pose, self._film.looks, self._film.window):
                region = weights[layer.within(rows, columns)]
                region *= 1 - layer.alpha
                region[layer.part] += layer.alpha
            total += weights
        return total


def _moved(pose: Pose, aside: Sequence[float]) -> Pose:
    """Return a pose with each part moved to the right by its own distance, in frame heights."""
    ways = iter(aside)
    behind = tuple(_moved_limb(limb, next(ways)) for limb in pose.behind)
    head = replace(pose.head, centre=pose.head.centre + next(ways))
    before = tuple(_moved_limb(limb, next(ways)) for limb in pose.before)
    return Pose(behind, head, before)


def _moved_limb(limb: Limb, aside: float) -> Limb:
    return replace(limb, start=limb.start + aside, end=limb.end + aside)
