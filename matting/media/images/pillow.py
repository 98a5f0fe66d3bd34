"""JPEG files, and TIFF files with a palette, read by Pillow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageColor, ImageOps

from matting.errors import DecodeError
from matting.media.images.size_limit import require_size

FORMATS = ("JPEG", "TIFF")  # of these alone; what others make of a file's content is not asked
SAVE_AS_RGB = "Save it as RGB."
PLAIN_MODES = {"1": "L", "L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "P": "RGB"}


def made_for_print(path: Path) -> DecodeError:
    """Return the error for a picture of printing inks."""
    return DecodeError(f"{path} is made for print (CMYK).", SAVE_AS_RGB)


def not_rgb(path: Path) -> DecodeError:
    """Return the error for a picture in any other colour space than RGB."""
    return DecodeError(f"{path} holds colours other than RGB.", SAVE_AS_RGB)


def named_colour(name: str) -> tuple[int, int, int] | None:
    """Return red, green, blue of a colour of CSS; None if there is none of that name."""
    if name not in ImageColor.colormap:
        return None
    red, green, blue, *_ = ImageColor.getrgb(name)
    return red, green, blue


@dataclass(frozen=True)
class PillowPicture:
    """A picture as Pillow reads it.

    Attributes:
        values: [H, W, 1 to 4], the right way up: grey or RGB, either with alpha.
        profile: its ICC profile; empty where there is none.
    """

    values: NDArray[np.uint8]
    profile: bytes


def read_by_pillow(path: Path) -> PillowPicture:
    """Return a picture of at most 8 bits a channel.

    Raises:
        DecodeError: it is made for print, or of another kind that cannot be matted.
        ValueError, OSError, SyntaxError: it is damaged.
    """
    Image.MAX_IMAGE_PIXELS = None  # it warns on the console; the limit here is an error
    with Image.open(path, formats=FORMATS) as file:
        require_size(path, *file.size)
        profile = file.info.get("icc_profile") or b""
        picture = ImageOps.exif_transpose(file)
    if picture.mode in {"CMYK", "YCCK"}:
        raise made_for_print(path)
    if picture.mode not in PLAIN_MODES:
        raise not_rgb(path)
    mode = "RGBA" if "transparency" in picture.info else PLAIN_MODES[picture.mode]
    values = np.asarray(picture.convert(mode))
    return PillowPicture(values if values.ndim == 3 else values[..., None], profile)


def exif_orientation(content: bytes) -> int:
    """Return the orientation, 1 to 8, that EXIF metadata gives; 1 where it gives none.

    Raises:
        ValueError, OSError, SyntaxError, LookupError, struct.error: it is damaged.
    """
    exif = Image.Exif()
    exif.load(content)
    orientation = exif.get(ExifTags.Base.Orientation)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
