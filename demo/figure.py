"""The puppet: its proportions, clothes and motion, and where its parts are at a time.

Points are complex numbers, x + iy in frame heights, y down; angles in radians.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np

from demo.textures import Array, cloth, colour, skin


@dataclass(frozen=True)
class Limb:
    """A tapered capsule from `start` to `end`, textured with the tile named `tile`."""

    start: complex
    end: complex
    radius_start: float
    radius_end: float
    tile: str


@dataclass(frozen=True)
class Head:
    """An ellipse of half axes `radius` * (0.86, 1) with a face and hair, turned by `turn`."""

    centre: complex
    radius: float
    turn: float
    sway: float  # how far the tips of the hair lag behind, in radians


@dataclass(frozen=True)
class Pose:
    """The parts at one time: those behind the head, the head, those in front of it."""

    behind: tuple[Limb, ...]
    head: Head
    before: tuple[Limb, ...]


class Swing:
    """An angle or coordinate that varies in time as a sum of sines."""

    def __init__(
        self, rng: np.random.Generator, rest: float, reach: float, hertz: float = 0.5
    ) -> None:
        self.rest = rest
        self.reach = reach * np.array((0.65, 0.35)) * rng.uniform(0.6, 1.0, 2)
        self.hertz = hertz * np.array((1.0, 2.3)) * rng.uniform(0.7, 1.4, 2)
        self.phase = rng.uniform(0, 2 * math.pi, 2)

    def at(self, seconds: float) -> float:
        """Return its value at a time."""
        waves = self.reach * np.sin(2 * math.pi * self.hertz * seconds + self.phase)
        return float(self.rest + waves.sum())


class Looks:
    """What stays the same in all shots: tiles, hair, proportions."""

    def __init__(self, rng: np.random.Generator) -> None:
        tone = np.array(((0.95, 0.76, 0.62), (0.82, 0.6, 0.45), (0.55, 0.37, 0.26)), np.float32)
        face = tone[rng.integers(3)] * np.float32(rng.uniform(0.92, 1.05))
        shirt = colour(rng, rng.uniform(0.45, 0.9), rng.uniform(0.6, 0.95))
        other = colour(rng, rng.uniform(0.2, 0.9), rng.uniform(0.5, 0.95))
        trousers = colour(rng, rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.7))
        shoes = colour(rng, rng.uniform(0.3, 0.8), rng.uniform(0.25, 0.6))
        self.tiles: dict[str, Array] = {
            "skin": skin(rng, np.clip(face, 0, 1)),
            "shirt": cloth(rng, shirt, other, striped=bool(rng.random() < 0.6)),
            "trousers": cloth(rng, trousers, other, striped=bool(rng.random() < 0.2)),
            "shoes": cloth(rng, shoes, shoes, striped=False),
        }
        shade = np.array(((0.16, 0.1, 0.07), (0.45, 0.26, 0.12), (0.75, 0.55, 0.25)), np.float32)
        self.hair_colour: Array = shade[rng.integers(3)] * np.float32(rng.uniform(0.8, 1.2))
        self.hair_length = self._hair(rng)
        self.sleeve = "shirt" if rng.random() < 0.5 else "skin"
        self.width = rng.uniform(0.9, 1.15)
        self.head = rng.uniform(0.078, 0.092)

    @staticmethod
    def _hair(rng: np.random.Generator) -> Array:
        """Return the length of the hair by direction: [256], in head radii; 64 is up, 192 down."""
        turn = np.arange(256) / 256 * 2 * math.pi
        down = -np.sin(turn)
        low = np.clip(2.2 * (down - 0.25), 0, 1)  # below the ears: none, or down to the shoulders
        length = 1.16 + low * (rng.uniform(0.2, 0.5) if rng.random() < 0.5 else -0.5)
        for count, reach in ((9, 0.05), (40, 0.10), (85, 0.12)):
            knots = rng.uniform(-1, 1, count)
            position = np.arange(256) / 256 * count
            knot = position.astype(int)
            mix = position - knot
            length += reach * (knots[knot] * (1 - mix) + knots[(knot + 1) % count] * mix)
        return length.astype(np.float32)


class Puppet:
    """A figure in one shot: its looks, place, size and motion."""

    def __init__(self, rng: np.random.Generator, looks: Looks, aspect: float) -> None:
        self.looks = looks
        self.size = rng.uniform(0.74, 0.95)  # of the whole figure, in frame heights
        middle = aspect * rng.uniform(0.36, 0.64)
        self.x = Swing(rng, middle, 0.16 * aspect, 0.14)
        self.y = Swing(rng, rng.uniform(0.53, 0.58), 0.025, 0.9)
        self.lean = Swing(rng, 0, 0.16, 0.4)
        self.nod = Swing(rng, 0, 0.28, 0.6)
        self.sway = Swing(rng, 0, 0.30, 0.8)
        self.thighs = [Swing(rng, side * 0.13, 0.42, 0.8) for side in (-1, 1)]
        self.knees = [Swing(rng, side * 0.1, 0.45, 0.8) for side in (-1, 1)]
        raised = rng.uniform(0.3, 1.5, 2)
        self.arms = [Swing(rng, -side * raised[i], 0.7, 0.55) for i, side in enumerate((-1, 1))]
        bent = rng.uniform(0.2, 1.2, 2)
        self.elbows = [Swing(rng, -side * bent[i], 0.8, 0.8) for i, side in enumerate((-1, 1))]

    def pose(self, seconds: float) -> Pose:
        """Return where its parts are at a time of the shot."""
        size, looks = self.size, self.looks
        hips = complex(self.x.at(seconds), self.y.at(seconds))
        up = -1j * cmath.exp(1j * self.lean.at(seconds))
        right = up * 1j
        chest = hips + up * size * 0.27
        turn = self.lean.at(seconds) + self.nod.at(seconds)
        head = chest + up * size * 0.10 - 1j * cmath.exp(1j * turn) * size * looks.head

        legs = [limb for i in (0, 1) for limb in self._leg(i, hips, right, seconds)]
        arms = [self._arm(i, chest, right, seconds) for i in (0, 1)]
        body = Limb(
            chest - up * size * 0.015,
            hips - up * size * 0.005,
            size * 0.098 * looks.width,
            size * 0.078 * looks.width,
            "shirt",
        )
        neck = Limb(chest + up * size * 0.06, head, size * 0.034, size * 0.034, "skin")
        return Pose(
            behind=(*arms[0], *legs, neck, body),
            head=Head(head, size * looks.head, turn, self.sway.at(seconds)),
            before=tuple(arms[1]),
        )

    def _leg(self, index: int, hips: complex, right: complex, seconds: float) -> list[Limb]:
        side = (-1, 1)[index]
        size, wide = self.size, self.looks.width
        hip = hips + right * side * size * 0.042 * wide
        angle = -self.thighs[index].at(seconds)
        knee = hip + 1j * cmath.exp(1j * angle) * size * 0.215
        angle -= side * abs(self.knees[index].at(seconds)) * -1
        ankle = knee + 1j * cmath.exp(1j * angle) * size * 0.20
        toe = ankle + (side * 0.052 + 0.016j) * size
        return [
            Limb(ankle, toe, size * 0.026, size * 0.022, "shoes"),
            Limb(knee, ankle, size * 0.042 * wide, size * 0.029, "trousers"),
            Limb(hip, knee, size * 0.058 * wide, size * 0.042 * wide, "trousers"),
        ]

    def _arm(self, index: int, chest: complex, right: complex, seconds: float) -> list[Limb]:
        side = (-1, 1)[index]
        size, wide = self.size, self.looks.width
        shoulder = chest + right * side * size * 0.092 * wide + 1j * size * 0.02
        angle = self.arms[index].at(seconds)
        elbow = shoulder + 1j * cmath.exp(1j * angle) * size * 0.15
        angle += self.elbows[index].at(seconds)
        forearm = 1j * cmath.exp(1j * angle)
        wrist = elbow + forearm * size * 0.135
        return [
            Limb(wrist, wrist + forearm * size * 0.025, size * 0.024, size * 0.027, "skin"),
            Limb(elbow, wrist, size * 0.030, size * 0.022, self.looks.sleeve),
            Limb(shoulder, elbow, size * 0.040 * wide, size * 0.031, "shirt"),
        ]
