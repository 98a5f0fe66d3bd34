"""Names for what is not finished: nobody can foresee them, and what a kill leaves is found again.

In a folder that others can write, a link might lie under a name that can be foreseen, and what it
points to would be overwritten.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from matting.errors import writing

PARTIAL = ".partial"
REPLACED = ".replaced"  # of what another takes the place of
TOKEN_BYTES = 8
MOST_NAME_BYTES = 143  # what all file systems can take, also those that encrypt names
NAME = re.compile(rf"(.+)\.[0-9a-f]{{{2 * TOKEN_BYTES}}}(\.\w+)", re.DOTALL)
# How files are opened: no link is followed. Windows would otherwise change line ends, and let
# children hold the file.
HARMLESS = 0
for _flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"):
    HARMLESS |= getattr(os, _flag, 0)
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | HARMLESS  # it must not be there, not as a link


def temporary_name(path: Path, suffix: str = PARTIAL) -> Path:
    """Return an unused name, beside `path`, for what is to become it; nothing is made."""
    return path.with_name(f"{_stem(path)}.{secrets.token_hex(TOKEN_BYTES)}{suffix}")


def create_temporary(path: Path) -> Path:
    """Create an empty file beside `path`, and return its name.

    Raises:
        StorageError: it cannot be created.
    """
    temporary = temporary_name(path)
    with writing(path):
        os.close(os.open(temporary, NEW_FILE, 0o666))
    return temporary


def create_temporary_folder(path: Path) -> Path:
    """Create an empty folder beside `path`, and return its name.

    Raises:
        StorageError: it cannot be created.
    """
    temporary = temporary_name(path)
    with writing(path):
        temporary.mkdir()
    return temporary


def is_temporary(path: Path, target: Path | None = None, suffix: str = PARTIAL) -> bool:
    """Return whether `path` has a temporary name: of `target`, or of anything."""
    match = NAME.fullmatch(path.name)
    if match is None or match[2] != suffix:
        return False
    return target is None or match[1] == _stem(target)


def replaced_folders(path: Path) -> list[Path]:
    """Return the folders that have been moved aside for another `path`."""
    return [
        folder
        for folder in path.parent.iterdir()
        if is_temporary(folder, path, REPLACED) and folder.is_dir() and not folder.is_symlink()
    ]


def holds_replaced(folder: Path) -> bool:
    """Return whether a folder holds any that has been moved aside for another."""
    return folder.is_dir() and any(is_temporary(p, suffix=REPLACED) for p in folder.iterdir())


def sweep(path: Path) -> None:
    """Remove what an earlier run, which ended early, has left of `path`.

    The caller holds the lock of the job to which `path` belongs. What is a link was not made here
    and stays, and so does what something still holds.
    """
    _sweep(path.parent, path)


def sweep_folder(folder: Path) -> None:
    """Do so for all that was to be written into a job's folder, and into the folders in it."""
    _sweep(folder, None)
    with suppress(OSError):
        for inner in folder.iterdir():
            if inner.is_dir():
                _sweep(inner, None)


def _stem(path: Path) -> str:
    """Return by which a target's temporary names are known: its name, or the hash of a long one."""
    name = os.fsencode(path.name)
    longest = MOST_NAME_BYTES - len(".") - 2 * TOKEN_BYTES - len(REPLACED)
    return path.name if len(name) <= longest else hashlib.sha256(name).hexdigest()[:16]


def _sweep(folder: Path, target: Path | None) -> None:
    with suppress(OSError):
        for path in folder.iterdir():
            if is_temporary(path, target):
                _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        status = path.lstat()
        if getattr(status, "st_reparse_tag", 0):  # a link on Windows
            return
        if stat.S_ISREG(status.st_mode):
            path.unlink()
        elif stat.S_ISDIR(status.st_mode):
            shutil.rmtree(path)
