"""Made-up pixels in which every bit counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matting.media.images.png import Values

ROWS, COLUMNS = np.mgrid[0:48, 0:64]
# Values whose lower eight bits are their own.
RGB16 = np.stack((COLUMNS * 1000 + ROWS, ROWS * 1300, COLUMNS * 501), axis=2).astype(np.uint16)
RGB8 = (RGB16 >> 8).astype(np.uint8)
ALPHA16 = (ROWS * 700 + COLUMNS).astype(np.uint16)


def flatten_alpha(colour: Values, alpha: Values) -> NDArray[np.float64]:
    """Return colours [H, W, C] over black by their alpha [H, W]."""
    full = np.iinfo(colour.dtype).max
    return np.rint(colour.astype(np.float64) * alpha[..., None] / full)
