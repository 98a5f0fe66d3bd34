"""Image sequences as a source of frames. The only door to pims, and to what it reads with."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pims
import torch
from numpy.typing import NDArray

from matting.errors import DecodeError, MediaError
from matting.media.colour import LIMITED, UNSPECIFIED, Colour
from matting.media.hdr import HdrMetadata
from matting.media.source import FrameChunk, gather, ignore
from matting.planes import Coding, Planes
from matting.workspace import natural_order

SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff"}


def image_files(folder: Path) -> list[Path]:
    """The pictures of a folder in natural order: 2 before 10."""
    found = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    return sorted((p for p in found if not p.name.startswith(".")), key=natural_order)


class ImageSequence:
    """A folder of equally large pictures as a source of frames at a fixed rate.

    Raises:
        MediaError: there are no pictures, or the first cannot be read.
    """

    def __init__(self, folder: Path, rate: Fraction) -> None:
        self.path = folder
        self.rate = rate
        self._files = image_files(folder)
        if not self._files:
            raise MediaError(f"{folder} holds no pictures.", "Give PNG, JPEG or TIFF files.")
        self.height_px, self.width_px = self._read(self._files[0]).shape[:2]

    @property
    def time_base(self) -> Fraction:
        return 1 / self.rate

    @property
    def pixel_aspect(self) -> Fraction:
        return Fraction(1)

    @property
    def colour(self) -> Colour:
        return Colour(UNSPECIFIED, LIMITED, UNSPECIFIED, UNSPECIFIED)

    @property
    def coding(self) -> Coding:
        return Coding()

    @property
    def hdr(self) -> HdrMetadata | None:
        return None

    @property
    def frames(self) -> int:
        return len(self._files)

    def chunks(
        self, size: int, last: int | None = None, on_skip: Callable[[], None] = ignore
    ) -> Generator[FrameChunk, None, None]:
        """All pictures, or only the last `last`, in chunks of `size`.

        Raises:
            DecodeError: one cannot be read or has another size.
        """
        skip = 0 if last is None else max(0, self.frames - last)
        return gather(self._pictures(skip), size)

    def _pictures(self, skip: int) -> Iterator[tuple[int, Planes]]:
        for index, path in enumerate(self._files[skip:], start=skip):
            rgb = self._read(path)
            if rgb.shape[:2] != (self.height_px, self.width_px):
                size = f"{rgb.shape[1]}x{rgb.shape[0]}"
                raise DecodeError(
                    f"{path} is {size}, the first picture is {self.width_px}x{self.height_px}.",
                    "Give every picture the same size.",
                )
            channels = np.ascontiguousarray(rgb.transpose(2, 0, 1))[None]
            yield index, Planes(Coding(), torch.from_numpy(channels))

    def _read(self, path: Path) -> NDArray[np.uint8]:
        try:
            picture = _pixels(path)
        except (OSError, ValueError, SyntaxError, zlib.error) as error:
            raise DecodeError(
                f"{path} cannot be read as a picture.", "Make or copy it again."
            ) from error
        return _to_rgb8(picture, path)


def _pixels(path: Path) -> NDArray[np.generic]:
    """The values of a picture as they are stored: [H, W] or [H, W, channels]."""
    try:
        # One file at a time: pims takes a list's length and shape from its first file.
        with pims.ImageSequence([str(path)]) as sequence:
            return np.asarray(sequence[0])
    except ValueError:
        if path.suffix.lower() not in {".tif", ".tiff"}:
            raise
        # What pims reads TIFF with knows no LZW, the commonest compression; Pillow does.
        return np.asarray(imageio.imread(path, plugin="pillow"))


def _to_rgb8(picture: NDArray[np.generic], path: Path) -> NDArray[np.uint8]:
    """Grey, RGB or RGBA of 8 or 16 bits to RGB [H, W, 3] of 8 bits; transparency over black."""
    values: NDArray[np.floating]
    if picture.dtype == np.uint16:
        values = picture.astype(np.float32) / 257
    elif picture.dtype == np.uint8:
        values = picture.astype(np.float32)
    elif picture.dtype == np.bool_:
        values = picture.astype(np.float32) * 255
    else:
        raise DecodeError(
            f"{path} holds {picture.dtype} values.", "Save it with 8 or 16 bits a channel."
        )
    if values.ndim == 2:
        values = np.repeat(values[..., None], 3, axis=2)
    if values.ndim != 3 or values.shape[2] not in {2, 3, 4}:
        raise DecodeError(f"{path} is no single picture.", "Save it as RGB or grey.")
    if values.shape[2] == 4 and path.suffix.lower() in {".jpg", ".jpeg"}:
        raise DecodeError(f"{path} is made for print (CMYK).", "Save it as RGB.")
    if values.shape[2] in {2, 4}:
        values = values[..., :-1] * (values[..., -1:] / np.float32(255))
    if values.shape[2] == 1:
        values = np.repeat(values, 3, axis=2)
    return np.asarray(values.round(), dtype=np.uint8)
