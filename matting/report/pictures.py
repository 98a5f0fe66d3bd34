"""Pictures for a page: frames as a screen shows them, inside the page's own file."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import torch
from numpy.typing import NDArray

from matting.imaging.colour_conversion import rows_to_rgb
from matting.imaging.display_light import DisplayLight, convert_light
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.stored_compositor import straight_foreground
from matting.media.images.pillow import encode_webp

QUALITY = 82
# At the size of its own pixels, a larger frame would make a page too large to open.
LARGEST = Size(1920, 1088)
WINDOW_STEP = 16  # whole chroma samples in all formats


def screen_pixels(planes: Planes, light: DisplayLight) -> NDArray[np.uint8]:
    """Return a frame in sRGB, [H, W, 3].

    Args:
        planes: one frame.
        light: what its colours stand for.
    """
    rgb = convert_light(rows_to_rgb(planes, slice(0, planes.height)), light, DisplayLight())
    pixels = (rgb[0].clamp(0, 1) * 255 + 0.5).to(torch.uint8)
    return pixels.permute(1, 2, 0).cpu().numpy()


def screen_colour(rgb: tuple[int, int, int], light: DisplayLight) -> tuple[int, int, int]:
    """Return a colour in sRGB.

    Args:
        rgb: R'G'B', 0 to 255.
        light: what it stands for.
    """
    pixel = torch.tensor(rgb, dtype=torch.uint8).view(1, 3, 1, 1)
    red, green, blue = screen_pixels(Planes(SampleFormat(), pixel), light)[0, 0].tolist()
    return red, green, blue


def cut_out(source: Planes, matte: MattePlanes, light: DisplayLight) -> NDArray[np.uint8]:
    """Return the people without what was behind them, [H, W, 4]; the last is alpha.

    Args:
        source, matte: one frame, and what is stored of it.
        light: what the source's colours stand for.
    """
    target = SampleFormat(16, transfer=source.sample_format.transfer)
    colours = screen_pixels(straight_foreground(source, matte, target), light)
    alpha = matte.alpha[0, 0].cpu().numpy().astype(np.float32)
    return np.dstack([colours, (alpha * (255 / MAX_ALPHA) + 0.5).astype(np.uint8)])


def data_uri(values: NDArray[np.uint8]) -> str:
    """Return a picture, [H, W, 3 or 4], as what a page shows without another file."""
    return webp_uri(encode_webp(values, QUALITY))


def webp_uri(content: bytes) -> str:
    """Return a WebP file as what a page shows without another file."""
    return f"data:image/webp;base64,{b64encode(content).decode()}"


def window_on_people(alpha: NDArray[np.uint8], eye: Size) -> tuple[slice, slice]:
    """Return which rows and columns of a frame are shown: all, or a window where people are.

    Of two eyes, the window is in the first: between the two, it would show halves of both.

    Args:
        alpha: [H, W].
        eye: the size of what one eye sees.
    """
    height, width = alpha.shape
    if width * height <= LARGEST.width * LARGEST.height:
        return slice(0, height), slice(0, width)
    alpha = alpha[: eye.height, : eye.width]
    return (
        _window(alpha.sum(axis=1, dtype=np.int64), LARGEST.height),
        _window(alpha.sum(axis=0, dtype=np.int64), LARGEST.width),
    )


def _window(weights: NDArray[np.int64], length: int) -> slice:
    """Return where most of the weight lies in the middle."""
    if len(weights) <= length:
        return slice(0, len(weights))
    total = weights.sum()
    centre = int(np.searchsorted(np.cumsum(weights), total / 2)) if total else len(weights) // 2
    first = min(max(0, centre - length // 2), len(weights) - length)
    first -= first % WINDOW_STEP
    return slice(first, first + length)
