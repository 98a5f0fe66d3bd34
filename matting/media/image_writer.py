"""Writing pictures as a folder of PNG files."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from torch import Tensor

from matting import durable
from matting.errors import EncodeError, writing
from matting.media.check import ignore
from matting.media.door import encoding
from matting.media.picture import Values, bits, decode_png, encode_png, to_16_bits


class ImageWriter:
    """A folder of PNG files being made. Use it in a `with` block; only `finish` makes it whole."""

    def __init__(self, folder: Path, names: Sequence[str], *, depth: int) -> None:
        """Makes `folder`, replacing what was there.

        Args:
            names: the pictures' file names, in order, each once.
            depth: bits a channel, 8 or 16; pictures of 8 become 16 where 16 are wanted.
        Raises:
            StorageError: the folder cannot be written.
        """
        self._folder = folder
        self._names = tuple(names)
        self._depth = depth
        self._checksums: list[tuple[tuple[int, ...], int]] = []
        durable.remove(folder)
        durable.make_folder(folder)

    def __enter__(self) -> ImageWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Every file is closed already."""

    def write(self, pictures: Tensor, pts: Sequence[int]) -> None:
        """Writes pictures.

        Args:
            pictures: RGB [T, 3, H, W] or grey [T, 1, H, W], uint8 or uint16, of the whole range
                of their type, on the CPU.
            pts: T times; pictures have none, they follow each other.
        Raises:
            EncodeError: there are more pictures than names, or they have more bits than asked for.
            StorageError: a file cannot be written.
        """
        arrays = np.asarray(pictures.permute(0, 2, 3, 1).numpy())  # [T, H, W, C]
        for array, _ in zip(arrays, pts, strict=True):
            index = len(self._checksums)
            if index == len(self._names):
                raise EncodeError(f"{self._folder}: more than {index} pictures.")
            self._write(self._folder / self._names[index], array)

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Reads every picture again, compares it, and has it put on the disk.

        Args:
            on_frames: told how many more pictures are checked.
        Raises:
            EncodeError: a picture is missing, or is not what was written.
            StorageError: a file cannot be written.
        """
        if len(self._checksums) != len(self._names):
            raise EncodeError(
                f"{self._folder}: {len(self._checksums)} pictures of {len(self._names)} came."
            )
        found = sorted(path.name for path in self._folder.iterdir())
        if found != sorted(self._names):
            raise EncodeError(f"{self._folder} does not hold the pictures that were written.")
        for name, checksum in zip(self._names, self._checksums, strict=True):
            path = self._folder / name
            try:
                same = _checksum(decode_png(path.read_bytes())) == checksum
            except (OSError, ValueError) as error:
                raise EncodeError(f"{path} came out damaged.") from error
            if not same:
                raise EncodeError(f"{path} is not what was written.")
            durable.flush(path)
            on_frames(1)

    def _write(self, path: Path, values: Values) -> None:
        if bits(values) > self._depth:
            raise EncodeError(f"{path}: {bits(values)} bits do not fit into {self._depth}.")
        if self._depth == 16:
            values = to_16_bits(values)
        with encoding(path):
            content = encode_png(values)
        with writing(path):
            path.write_bytes(content)
        self._checksums.append(_checksum(values))


def _checksum(values: Values) -> tuple[tuple[int, ...], int]:
    """Size and content: [H, W, 1] as [H, W], and the same in either order of bytes."""
    shape = values.shape[:2] if values.shape[-1:] == (1,) else values.shape
    return shape, zlib.crc32(values.tobytes())
