"""Single pictures of an image sequence, told apart by their content, not by their name."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matting.errors import DecodeError
from matting.imaging.sample_format import Size
from matting.media.images import png
from matting.media.images.pillow import exif_orientation, read_by_pillow
from matting.media.images.png import Values, bits
from matting.media.images.size_limit import require_size
from matting.media.images.tiff import read_tiff, upright
from matting.progress import Progress

JPEG_SIGNATURE = b"\xff\xd8\xff"
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two: BigTIFF
BAND_ROWS = 256
# What reading a damaged picture raises; a header may ask for any amount of memory.
UNREADABLE = (
    *(OSError, ValueError, SyntaxError, LookupError, zlib.error, struct.error),
    *(TypeError, ArithmeticError, MemoryError),
)


@dataclass(frozen=True)
class Still:
    """A single picture.

    Attributes:
        rgb: [H, W, 3], of the bits that the file has, 8 or 16; what is transparent lies over black.
        is_transparent: whether it is not opaque everywhere.
        profile: its ICC profile, where that is one of RGB; else empty.
    """

    rgb: Values
    is_transparent: bool
    profile: bytes


class PictureFacts(NamedTuple):
    """What a picture says of the sequence that it is the first of.

    Attributes:
        depth: bits a channel, 8 or 16.
        profile, is_transparent: as `Still` has them.
    """

    size_px: Size
    depth: int
    profile: bytes
    is_transparent: bool


def is_still(path: Path) -> bool:
    """Return whether a file is a single picture of a kind that is read here, by its start."""
    with path.open("rb") as file:
        start = file.read(len(png.SIGNATURE))
    return start.startswith((png.SIGNATURE, JPEG_SIGNATURE, *TIFF_SIGNATURES))


def read_still(path: Path) -> Still:
    """Return a picture, with its colour profile.

    Raises:
        DecodeError: it is none, is damaged, or is of a kind that cannot be matted.
    """
    try:
        values, profile = _read_stored(path)
    except UNREADABLE as error:
        raise DecodeError(
            f"{path} cannot be read as a picture.", "Make or copy it again."
        ) from error
    if values.ndim != 3 or values.shape[2] not in {1, 2, 3, 4}:
        raise DecodeError(f"{path} is no single picture.", "Save it as RGB or grey.")
    full = np.iinfo(values.dtype).max
    is_transparent = values.shape[2] in {2, 4} and bool((values[..., -1] < full).any())
    # At this place a profile says what it is for.
    return Still(_to_rgb(values), is_transparent, profile if profile[16:20] == b"RGB " else b"")


def read_picture(path: Path) -> Values:
    """Return a picture as `Still.rgb`; raise as `read_still`."""
    return read_still(path).rgb


def read_facts(path: Path, _progress: Progress) -> PictureFacts:
    """Return what a picture says of its sequence; raise as `read_still`."""
    still = read_still(path)
    return PictureFacts(size_of(still.rgb), bits(still.rgb), still.profile, still.is_transparent)


def size_of(picture: Values) -> Size:
    """Return the size of [H, W, channels]."""
    height, width = picture.shape[:2]
    return Size(width, height)


def to_16_bits(values: Values) -> NDArray[np.uint16]:
    """Return the same picture with 16 bits a channel: 255 becomes 65535."""
    if values.dtype == np.uint16:
        return np.asarray(values, dtype=np.uint16)
    return np.asarray(values.astype(np.uint16) * 257, dtype=np.uint16)


def _read_stored(path: Path) -> tuple[Values, bytes]:
    """Return a picture as it is stored, [H, W, 1 to 4], and its profile."""
    with path.open("rb") as file:
        start = file.read(len(png.SIGNATURE))
        if start == png.SIGNATURE:
            content = start + file.read()
            require_size(path, *png.png_size(content))
            values = png.decode_png(content)
            if values.ndim == 2:
                values = values[..., None]
            return upright(values, _orientation(content)), png.png_profile(content)
    if start.startswith(TIFF_SIGNATURES):
        return read_tiff(path)
    if start.startswith(JPEG_SIGNATURE):
        photograph = read_by_pillow(path)
        return photograph.values, photograph.profile
    raise ValueError("neither PNG, JPEG nor TIFF")


def _orientation(content: bytes) -> int:
    """Return the orientation of a PNG file, by its EXIF metadata; as it is stored without them."""
    exif = png.png_exif(content)
    try:
        return exif_orientation(exif) if exif else 1
    except UNREADABLE:
        return 1


def _to_rgb(values: Values) -> Values:
    """Make grey or RGB, either with alpha, RGB [H, W, 3]."""
    if values.shape[2] in {2, 4}:
        values = _over_black(values[..., :-1], values[..., -1:])
    return _repeat_grey(values) if values.shape[2] == 1 else values


def _over_black(colour: Values, alpha: Values) -> Values:
    full = np.iinfo(colour.dtype).max
    result = np.empty_like(colour)
    for top in range(0, len(colour), BAND_ROWS):  # of all at once, the products take gigabytes
        band = slice(top, top + BAND_ROWS)
        product = colour[band].astype(np.uint32) * alpha[band]  # 65535 squared just fits
        result[band] = (product + full // 2) // full
    return result


def _repeat_grey(grey: Values) -> Values:
    rgb = np.broadcast_to(grey, (*grey.shape[:2], 3))
    return rgb.astype(np.uint8) if bits(grey) == 8 else rgb.astype(np.uint16)
