"""TIFF files of 8 and 16 bits, read by OpenImageIO."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import numpy as np
import OpenImageIO as oiio  # noqa: N813 - its own name for itself

from matting.errors import DecodeError
from matting.media.images.pillow import SAVE_AS_RGB, made_for_print, not_rgb, read_by_pillow
from matting.media.images.png import Values
from matting.media.images.size_limit import require_size

MOST_PAGES = 1000  # a file of a few megabytes can list a million, and each takes its time
REDUCED = 1  # bit of NewSubfileType: a smaller copy of another picture


class Photometric(IntEnum):
    """How samples are to be taken: TIFF 6.0, tag PhotometricInterpretation."""

    WHITE_IS_ZERO = 0
    BLACK_IS_ZERO = 1
    RGB = 2
    PALETTE = 3
    SEPARATED = 5  # CMYK
    YCBCR = 6


def read_tiff(path: Path) -> tuple[Values, bytes]:
    """Return a TIFF's values and its ICC profile.

    Returns:
        values: [H, W, 1 to 4], the right way up: grey or RGB, either with straight alpha. Where
            alpha was associated, colours over black, without it.
        profile: empty where there is none.
    Raises:
        DecodeError: it is of a kind that cannot be matted.
        ValueError: it cannot be read.
    """
    with _open_tiff(path) as (file, spec):
        require_size(path, spec.width, spec.height, spec.nchannels)
        photometric = _photometric(path, spec)
        pages = _pages(file)
        if pages != 1:
            count = pages if pages < MOST_PAGES else "many"
            raise DecodeError(f"{path} holds {count} pictures.", "Save each as a file of its own.")
        profile = spec.getattribute("ICCProfile")
        if photometric is Photometric.PALETTE:  # OpenImageIO's 16-bit colours come out 1 too low
            values: Values = read_by_pillow(path).values
        else:
            values = _values(path, file, spec, photometric)
    return values, b"" if profile is None else np.asarray(profile, np.uint8).tobytes()


@contextmanager
def _open_tiff(path: Path) -> Iterator[tuple[oiio.ImageInput, oiio.ImageSpec]]:
    """Open a file as OpenImageIO's input.

    Raises:
        ValueError: it cannot be opened.
    """
    oiio.attribute("oiio:print_uncaught_errors", 0)  # they are raised here
    options = oiio.ImageSpec()
    # Otherwise it multiplies colours with alpha, and truncates what comes of it.
    options.attribute("oiio:UnassociatedAlpha", 1)
    file = oiio.ImageInput.open(str(path), options)
    if file is None:
        raise ValueError(oiio.geterror())
    try:
        if file.has_error:
            raise ValueError(file.geterror())
        yield file, file.spec()
    finally:
        file.close()


def _photometric(path: Path, spec: oiio.ImageSpec) -> Photometric:
    """Return how its samples are to be taken.

    Raises:
        DecodeError: in a way that cannot be matted.
    """
    number = spec.get_int_attribute("tiff:PhotometricInterpretation", Photometric.RGB)
    if number == Photometric.SEPARATED:
        raise made_for_print(path)
    try:
        return Photometric(number)
    except ValueError:
        raise not_rgb(path) from None


def _values(
    path: Path, file: oiio.ImageInput, spec: oiio.ImageSpec, photometric: Photometric
) -> Values:
    kind = str(spec.format)
    depth = spec.get_int_attribute("oiio:BitsPerSample", 8)
    if kind not in {"uint8", "uint16"} or depth not in {1, 2, 4, 8, 16}:
        what = f"{depth}-bit" if kind in {"uint8", "uint16"} else "other than whole"
        raise DecodeError(
            f"{path} holds {what} numbers.", "Save it with 8 or 16 bits a channel, or as PNG."
        )
    inverted = photometric is Photometric.WHITE_IS_ZERO
    if inverted and spec.nchannels > 1:
        raise DecodeError(f"{path} is grey with white as 0, and transparent.", SAVE_AS_RGB)
    values = file.read_image(kind)
    if values is None or file.has_error:
        raise ValueError(file.geterror())
    values = values.reshape(spec.height, spec.width, -1)
    if inverted and kind == "uint16":  # it inverts 8 bits by itself
        values = ~values
    colours = list(range(3 if spec.nchannels >= 3 else 1))
    if spec.alpha_channel >= 0 and spec.get_int_attribute("oiio:UnassociatedAlpha", 0):
        colours.append(spec.alpha_channel)
    # What is multiplied with its alpha already lies over black.
    return upright(values[..., colours], spec.get_int_attribute("Orientation", 1))


def _pages(file: oiio.ImageInput) -> int:
    """Return how many pictures a file holds, smaller copies of one aside; MOST_PAGES at most."""
    count, number = 1, 1
    while number < MOST_PAGES and file.seek_subimage(number, 0):
        count += not file.spec().get_int_attribute("tiff:SubFileType", 0) & REDUCED
        number += 1
    if number == MOST_PAGES:
        count = MOST_PAGES
    file.geterror()  # that there is no further one
    file.seek_subimage(0, 0)
    return count


def upright(values: Values, orientation: int) -> Values:
    """Turn a picture by the number of TIFF's tag Orientation, which EXIF has, too."""
    if orientation in {5, 6, 7, 8}:
        values = values.swapaxes(0, 1)
    rows = -1 if orientation in {3, 4, 7, 8} else 1
    columns = -1 if orientation in {2, 3, 6, 7} else 1
    return values[::rows, ::columns]
