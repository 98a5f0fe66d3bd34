"""Which files of a folder are pictures, and what a folder of them is known by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matting.durable import READ_AGAIN, FileProof
from matting.errors import InputError
from matting.progress import ignore
from matting.workspace import natural_order

PNG, JPEG, TIFF = {".png"}, {".jpg", ".jpeg"}, {".tif", ".tiff"}
SUFFIXES = PNG | JPEG | TIFF


def image_files(folder: Path) -> list[Path]:
    """The pictures of a folder in natural order: 2 before 10.

    Raises:
        InputError: the folder cannot be read.
    """
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.", READ_AGAIN) from error
    visible = (p for p in found if not p.name.startswith("."))
    return sorted(visible, key=lambda path: (natural_order(path), path.name))  # 1 and 01 differ


def proof_of(path: Path, on_file: Callable[[], None] = ignore) -> FileProof:
    """What a file is known by; or a folder, by all its pictures and their names together.

    Args:
        on_file: told of every picture.
    Raises:
        InputError: something cannot be read.
    """
    if path.is_dir():
        return FileProof.of_all(image_files(path), on_file)
    return FileProof.of(path)


def holds(proof: FileProof, path: Path) -> bool:
    """Whether the file or the folder of pictures `path` is exactly what `proof` was made of."""
    if path.is_dir():
        size = sum(file.stat().st_size for file in image_files(path))
        return size == proof.size_bytes and proof_of(path) == proof
    return proof.holds_for(path)
