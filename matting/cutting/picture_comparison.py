"""How much small pictures are alike, reckoned in whole numbers: the same on any computer."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, sqrt

import numpy as np
from numpy.typing import NDArray

from matting.cutting.small_pictures import SmallPicture

STEPS = 256  # in which shares and gains are counted


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the mean absolute difference of the samples of pictures or channels, in [0, 255]."""
    apart = np.maximum(first, second)
    apart -= np.minimum(first, second)
    return int(apart.sum(dtype=np.uint32)) / apart.size


def contrast(picture: SmallPicture) -> float:
    """Return the standard deviation of the luma, in [0, 127.5]; about 0 of a blank picture."""
    luma = picture[0].ravel().astype(np.int32)
    total, squares, count = int(luma.sum()), int(luma.dot(luma)), len(luma)
    return sqrt(squares * count - total * total) / count


def correlation(first: SmallPicture, second: SmallPicture) -> float:
    """Return how alike two pictures' luma is in [-1, 1], whatever its brightness and contrast."""
    x, y = first[0].ravel().astype(np.int32), second[0].ravel().astype(np.int32)
    spread_x, spread_y = _spread(x, x), _spread(y, y)
    return _spread(x, y) / max(1, isqrt(spread_x * spread_y))


def difference_in_other_light(first: SmallPicture, second: SmallPicture) -> float:
    """Return the difference that is left once the first is given the second's light.

    Every channel gets the gain and the offset that bring it nearest.
    """
    left = 0
    for own, other in zip(first, second, strict=True):
        x, y = own.ravel().astype(np.int32), other.ravel().astype(np.int32)
        gain = _in_steps(_spread(x, y), _spread(x, x))
        offset = (STEPS * int(y.sum()) - gain * int(x.sum())) // x.size
        left += int(np.abs(STEPS * y - gain * x - offset).sum(dtype=np.int64))
    return left / (STEPS * first.size)


@dataclass(frozen=True)
class Blend:
    """How well pictures in a row are mixtures of the first and the last, by some of their luma.

    Attributes:
        shares: of the last one in each, from 0 to 1 if they are such mixtures.
        error: the largest difference from such a mixture, as a share of that between the two.
    """

    shares: tuple[float, ...]
    error: float

    @classmethod
    def of(cls, pictures: list[SmallPicture]) -> Blend:
        """Fit the pictures between two that differ."""
        luma = np.stack([picture[0, ::2, ::2] for picture in pictures]).astype(np.int32)
        rows = (luma - luma[0]).reshape(len(pictures), -1)
        whole = rows[-1]
        length, total = int(whole.dot(whole)), int(np.abs(whole).sum())
        shares = [_in_steps(int(row.dot(whole)), length) for row in rows]
        errors = [_error(row, whole, share) for row, share in zip(rows, shares, strict=True)]
        return cls(tuple(share / STEPS for share in shares), max(errors) / max(1, total))


def error_of_mean(picture: SmallPicture, first: SmallPicture, last: SmallPicture) -> float:
    """Return how far a picture is from the mean of two, as a share of how far these are apart.

    By their luma.
    """
    mean = ((first[0].astype(np.uint16) + last[0]) >> 1).astype(np.uint8)
    return difference(picture[0], mean) / max(1 / STEPS, difference(first[0], last[0]))


def _error(row: NDArray[np.int32], whole: NDArray[np.int32], share: int) -> float:
    return int(np.abs(STEPS * row - share * whole).sum(dtype=np.int64)) / STEPS


def _spread(x: NDArray[np.int32], y: NDArray[np.int32]) -> int:
    """Return the covariance of two channels, times the square of their number of samples."""
    return int(x.dot(y)) * x.size - int(x.sum()) * int(y.sum())


def _in_steps(part: int, whole: int) -> int:
    """Return a quotient in whole steps, within what 32 bits can multiply."""
    return 0 if whole <= 0 else max(-64 * STEPS, min(64 * STEPS, STEPS * part // whole))
