"""Which videos a folder holds: what opens as one, and was not made by this program."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matting.errors import InputError, MattingError
from matting.media.probe import probe
from matting.progress import Progress
from matting.project.paths import PLAN_NAME, UNFINISHED, MattedFolder, is_result_name
from matting.system.files import VIDEO_SUFFIXES, visible
from matting.system.invocation import Command, give, named
from matting.system.temporary_files import is_temporary

MOST_ENTRIES = 20_000  # files and folders that are looked at
MOST_LEVELS = 32
NAMED = 5  # how many left out of one reason a message names
# What is no video by its name, and not worth opening: thousands of them lie beside videos.
# fmt: off
OTHER_SUFFIXES = frozenset({
    ".txt", ".md", ".pdf", ".json", ".toml", ".xml", ".html", ".csv", ".log", ".ini", ".lock",
    ".srt", ".ass", ".vtt", ".sub", ".idx", ".nfo", ".lrf", ".thm", ".bat", ".exe", ".lnk", ".url",
    ".zip", ".7z", ".rar", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".exr", ".gif", ".bmp",
    ".webp", ".heic", ".dng", ".arw", ".cr2", ".nef", ".psd", ".svg", ".mp3", ".wav", ".flac",
    ".aac", ".m4a", ".ogg", ".part", ".partial", ".crdownload", ".tmp", ".download", ".db", ".py",
})
# fmt: on
RESULTS = "made by this program"
WORKING_FOLDERS = "working folders of this program"
OWN = {RESULTS, WORKING_FOLDERS}
LINKS = "links to folders"
INNER_FOLDERS = "folders in it, into which only --recursive looks"
TOO_DEEP = "folders too deep inside others"
UNREADABLE = "folders that cannot be read"
SAME = "the same file as another, by a link"
NO_VIDEOS = "no videos, or damaged at their start"


@dataclass
class FoundFiles:
    """What there is in a folder.

    Attributes:
        files: which may be videos, in order.
        left_out: by the reason.
    """

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, list[Path]] = field(default_factory=dict)

    def leave_out(self, reason: str, path: Path) -> None:
        """Note that something is left out."""
        self.left_out.setdefault(reason, []).append(path)

    def notes(self) -> Iterator[str]:
        """Yield what was left out, a sentence for each reason."""
        for reason, paths in self.left_out.items():
            yield from left_out_note(reason, paths)


def left_out_note(reason: str, paths: Sequence[Path]) -> Iterator[str]:
    """Yield the sentence that something is left out, where anything is."""
    if paths:
        if reason in OWN:  # of which there are some for each video
            yield f"Left out ({reason}): {len(paths)}"
            return
        names = ", ".join(path.name for path in paths[:NAMED])
        more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
        yield f"Left out ({reason}): {names}{more}"


def is_working_folder(folder: Path) -> bool:
    """Return whether this program cuts or mattes in a folder."""
    matted = MattedFolder(folder)
    return (
        (folder / PLAN_NAME).is_file()
        or (folder / UNFINISHED).is_dir()
        or (matted.manifest.is_file() and matted.processed.is_file())
    )


def require_no_working_folder(folder: Path) -> None:
    """Refuse a folder in which this program keeps what belongs to one video.

    Raises:
        InputError: names it.
    """
    for own in (folder, folder.parent):
        if is_working_folder(own):
            raise InputError(
                f"{own} is a working folder of this program: what it holds was made of a video.",
                f"{give('that video, or the folder that it is in')} Folders of segments are for "
                f"{named(Command.INFER)}.",
            )


def find_files(folder: Path, *, recursive: bool) -> FoundFiles:
    """Return what may be videos in a folder, by names and places alone; nothing is opened.

    Args:
        recursive: whether to look into the folders in it; links to folders are not followed.
    Raises:
        InputError: it cannot be read, or holds too much.
    """
    found = FoundFiles()
    seen: set[tuple[int, int]] = set()
    count = 0
    for path in _walk(folder, found, recursive=recursive):
        count += 1
        if count > MOST_ENTRIES:
            raise InputError(
                f"{folder} holds more than {MOST_ENTRIES} files: too many to look at each.",
                f"{give('a folder that holds the videos and little else')}",
            )
        if path.suffix.lower() in OTHER_SUFFIXES or is_temporary(path):
            continue
        try:
            status = path.stat()
        except OSError:  # it has gone in the meantime, or is a link to nothing
            continue
        if not stat.S_ISREG(status.st_mode):
            continue
        if is_result_name(path.stem):
            found.leave_out(RESULTS, path)
        elif status.st_ino and (status.st_dev, status.st_ino) in seen:
            found.leave_out(SAME, path)
        elif status.st_size:
            seen.add((status.st_dev, status.st_ino))
            found.files.append(path)
    return found


def find_videos(folder: Path, progress: Progress, *, recursive: bool) -> FoundFiles:
    """Return the videos in a folder: what opens as one.

    Args, Raises: as for `find_files`; and where it is a folder that this program works in.
    """
    require_no_working_folder(folder)
    found = find_files(folder, recursive=recursive)
    files, found.files = found.files, []
    progress.start(f"Looking for videos in {folder.name}", len(files), "file")
    try:
        for path in files:
            if opens_as_video(path):
                found.files.append(path)
            elif path.suffix.lower() in VIDEO_SUFFIXES:
                found.leave_out(NO_VIDEOS, path)
            progress.advance(1)
    finally:
        progress.finish()
    return found


def opens_as_video(path: Path) -> bool:
    """Return whether a file opens as a video; only what it says of itself is read."""
    try:
        probe(path)
    except (MattingError, OSError):  # the latter: it has gone in the meantime
        return False
    return True


def _walk(folder: Path, found: FoundFiles, *, recursive: bool, level: int = 0) -> Iterator[Path]:
    """Yield the entries of a folder, and of those in it, in natural order."""
    try:
        entries = visible(folder)
    except InputError:
        if level == 0:
            raise
        found.leave_out(UNREADABLE, folder)
        return
    inner = []
    for path in entries:
        try:
            status = path.lstat()
        except OSError:
            continue  # it has gone in the meantime
        is_link = _is_link(status)
        if not (path.is_dir() if is_link else stat.S_ISDIR(status.st_mode)):
            yield path
        elif is_link:
            found.leave_out(LINKS, path)
        elif is_working_folder(path):
            found.leave_out(WORKING_FOLDERS, path)
        else:
            inner.append(path)
    for path in inner:
        if not recursive:
            found.leave_out(INNER_FOLDERS, path)
        elif level == MOST_LEVELS:
            found.leave_out(TOO_DEEP, path)
        else:
            yield path
            yield from _walk(path, found, recursive=True, level=level + 1)


def _is_link(status: os.stat_result) -> bool:
    """Return whether it is a link, or on Windows a junction, by which a folder may hold itself."""
    tags = {
        getattr(stat, name, None)
        for name in ("IO_REPARSE_TAG_SYMLINK", "IO_REPARSE_TAG_MOUNT_POINT")
    }
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", None) in tags - {None}
