"""Which files of a folder are pictures, and what a folder of them is known by."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matting.errors import InputError
from matting.progress import ignore
from matting.system.atomic_files import retry_on_sharing_violation

PNG, JPEG, TIFF = {".png"}, {".jpg", ".jpeg"}, {".tif", ".tiff"}
SUFFIXES = PNG | JPEG | TIFF


def unreadable(path: Path, error: OSError) -> InputError:
    """Return the plain form of what the operating system said when `path` was read."""
    return InputError(
        f"{path} cannot be read: {error.strerror}.",
        "Check that its disk is connected and that no other program holds it.",
        retry=True,
    )


def image_files(folder: Path) -> list[Path]:
    """The pictures of a folder in natural order: 2 before 10.

    Raises:
        InputError: the folder cannot be read.
    """
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
    except OSError as error:
        raise unreadable(folder, error) from error
    visible = (p for p in found if not p.name.startswith("."))
    return sorted(visible, key=lambda path: (natural_order(path), path.name))  # 1 and 01 differ


def fingerprint_of(path: Path, on_file: Callable[[], None] = ignore) -> Fingerprint:
    """What a file is known by; or a folder, by all its pictures and their names together.

    Args:
        on_file: told of every picture.
    Raises:
        InputError: something cannot be read.
    """
    if path.is_dir():
        return Fingerprint.of_all(image_files(path), on_file)
    return Fingerprint.of(path)


def holds(proof: Fingerprint, path: Path) -> bool:
    """Whether the file or the folder of pictures `path` is exactly what `proof` was made of."""
    if path.is_dir():
        size = sum(file.stat().st_size for file in image_files(path))
        return size == proof.size_bytes and fingerprint_of(path) == proof
    return proof.holds_for(path)


def natural_order(path: Path) -> list[str | int]:
    """A sort key by a path's last name, in which runs of digits count as numbers: 2 before 10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def free_disk_bytes(folder: Path) -> int | None:
    """What is free on the disk that a folder is on; None: that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:  # some network drives do not tell
        return None


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, as 64 hexadecimal digits.

    Raises:
        InputError: it cannot be read.
    """
    digest = hashlib.sha256()

    def read() -> None:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)

    try:
        retry_on_sharing_violation(read)
    except OSError as error:
        raise unreadable(path, error) from error
    return digest.hexdigest()


@dataclass(frozen=True)
class Fingerprint:
    """By what a file is known again."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        digest = sha256(path)
        try:
            return cls(path.stat().st_size, digest)
        except OSError as error:
            raise unreadable(path, error) from error

    @classmethod
    def of_all(cls, files: Sequence[Path], on_file: Callable[[], None]) -> Fingerprint:
        """That of several files of one folder together: their names, contents and order.

        Args:
            on_file: told of each.
        """
        digest = hashlib.sha256()
        size = 0
        for file in files:
            proof = cls.of(file)
            digest.update(f"{file.name}\0{proof.sha256}\n".encode("utf-8", "surrogateescape"))
            size += proof.size_bytes
            on_file()
        return cls(size, digest.hexdigest())

    def holds_for(self, path: Path) -> bool:
        """Whether `path` is there with exactly this content."""
        if not path.is_file() or path.stat().st_size != self.size_bytes:
            return False
        return sha256(path) == self.sha256
