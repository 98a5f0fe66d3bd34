"""Single pictures as PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from matting import durable
from matting.media.door import encoding


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Writes RGB [H, W, 3], 0..255, as `path`.

    Raises:
        StorageError: it cannot be written.
    """
    temporary = path.with_name(f"{path.stem}.partial.png")  # the format follows the suffix
    with encoding(path):
        VideoFrame.from_ndarray(rgb, format="rgb24").save(temporary)
    durable.publish(temporary, path)
