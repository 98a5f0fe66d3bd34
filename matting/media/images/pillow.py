"""JPEG files, TIFF files with a palette, and colour profiles, read by Pillow; WebP written."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageColor, ImageOps

from matting.errors import DecodeError
from matting.media.images.png import Values, bits
from matting.media.images.size_limit import require_size

FORMATS = ("JPEG", "TIFF")  # of these alone; what others make of a file's content is not asked
BAND_ROWS = 256
WEBP_EFFORT = 2  # of 0 to 6
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


def encode_webp(values: NDArray[np.uint8], quality: int) -> bytes:
    """Return a picture as a WebP file, with loss; alpha, where there is one, without.

    Args:
        values: [H, W, 3 or 4], sRGB, and alpha that colours are not multiplied by.
        quality: of the colours, 0 to 100.
    """
    file = BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(values))
    picture.save(file, "WEBP", quality=quality, alpha_quality=100, method=WEBP_EFFORT)
    return file.getvalue()


def exif_orientation(content: bytes) -> int:
    """Return the orientation, 1 to 8, that EXIF metadata gives; 1 where it gives none.

    Raises:
        ValueError, OSError, SyntaxError, LookupError, struct.error: it is damaged.
    """
    exif = Image.Exif()
    exif.load(content)
    orientation = exif.get(ExifTags.Base.Orientation)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


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
