"""The folder of a preview that is being made: beside its page, and gone with the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from matting.errors import BusyError, StorageError
from matting.system import atomic_files
from matting.system.file_lock import folder_lock
from matting.system.temporary_files import create_temporary_folder, is_temporary, sweep


@contextmanager
def preview_folder(page: Path) -> Iterator[Path]:
    """Hold an empty folder for as long as a page is being made; remove what killed runs have left.

    Its lock is what tells other runs that this one is at work.

    Args:
        page: the page's file; its folder is there.
    Raises:
        StorageError: it cannot be written.
    """
    _sweep(page)
    folder = create_temporary_folder(page)
    try:
        with folder_lock(folder):
            yield folder
    finally:
        atomic_files.discard(folder)


def _sweep(page: Path) -> None:
    """Remove the folders of runs that were killed, and, where no other run is at work, all else."""
    with suppress(OSError):
        others = [path for path in page.parent.iterdir() if is_temporary(path, page)]
        folders = [path for path in others if path.is_dir() and not path.is_symlink()]
        busy = [folder for folder in folders if not _removed(folder)]
        if not busy:
            sweep(page)  # a page that was being written


def _removed(folder: Path) -> bool:
    """Remove a folder unless a run is at work in it; return whether none is."""
    try:
        with folder_lock(folder):
            pass
    except (BusyError, StorageError):
        return False
    atomic_files.discard(folder)
    return True
