"""Folders of numbered pictures, written and read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from matting.media.images.png import Values, decode_png, encode_png
from tests.support.clips import picture
from tests.support.pixels import RGB16


def write_take(folder: Path, count: int = 4, depth: int = 8) -> Path:
    """Write a folder of PNG pictures with gaps in their numbers; return its path."""
    folder.mkdir(parents=True)
    for index in range(count):
        values: Values = picture(index)
        if depth == 16:
            values = RGB16 + np.uint16(index)
        (folder / f"A001.{index * 5}.png").write_bytes(encode_png(values))
    return folder


def pictures(folder: Path) -> dict[str, Values]:
    """Return the code values of every PNG picture of a folder, by name."""
    return {path.name: decode_png(path.read_bytes()) for path in sorted(folder.iterdir())}
