"""What a file, or a folder of pictures, is known again by: its size and the hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from matting.progress import ignore
from matting.system.files import read_error, sha256, source_or_result_files

SizeBytes = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Fingerprint(Struct, frozen=True):
    """The size and the SHA-256 of a content."""

    size_bytes: SizeBytes
    sha256: Sha256

    @classmethod
    def of(cls, path: Path, alive: Callable[[], None] = ignore) -> Fingerprint:
        """Return the fingerprint of a file; of a folder, that of all its pictures together.

        Args:
            alive: called again and again meanwhile.
        Raises:
            InputError: something cannot be read.
        """
        if path.is_dir():
            return cls.of_pictures(source_or_result_files(path), alive)
        return _of_file(path, alive)

    @classmethod
    def of_pictures(cls, pictures: Iterable[Path], alive: Callable[[], None]) -> Fingerprint:
        """Return one fingerprint of pictures' names, contents and order.

        Args, Raises: as `of`.
        """
        digest = hashlib.sha256()
        size_bytes = 0
        for picture in pictures:
            own = _of_file(picture, alive)
            digest.update(f"{picture.name}\0{own.sha256}\n".encode("utf-8", "surrogateescape"))
            size_bytes += own.size_bytes
        return cls(size_bytes, digest.hexdigest())

    def has_size_of(self, path: Path) -> bool:
        """Return whether the file or the folder `path` is there, and of this size."""
        if path.is_file():
            return path.stat().st_size == self.size_bytes
        return path.is_dir() and self.size_bytes == sum(
            picture.stat().st_size for picture in source_or_result_files(path)
        )

    def matches(self, path: Path) -> bool:
        """Return whether the file or the folder `path` is there with exactly this content."""
        return self.has_size_of(path) and Fingerprint.of(path) == self


def _of_file(path: Path, alive: Callable[[], None]) -> Fingerprint:
    digest = sha256(path, lambda _: alive())
    try:
        return Fingerprint(path.stat().st_size, digest)
    except OSError as error:
        raise read_error(path, error) from error


@dataclass(frozen=True)
class FileStamp:
    """Size and times of change of a file, or of the pictures of a folder.

    Writing to a file leaves it with another stamp, and so does putting another in its place. Taking
    one reads no content: by stamps a change is noticed first; a fingerprint is the proof.

    Attributes:
        files: name, size in bytes, and in nanoseconds the times of the last change: that of the
            content, which programs can set at will, and the system's own (on Windows, that at
            which the file was made).
    """

    files: tuple[tuple[str, int, int, int], ...]

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """Return the stamp of a file, or of a folder's pictures.

        Raises:
            InputError: it is not there, or cannot be looked at.
        """
        paths = source_or_result_files(path) if path.is_dir() else [path]
        try:
            statuses = [(file.name, file.stat()) for file in paths]
        except OSError as error:
            raise read_error(path, error) from error
        return cls(tuple((name, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, s in statuses))


@dataclass(frozen=True)
class StampedFingerprint:
    """The fingerprint of a file, and the stamp that it had before it was read."""

    fingerprint: Fingerprint
    stamp: FileStamp

    @classmethod
    def of(cls, path: Path) -> StampedFingerprint:
        """Read a file.

        Raises:
            InputError: it cannot be read.
        """
        stamp = FileStamp.of(path)
        return cls(Fingerprint.of(path), stamp)

    def is_still_of(self, path: Path) -> bool:
        """Return whether the file has not been written to since, by its stamp.

        Raises:
            InputError: it cannot be looked at.
        """
        return FileStamp.of(path) == self.stamp
