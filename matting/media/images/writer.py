"""Writing pictures as a folder of files, each read again."""

from __future__ import annotations

import os
import zlib
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matting.errors import EncodeError, writing
from matting.imaging.planes import Planes
from matting.media.container import encoding_to
from matting.media.images.png import Values, bits, decode_png, encode_png
from matting.media.images.still import to_16_bits
from matting.progress import ignore
from matting.system import atomic_files
from matting.system.closing import Closing

# Compressing a large picture takes a second of one core; more threads would wait for the disk.
THREADS = min(8, os.cpu_count() or 1)
# Of what is given, at once: encoding takes some five times as much, 1.3 GB for 8192x4096.
MOST_BYTES = 600_000_000
Checksum = tuple[tuple[int, ...], int]
Array = NDArray[Any]  # the kinds of numbers that pictures hold


class PictureWriter(Closing):
    """Writes a folder of pictures. Use it in a `with` block; only `finish` completes it."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        """Create `folder`, replacing what was there.

        Args:
            names: the pictures' file names, in order, each once.
        Raises:
            StorageError: the folder cannot be written.
        """
        self._folder = folder
        self._names = tuple(names)
        self._count = 0
        self._checksums: list[Checksum] = []
        atomic_files.remove(folder)
        atomic_files.make_folder(folder)
        self._threads = THREADS
        self._pool: ThreadPoolExecutor | None = None
        self._in_flight: deque[Future[Checksum]] = deque()

    def close(self) -> None:
        """End the threads; pictures that none has begun are not written."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    @abstractmethod
    def _store(self, path: Path, parts: Sequence[Array]) -> Array:
        """Write a picture, and return what reading it again has to give.

        Called in several threads at once.

        Args:
            parts: what was added, each [H, W, channels].
        Raises:
            EncodeError: it cannot be encoded.
            StorageError: the file cannot be written.
        """

    @abstractmethod
    def _read(self, path: Path) -> Array:
        """Return a picture that was written; raise OSError or ValueError where it is damaged."""

    def _add(self, parts: Sequence[Array]) -> None:
        """Write the next picture, soon.

        Args:
            parts: what `_store` is given; copied.
        Raises:
            EncodeError: there are more pictures than names; or as `_store`, of an earlier picture.
            StorageError: as `_store`.
        """
        if self._count == len(self._names):
            raise EncodeError(f"{self._folder}: more than {self._count} pictures.")
        if self._pool is None:
            self._threads = threads_for(sum(part.nbytes for part in parts))
            self._pool = ThreadPoolExecutor(self._threads, "pictures")
        if len(self._in_flight) == self._threads:
            self._collect_first()
        path = self._folder / self._names[self._count]
        self._in_flight.append(self._pool.submit(self._sum_up, path, [p.copy() for p in parts]))
        self._count += 1

    def drain(self) -> None:
        """Wait until all pictures so far are in their files.

        Raises:
            EncodeError, StorageError: as for `write`.
        """
        while self._in_flight:
            self._collect_first()

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Read every picture again, compare it with what was written, and flush it to the disk.

        Args:
            on_frames: told how many more pictures have been checked.
        Raises:
            EncodeError: a picture is missing, or is not what was written.
            StorageError: a file cannot be written.
        """
        self.drain()
        if self._count != len(self._names):
            raise EncodeError(f"{self._folder}: {self._count} of {len(self._names)} pictures came.")
        written = sorted(path.name for path in self._folder.iterdir())
        if written != sorted(self._names):
            raise EncodeError(f"{self._folder} does not hold the pictures that were written.")
        paths = (self._folder / name for name in self._names)
        if self._pool is not None:  # else there are none
            for _ in self._pool.map(self._verify, paths, self._checksums):
                on_frames(1)

    def _collect_first(self) -> None:
        self._checksums.append(self._in_flight.popleft().result())

    def _sum_up(self, path: Path, parts: Sequence[Array]) -> Checksum:
        return _checksum(self._store(path, parts))

    def _verify(self, path: Path, checksum: Checksum) -> None:
        """Compare a file with what was written, and flush it to the disk."""
        try:
            same = _checksum(self._read(path)) == checksum
        except (OSError, ValueError) as error:
            raise EncodeError(f"{path} came out damaged.") from error
        if not same:
            raise EncodeError(f"{path} is not what was written.")
        atomic_files.flush(path)


class ImageWriter(PictureWriter):
    """Writes a folder of PNG files. Use it in a `with` block; only `finish` completes it."""

    def __init__(
        self, folder: Path, names: Sequence[str], *, depth: int, profile: bytes = b""
    ) -> None:
        """Create `folder`, replacing what was there.

        Args:
            names: the pictures' file names, in order, each once.
            depth: bits a channel, 8 or 16; pictures of 8 become 16 where 16 are asked for.
            profile: the ICC profile of RGB pictures; empty: none.
        Raises:
            StorageError: the folder cannot be written.
        """
        super().__init__(folder, names)
        self._depth = depth
        self._profile = profile

    def write(self, pictures: Planes, pts: Sequence[int]) -> None:
        """Write pictures.

        Args:
            pictures: T of R'G'B' or grey, of 8 or 16 bits, on the CPU.
            pts: T times; pictures have none, they follow each other.
        Raises:
            EncodeError: there are more pictures than names, or they have more bits than asked for.
            StorageError: a file cannot be written.
        """
        channels_last = pictures.luma_or_rgb.permute(0, 2, 3, 1).numpy()
        for array, _ in zip(channels_last, pts, strict=True):
            self._add([array])

    def _store(self, path: Path, parts: Sequence[Array]) -> Array:
        (values,) = parts
        if bits(values) > self._depth:
            raise EncodeError(f"{path}: {bits(values)} bits do not fit into {self._depth}.")
        if self._depth == 16:
            values = to_16_bits(values)
        store_png(path, values, self._profile)
        return values

    def _read(self, path: Path) -> Array:
        return decode_png(path.read_bytes())


def threads_for(picture_bytes: int) -> int:
    """Return how many pictures of so many bytes to work on at once."""
    return max(1, min(THREADS, MOST_BYTES // max(1, picture_bytes)))


def store_png(path: Path, values: Values, profile: bytes = b"") -> None:
    """Write a picture, as `encode_png` takes it, as `path`, which may end half written.

    Raises:
        EncodeError: it cannot be encoded.
        StorageError: it cannot be written.
    """
    with encoding_to(path):
        content = encode_png(values, profile)
    with writing(path):
        path.write_bytes(content)


def _checksum(values: Array) -> Checksum:
    """Sum up size and content; of [H, W, 1] as of [H, W]."""
    shape = values.shape[:2] if values.shape[-1:] == (1,) else values.shape
    return shape, zlib.crc32(np.ascontiguousarray(values).data)
