"""Taking over from an older folder of the program what need not be downloaded again: the weights.

Not its `.venv`, which holds its own path in many places and breaks in another: pip takes the same
packages from its cache. Weights are copied only where they are just the published ones.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from installation.errors import STORAGE, UNUSABLE_FOLDER, SetupError

PROGRAM = "inference_custom.py"
BLOCK_BYTES = 1 << 20
# The published weights, as the program has them in matting/inference/published.py: their SHA-256.
WEIGHTS = {
    "rvm_mobilenetv3.pth": "3c7c1d92033f7c38d6577c481d13a195d7d80a159b960f4f3119ac7b534cf4f8",
    "rvm_resnet50.pth": "c191a807251164c073dce5fa408e7a816070d539b882b2a3150330a9fec112ce",
}


def older_folders(root: Path, named: Path | None) -> list[Path]:
    """Return the folders to take over from: the one that was named, and those beside this one.

    Raises:
        SetupError: the one that was named is none of the program.
    """
    if named is not None and not (named / PROGRAM).is_file():
        raise SetupError(
            f"{named} is no folder of this program: it has no {PROGRAM}.",
            "Name the older folder itself, the one that setup.bat is in.",
            UNUSABLE_FOLDER,
        )
    beside: list[Path] = []
    with suppress(OSError):  # it may not be listed; then nothing is offered
        beside = sorted(p for p in root.parent.iterdir() if (p / PROGRAM).is_file())
    folders = [*([named.resolve()] if named else []), *beside]
    return [folder for folder in dict.fromkeys(folders) if folder != root]


def take_over_weights(root: Path, folders: Sequence[Path]) -> list[Path]:
    """Copy the published weights that are missing here; return those that were copied.

    Raises:
        SetupError: the disk is full, or this folder cannot be written.
    """
    taken = []
    for name, sha256 in WEIGHTS.items():
        target = root / name
        if target.exists():
            continue
        for source in (folder / name for folder in folders):
            if _copy_if_published(source, target, sha256):
                taken.append(source)
                break
    return taken


def _copy_if_published(source: Path, target: Path, sha256: str) -> bool:
    """Copy a file if it has this hash, whole or not at all; return whether it had."""
    if _sha256_of(source) != sha256:
        return False
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".partial")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as copy, source.open("rb") as original:
            shutil.copyfileobj(original, copy, BLOCK_BYTES)
            copy.flush()
            os.fsync(copy.fileno())
        if _sha256_of(temporary) != sha256:  # it changed meanwhile
            return False
        shutil.copymode(source, temporary)
        temporary.replace(target)
    except OSError as error:
        raise SetupError(
            f"{source} could not be copied into {target.parent} ({error.strerror}).",
            "Free some space, then start setup again.",
            STORAGE,
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return True


def _sha256_of(path: Path) -> str:
    """Return the hash of a file; "" where it is not there, or not to be read."""
    hasher = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                hasher.update(block)
    except OSError:
        return ""
    return hasher.hexdigest()
