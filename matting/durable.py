"""Files that are either whole or not there: temporary name, flush to disk, rename."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from matting.errors import InputError, writing

PARTIAL = ".partial"
RENAME_PATIENCE_SECONDS = 20.0


def partial(path: Path) -> Path:
    """The temporary name beside `path` under which it is written."""
    return path.with_name(path.name + PARTIAL)


def flush(path: Path) -> None:
    """Has the operating system put the closed file `path` on the disk itself."""
    with writing(path), path.open("rb+") as file:
        os.fsync(file.fileno())


def publish(temporary: Path, path: Path) -> None:
    """Gives a finished, closed file or folder its final name.

    A file already under that name is replaced. On Windows a virus scanner or a player may hold
    either for a moment, so the rename is tried for a while.

    Raises:
        StorageError: the name stayed taken or the place cannot be written.
    """
    if temporary.is_file():
        flush(temporary)
    deadline = time.monotonic() + RENAME_PATIENCE_SECONDS
    with writing(path):
        while True:
            try:
                temporary.replace(path)
                break
            except PermissionError:
                if os.name != "nt" or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        _flush_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Replaces `path` by a UTF-8 file of `text`; after a crash it holds the old text or the new."""
    temporary = partial(path)
    with writing(path):
        temporary.write_text(text, encoding="utf-8", newline="\n")
    publish(temporary, path)


def write_json(path: Path, value: object) -> None:
    """Replaces `path` by `value` as readable JSON."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """What the JSON file `path` holds.

    Raises:
        InputError: it cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read: {error}.",
            "Mend it, or delete it to start this folder anew.",
        ) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def make_folder(path: Path) -> None:
    """Makes `path` and its parents, unless they are there.

    Raises:
        StorageError: it cannot be made.
    """
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)


def _flush_folder(folder: Path) -> None:
    """Puts a rename on the disk; Windows does so by itself and cannot be asked."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
