"""Writing frames with their alpha as a folder of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from matting.imaging.delivered_frames import DeliveredFrames, quantise_alpha
from matting.imaging.linear_light import premultiplied_light
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.sample_format import SampleFormat
from matting.media.images.exr import ExrLight, read_exr, write_exr
from matting.media.images.png import decode_png
from matting.media.images.writer import Array, PictureWriter, store_png

RGB_BITS = 16


class _AlphaPictureWriter(PictureWriter):
    """Writes colours and alpha, which are given apart."""

    def write(self, frames: DeliveredFrames, pts: Sequence[int]) -> None:
        """Write pictures.

        Args:
            frames: T of them, their colour R'G'B' of 16 bits.
            pts: T times; pictures have none, they follow each other.
        Raises:
            EncodeError: there are more pictures than names.
            StorageError: a file cannot be written.
        """
        colour = frames.require_colour()
        meant = SampleFormat(RGB_BITS, transfer=colour.sample_format.transfer)
        if colour.sample_format != meant:
            raise ValueError(f"{colour.sample_format} is not R'G'B' of {RGB_BITS} bits")
        parts = (colour.luma_or_rgb, frames.require_alpha())
        arrays = (part.permute(0, 2, 3, 1).numpy() for part in parts)
        for rgb, alpha, _ in zip(*arrays, pts, strict=True):
            self._add([rgb, alpha])


class AlphaPngWriter(_AlphaPictureWriter):
    """Writes a folder of RGBA PNG files of 16 bits, straight."""

    def __init__(self, folder: Path, names: Sequence[str], profile: bytes = b"") -> None:
        """Create `folder`, replacing what was there.

        Args:
            names: the pictures' file names, in order, each once.
            profile: their ICC profile; empty: none.
        Raises:
            StorageError: the folder cannot be written.
        """
        super().__init__(folder, names)
        self._profile = profile

    def _store(self, path: Path, parts: Sequence[Array]) -> Array:
        rgb, alpha = parts
        values = np.concatenate((rgb, _to_16_bits(alpha)), axis=2)
        store_png(path, values, self._profile)
        return values

    def _read(self, path: Path) -> Array:
        return decode_png(path.read_bytes())


class ExrWriter(_AlphaPictureWriter):
    """Writes a folder of RGBA OpenEXR files: half floats, linear light, premultiplied."""

    def __init__(self, folder: Path, names: Sequence[str], light: ExrLight) -> None:
        """Create `folder`, replacing what was there.

        Args:
            names: the pictures' file names, in order, each once.
            light: how code values become light.
        Raises:
            StorageError: the folder cannot be written.
        """
        super().__init__(folder, names)
        self._light = light

    def _store(self, path: Path, parts: Sequence[Array]) -> Array:
        rgb, alpha = parts
        values = premultiplied_light(rgb, alpha, MAX_ALPHA, self._light.curve)
        write_exr(path, values, self._light)
        return values

    def _read(self, path: Path) -> Array:
        return read_exr(path)


def _to_16_bits(alpha: Array) -> Array:
    return np.asarray(quantise_alpha(torch.from_numpy(alpha), RGB_BITS).numpy())
