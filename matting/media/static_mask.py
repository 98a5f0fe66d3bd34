"""A picture of the user's that says where people never are: white where nothing is matted."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from matting.errors import InputError, MissingError
from matting.imaging.sample_format import Size
from matting.media.container import require_file
from matting.media.foreign_files import read_guarded
from matting.media.images.still import read_facts, read_still

OPTION = "--static-mask"
# A mask may be that many times wider or narrower than the picture, for sides are rounded.
MOST_STRETCHED = Fraction(102, 100)


def require_mask(path: Path, size_px: Size, pixel_aspect: Fraction) -> None:
    """Refuse a mask that cannot be read, or that has another shape than the picture.

    Args:
        size_px: of the upright picture.
        pixel_aspect: width of a pixel by its height: players stretch the picture by that.
    Raises:
        InputError: names the file, and both shapes.
    """
    try:
        require_file(path)
        width, height = read_guarded(path, partial(read_facts, path)).size_px
    except (InputError, MissingError) as error:
        raise InputError(
            f"The mask cannot be used: {error.what}",
            f"Give a picture (PNG, JPEG or TIFF) with {OPTION}.",
            option=OPTION,
        ) from error
    shape = Fraction(width, height)
    stored = Fraction(size_px.width, size_px.height)
    stretched = (shape / wanted for wanted in (stored, stored * pixel_aspect))
    if not any(1 / MOST_STRETCHED <= stretch <= MOST_STRETCHED for stretch in stretched):
        raise InputError(
            f"The mask {path} has {width}x{height} pixels, which is another shape than the "
            f"picture's {size_px.width}x{size_px.height}.",
            "Draw it over a frame of the video, of the same size or a scaled one.",
            option=OPTION,
        )


def read_mask(path: Path) -> Tensor:
    """Return how white a mask is, [h, w], float32, 0..1; what is transparent counts as black.

    Raises:
        DecodeError: it cannot be read.
    """
    rgb = read_still(path).rgb
    full = float(np.iinfo(rgb.dtype).max)
    return torch.from_numpy(rgb.astype(np.float32).mean(axis=2) / np.float32(full))
