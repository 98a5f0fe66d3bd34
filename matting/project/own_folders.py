"""Finished folders of pictures: which of them this program made, and how one gets its name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from matting.errors import InputError
from matting.progress import Progress
from matting.project.join_record import JoinRecord
from matting.project.own_files import not_made_here
from matting.project.source_fingerprint import SourceFingerprint
from matting.system import atomic_files
from matting.system.files import read_error, source_or_result_files
from matting.system.fingerprint import Fingerprint, Sha256

# What systems put into a folder by themselves when somebody looks at it.
SYSTEM_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}


def folder_fingerprint(folder: Path) -> SourceFingerprint:
    """Return what a folder is known again by: the names and sizes of all that lies in it.

    Raises:
        InputError: it cannot be read.
    """
    digest, size_bytes = hashlib.sha256(), 0
    try:
        for path in sorted(folder.iterdir()):
            if path.name not in SYSTEM_FILES:
                own_bytes = path.stat().st_size
                size_bytes += own_bytes
                line = f"{path.name}\0{own_bytes}\0{path.is_file()}\n"
                digest.update(line.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise read_error(folder, error) from error
    return SourceFingerprint(folder.name, size_bytes, digest.hexdigest())


class SegmentPictures(NamedTuple):
    """What a folder of pictures holds of one segment: the hash of so many pictures together."""

    sha256: Sha256
    pictures: int


def is_current_folder(
    folder: Path,
    beside: Path,
    record: JoinRecord,
    parts: Sequence[SegmentPictures],
    progress: Progress,
) -> bool:
    """Return whether a folder is intact, and what `record` says would be made again.

    Args:
        beside: the path beside which the record of the one that was made lies.
        parts: what it should hold, in order.
        progress: told how many more pictures have been read.
    Raises:
        InputError: a picture cannot be read.
    """
    earlier = _record(beside)
    if earlier is None or not earlier.has_parts_of(record) or not folder.is_dir():
        return False
    if not earlier.finals or not folder_fingerprint(folder).looks_like(earlier.finals[0]):
        return False
    progress.start(f"Checking {folder.name}", record.frames, "picture")
    try:
        return _holds(source_or_result_files(folder), parts, progress)
    finally:
        progress.finish()


def _holds(pictures: Sequence[Path], parts: Sequence[SegmentPictures], progress: Progress) -> bool:
    for part in parts:
        own, pictures = pictures[: part.pictures], pictures[part.pictures :]
        if Fingerprint.of_pictures(own, progress.alive).sha256 != part.sha256:
            return False
        progress.advance(len(own))
    return not pictures


def require_own_folder(folder: Path, beside: Path) -> None:
    """Refuse to replace a folder that is not as this program made it.

    Args:
        beside: as for `is_current_folder`.
    Raises:
        InputError: names it.
    """
    if not os.path.lexists(folder):
        return
    record = _record(beside)
    if record is None or not folder.is_dir():
        raise not_made_here(folder)
    found = folder_fingerprint(folder)
    if not any(found.looks_like(known) for known in record.finals):
        raise not_made_here(folder)


def publish_own_folder(temporary: Path, folder: Path, beside: Path, record: JoinRecord) -> None:
    """Give a finished folder its name, and note that it is ours.

    Raises:
        StorageError: it cannot be renamed.
    """
    earlier = _record(beside)
    known = replace(record, finals=earlier.finals if earlier else ())
    known.with_final(folder_fingerprint(temporary), folder.name).write(beside)
    atomic_files.publish_folder(temporary, folder)


def _record(beside: Path) -> JoinRecord | None:
    try:
        return JoinRecord.read(beside)
    except InputError:
        return None  # damaged, or another version's
