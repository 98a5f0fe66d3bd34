"""A film drawn from a seed: a puppet in front of a moving background, with its exact alpha.

One seed gives the same film at any resolution and in any window of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from demo.audio import flash_frames
from demo.background import Scene
from demo.draw import FigureImage, Window, draw_figure
from demo.figure import Looks, Pose, Puppet
from demo.textures import Array

DEMO_SEED = 1
EVALUATION_SEEDS = range(1_000, 2_000)
TRAINING_SEEDS = range(1_000_000, 1_000_000_000)
EXPOSURES = 3  # moments averaged in one frame: motion blur
SHUTTER = 0.5  # of the time between two frames
FLASH = np.float32(0.55)  # of the way to white


@dataclass(frozen=True)
class Frame:
    """One frame: rgb = foreground * alpha + background * (1 - alpha), rounded to 8 bits."""

    rgb: NDArray[np.uint8]  # [3, H, W]
    alpha: Array  # [1, H, W] in [0, 1]
    foreground: Array  # [3, H, W] in [0, 1]; 0 where alpha is 0
    background: Array  # [3, H, W] in [0, 1]


@dataclass(frozen=True)
class Shot:
    """What a shot shows."""

    puppet: Puppet
    scene: Scene


class Film:
    """The frames of a film, by number and in any order."""

    def __init__(
        self,
        seed: int,
        width: int = 1280,
        height: int = 720,
        frames: int = 360,
        fps: int = 30,
        *,
        window: tuple[int, int, int, int] | None = None,
        cuts: tuple[int, ...] | None = None,
        flashes: tuple[int, ...] | None = None,
        aside: float = 0,
    ) -> None:
        """
        Args:
            seed: decides everything that is not given here.
            width, height: of the whole picture, in px.
            frames, fps: length and frame rate.
            window: left, top, width, height in px of the part to draw; None: all of it.
            cuts: the first frame of each shot but the first; None: one cut, in the middle.
            flashes: frames that flash; None: the first of every second but the first second.
            aside: by how much at most the scenes can be moved to a side, in frame heights.
        """
        self.frames, self.fps = frames, fps
        self.cuts = (frames // 2,) if cuts is None else cuts
        self.flashes = tuple(flash_frames(frames, fps)) if flashes is None else flashes
        self.window = Window(*(window or (0, 0, width, height)), height)
        self.looks = Looks(np.random.default_rng((seed, 0)))
        self.shots = [
            self._shot(np.random.default_rng((seed, 1 + i)), width / height, aside)
            for i in range(len(self.cuts) + 1)
        ]

    def __len__(self) -> int:
        return self.frames

    def __getitem__(self, index: int) -> Frame:
        """Draw one frame; thread-safe."""
        shot = self.shots[self.shot_number(index)]
        background = shot.scene.at(index / self.fps)
        figure = draw_figure(self.poses(index), self.looks, self.window)
        return composite(background, figure, lit=index in self.flashes)

    def __iter__(self) -> Iterator[Frame]:
        """Draw all frames in order."""
        return (self[i] for i in range(self.frames))

    def draw_ahead(self, threads: int = 2) -> Iterator[Frame]:
        """Draw all frames in order, in several threads and a few frames ahead."""
        with ThreadPoolExecutor(threads) as pool:
            indices = iter(range(self.frames))
            pending = [pool.submit(self.__getitem__, i) for i in islice(indices, 2 * threads)]
            while pending:
                yield pending.pop(0).result()
                pending.extend(pool.submit(self.__getitem__, i) for i in islice(indices, 1))

    def shot_number(self, index: int) -> int:
        """Return which of the shots a frame belongs to.

        Raises:
            IndexError: there is no such frame.
        """
        if not 0 <= index < self.frames:
            raise IndexError(index)
        return sum(index >= cut for cut in self.cuts)

    def poses(self, index: int) -> list[Pose]:
        """Return the puppet's poses during the exposure of a frame."""
        puppet = self.shots[self.shot_number(index)].puppet
        steps = (np.arange(EXPOSURES) / (EXPOSURES - 1) - 0.5) * SHUTTER
        return [puppet.pose((index + float(step)) / self.fps) for step in steps]

    def _shot(self, rng: np.random.Generator, aspect: float, aside: float) -> Shot:
        return Shot(Puppet(rng, self.looks, aspect), Scene(rng, aspect, self.window, aside))


def composite(background: Array, figure: FigureImage | None, *, lit: bool) -> Frame:
    """Return the frame of a figure, or of nobody, before a background [3, H, W].

    Args:
        background: in [0, 1]; becomes the frame's own.
        lit: whether the frame flashes.
    """
    alpha = np.zeros((1, *background.shape[1:]), np.float32)
    foreground = np.zeros_like(background)
    region = (slice(None), slice(0), slice(0))
    if figure is not None:
        region = (slice(None), figure.rows, figure.columns)
        alpha[region] = figure.alpha
        colour = foreground[region]
        np.divide(figure.colour, figure.alpha, out=colour, where=figure.alpha > 0)
        np.minimum(colour, 1, out=colour)
    if lit:
        background += (1 - background) * FLASH
        foreground[region] += (1 - foreground[region]) * FLASH * (alpha[region] > 0)
    picture = background * np.float32(255)
    a, f, b = alpha[region], foreground[region], background[region]
    picture[region] = (b + (f - b) * a) * np.float32(255)
    picture += np.float32(0.5)
    return Frame(picture.astype(np.uint8), alpha, foreground, background)
