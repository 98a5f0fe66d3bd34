"""Noise: fractal value noise over a grid of coordinates, tiles for clothes, and colours.

Lengths are in frame heights throughout `demo`, so that a drawing does not depend on resolution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
TILE_TEXELS = 256  # the side of a tile, which repeats
TEXELS_PER_HEIGHT = 512


def value_noise(lattice: Array, ys: Array, xs: Array) -> Array:
    """Interpolate smoothly between lattice values, which repeat beyond the border.

    Args:
        lattice: [C, ny, nx].
        ys, xs: [H] and [W], in cells of the lattice.
    Returns:
        [C, H, W], within the lattice's range.
    """
    y0, y1, fy = _cells(ys, lattice.shape[1])
    x0, x1, fx = _cells(xs, lattice.shape[2])
    rows = lattice[:, :, x0]
    rows += (lattice[:, :, x1] - rows) * fx
    out = rows[:, y0]
    out += (rows[:, y1] - out) * fy[:, None]
    return out


def fractal(
    rng: np.random.Generator, channels: int, ys: Array, xs: Array, *, octaves: int, frequency: float
) -> Array:
    """Return octaves of value noise, [channels, H, W] in about [-1, 1].

    Args:
        ys, xs: [H] and [W], in frame heights.
        frequency: of the first octave, in lattice cells per frame height.
    """
    out = np.zeros((channels, len(ys), len(xs)), np.float32)
    gain = 0.5
    for _ in range(octaves):
        lattice = rng.uniform(-1, 1, (channels, 32, 32)).astype(np.float32)
        offset = rng.uniform(0, 32, 2).astype(np.float32)
        out += value_noise(lattice, ys * frequency + offset[0], xs * frequency + offset[1]) * gain
        frequency *= 2.1
        gain *= 0.6
    return out


def colour(rng: np.random.Generator, saturation: float, brightness: float) -> Array:
    """Return a colour [3] in [0, 1] of a random hue."""
    hue = rng.uniform(0, 6)
    channels = np.clip(np.abs((hue + np.array((0, 4, 2))) % 6 - 3) - 1, 0, 1)
    return np.asarray(brightness * (1 - saturation * (1 - channels)), np.float32)


def cloth(rng: np.random.Generator, base: Array, second: Array, striped: bool) -> Array:
    """Return a knitted tile [3, TILE_TEXELS ** 2] in [0, 1]: a weave over noise, maybe striped."""
    grid = np.arange(TILE_TEXELS, dtype=np.float32)
    along, across = grid[:, None], grid[None, :]
    turn = np.float32(2 * np.pi / 16)  # one stitch in 16 texels
    weave = np.sin(along * turn + 0.9 * np.sin(across * turn)) * np.cos(across * turn)
    stripe = np.zeros((TILE_TEXELS, TILE_TEXELS), np.float32)
    if striped:
        stripe += np.clip(3 * np.sin(along * np.float32(2 * np.pi / rng.choice((32, 64)))), 0, 1)
    cells = grid / np.float32(TILE_TEXELS) * np.float32(16)
    noise = value_noise(rng.uniform(-1, 1, (1, 16, 16)).astype(np.float32), cells, cells)[0]
    light = 1 + 0.16 * weave + 0.12 * noise
    mixed = base[:, None, None] * (1 - stripe) + second[:, None, None] * stripe
    return np.asarray(np.clip(mixed * light, 0, 1), np.float32).reshape(3, -1)


def skin(rng: np.random.Generator, base: Array) -> Array:
    """Return a tile of skin [3, TILE_TEXELS ** 2] in [0, 1]: fine soft noise over one colour."""
    cells = np.arange(TILE_TEXELS, dtype=np.float32) / np.float32(TILE_TEXELS) * np.float32(32)
    noise = value_noise(rng.uniform(-1, 1, (1, 32, 32)).astype(np.float32), cells, cells)
    return np.clip(base[:, None, None] * (1 + 0.07 * noise), 0, 1).reshape(3, -1)


def texels(along: Array, across: Array) -> NDArray[np.int32]:
    """Return indices into a tile for points in frame heights, in the shape of the arguments."""
    row = (along * TEXELS_PER_HEIGHT).astype(np.int32) & (TILE_TEXELS - 1)
    column = (across * TEXELS_PER_HEIGHT).astype(np.int32) & (TILE_TEXELS - 1)
    return row * TILE_TEXELS + column


def _cells(at: Array, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return each coordinate's cell, the next one, and the smoothed fraction between them."""
    floor = np.floor(at)
    fraction = (at - floor).astype(np.float32)
    cell = floor.astype(np.int64) % count
    return cell, (cell + 1) % count, fraction * fraction * (3 - 2 * fraction)
