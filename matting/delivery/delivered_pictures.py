"""The pictures of all segments as one folder: links to them, which take no room on the disk.

Renamed, they would be missing for the next run; copied, they would take as much room again, which
for an hour of large pictures is more than most disks have. Where a disk has no links, or the folder
is to be on another one, they are copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from matting.delivery.room import require_room
from matting.errors import EncodeError, writing
from matting.progress import Progress
from matting.project.join_record import JoinRecord
from matting.project.own_folders import (
    SegmentPictures,
    is_current_folder,
    publish_own_folder,
    require_own_folder,
)
from matting.system import atomic_files
from matting.system.files import visible
from matting.system.temporary_files import create_temporary_folder, sweep


def gather_pictures(
    folders: Mapping[Path, SegmentPictures],
    target: Path,
    beside: Path,
    record: JoinRecord,
    progress: Progress,
) -> bool:
    """Make the folder `target` of the pictures in `folders`; return whether that was needed.

    Args:
        folders: of the segments, in order, and what they hold; no two have a picture of the same
            name.
        beside: the path beside which the record of the folder lies.
        record: of what it is made of.
    Raises:
        InputError: a folder of that name is there which this program did not make.
        EncodeError: pictures are missing.
        StorageError: it cannot be written, or there is no room for copies.
    """
    atomic_files.restore_replaced(target)
    if is_current_folder(target, beside, record, list(folders.values()), progress):
        return False
    require_own_folder(target, beside)
    pictures = [path for folder in folders for path in visible(folder)]
    if len({path.name for path in pictures}) != record.frames:
        raise EncodeError(
            f"{target}: {len(pictures)} pictures are there of {record.frames} frames."
        )
    sweep(target)
    temporary = create_temporary_folder(target)
    progress.start("Gathering pictures", len(pictures), "picture")
    try:
        if not _link(pictures[0], temporary):
            require_room(target.parent, sum(path.stat().st_size for path in pictures))
        for picture in pictures:
            _put(picture, temporary)
            progress.advance(1)
        publish_own_folder(temporary, target, beside, record)
    finally:
        progress.finish()
        atomic_files.discard(temporary)
    return True


def _put(picture: Path, folder: Path) -> None:
    """Put a picture into a folder: as a link, or else as a copy."""
    place = folder / picture.name
    if place.exists() or _link(picture, folder):
        return
    with writing(place):
        shutil.copyfile(picture, place)
    atomic_files.flush(place)


def _link(picture: Path, folder: Path) -> bool:
    """Link a picture into a folder; return whether that can be done."""
    try:
        os.link(picture, folder / picture.name)
    except OSError:  # each file system has its own way to say it; a copy tells what is wrong
        return False
    return True
