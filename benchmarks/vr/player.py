"""A headset player's reading of packed alpha, by the players' own formula and nothing of ours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
QUARTERS = np.array([0.3, 0.7])  # of a picture's sides: places amid its quarters, in the circle
BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)


def red_of(
    luma: NDArray[np.uint8], cr: NDArray[np.uint8], coefficients: tuple[float, float] = BT709
) -> Floats:
    """Return red, 0..1, of limited range and 4:2:0, whose chroma lies left, between two rows."""
    chroma = _between_rows(_to_the_right(cr.astype(np.float64)))
    red = (luma.astype(np.float64) - 16) / 219 + 2 * (1 - coefficients[0]) * (chroma - 128) / 224
    return np.clip(red, 0, 1)


def _to_the_right(samples: Floats) -> Floats:
    """Return samples at twice as many columns: themselves, and what is halfway to the next."""
    after = np.concatenate([samples[:, 1:], samples[:, -1:]], axis=1)
    return np.stack([samples, (samples + after) / 2], axis=2).reshape(len(samples), -1)


def _between_rows(samples: Floats) -> Floats:
    """Return samples at twice as many rows, a quarter of a step above and below each."""
    above = np.concatenate([samples[:1], samples[:-1]])
    below = np.concatenate([samples[1:], samples[-1:]])
    pairs = np.stack([samples * 0.75 + above / 4, samples * 0.75 + below / 4], axis=1)
    return pairs.reshape(-1, samples.shape[1])


def read_alpha(red: Floats, u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Return the alpha of the left and of the right eye at places in their pictures.

    Args:
        red: [H, W].
        u, v: of any one shape, 0..1; v goes down.
    """
    height, width = red.shape
    y = np.where(v < 0.5, 0.8 + 0.4 * v, 0.4 * v - 0.2)
    left = 0.4 + 0.2 * u
    right = np.where(u < 0.5, 0.9 + 0.2 * u, 0.2 * u - 0.1)
    rows = np.clip(np.floor(y * height), 0, height - 1).astype(int)
    columns = [np.clip(np.floor(x * width), 0, width - 1).astype(int) for x in (left, right)]
    return red[rows, columns[0]], red[rows, columns[1]]


def read_quarters(red: Floats) -> tuple[Floats, Floats]:
    """Return each eye's alpha amid its quarters: upper left, upper right, then the lower two."""
    v, u = np.meshgrid(QUARTERS, QUARTERS, indexing="ij")
    left, right = read_alpha(red, u, v)
    return left.ravel(), right.ravel()


def read_mattes(red: Floats, side: int) -> tuple[Floats, Floats]:
    """Return both eyes' alpha as pictures of `side` pixels; outside their circle it is 0."""
    places = (np.arange(side) + 0.5) / side
    v, u = np.meshgrid(places, places, indexing="ij")
    circle = np.hypot(u - 0.5, v - 0.5) <= 0.5
    left, right = read_alpha(red, u, v)
    return left * circle, right * circle
