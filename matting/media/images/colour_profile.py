"""Colours by a picture's own profile, brought to sRGB, by LittleCMS in Pillow."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from matting.media.images.png import Values, bits

BAND_ROWS = 256


def can_convert(profile: bytes) -> bool:
    """Return whether colours can be converted by an ICC profile of RGB."""
    try:
        _to_srgb(profile)
    except (ImageCms.PyCMSError, ImportError, OSError, ValueError):
        return False
    return True


def to_srgb(rgb: Values, profile: bytes) -> Values:
    """Return a picture in sRGB, of as many bits; what lies outside of sRGB is clipped.

    LittleCMS converts 8 bits here. Of 16, the difference that this makes is added to them: what is
    finer than a step of 8 bits stays.

    Args:
        rgb: [H, W, 3], 8 or 16 bits.
        profile: an ICC profile of RGB; see `can_convert`.
    """
    transform = _to_srgb(profile)
    result = np.empty_like(rgb)
    for top in range(0, len(rgb), BAND_ROWS):  # of all at once, the steps between take gigabytes
        band = rgb[top : top + BAND_ROWS]
        if bits(rgb) == 8:
            result[top : top + BAND_ROWS] = _converted(band, transform)
            continue
        coarse = ((band.astype(np.uint32) + 128) // 257).astype(np.uint8)
        change = _converted(coarse, transform).astype(np.int32) - coarse
        result[top : top + BAND_ROWS] = np.clip(band + 257 * change, 0, 65535)
    return result


def _to_srgb(profile: bytes) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        "RGB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _converted(rgb: Values, transform: ImageCms.ImageCmsTransform) -> NDArray[np.uint8]:
    picture = ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(rgb)), transform)
    assert picture is not None  # it is where nothing is converted in place
    return np.asarray(picture)
