"""Which videos a command is for, by what was given: files, folders, and what arrives in these."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from matting.errors import InputError
from matting.media.foreign_files import guarded_reading
from matting.progress import Progress
from matting.project.arrivals import Arrivals
from matting.project.paths import is_result_name, segments_folder
from matting.project.queue_text import place
from matting.project.video_search import (
    RESULTS,
    WORKING_FOLDERS,
    FoundFiles,
    find_files,
    find_videos,
    is_working_folder,
    require_no_working_folder,
)
from matting.system.files import VIDEO_SUFFIXES


class VideoFinder:
    """Finds the videos of a command."""

    def __init__(
        self,
        given: Sequence[Path],
        *,
        recursive: bool,
        arrivals: Arrivals | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            given: videos, and folders of videos.
            recursive: whether to look into folders inside those.
            clock: the time that has passed, in seconds.
        """
        self._given = given
        self._recursive = recursive
        self._arrivals = arrivals or Arrivals()
        self._clock = clock
        self._folders = [path for path in given if path.is_dir()]
        self._lost: set[Path] = set()

    def find(self, progress: Progress, *, in_folders: bool = True) -> Iterator[Path]:
        """Yield the videos; say what is left out, and why.

        Args:
            in_folders: whether to look into folders; else only files are returned.
        Raises:
            InputError: a folder cannot be read, or is one of this program's.
        """
        left_out = FoundFiles()
        with guarded_reading():
            for path in self._given:
                if path.is_dir():
                    yield from self._in_folder(path, left_out, progress, look=in_folders)
                elif is_result_name(path.stem):
                    left_out.leave_out(RESULTS, path)
                else:
                    yield path
        for note in left_out.notes():
            progress.say(note)

    def _in_folder(
        self, folder: Path, left_out: FoundFiles, progress: Progress, *, look: bool
    ) -> Sequence[Path]:
        if len(self._given) > 1 and is_working_folder(folder):  # everything there was was dropped
            left_out.leave_out(WORKING_FOLDERS, folder)
            return ()
        require_no_working_folder(folder)
        if not look:
            return ()
        found = find_videos(folder, progress, recursive=self._recursive)
        for note in found.notes():
            progress.say(note)
        return found.files

    def arrived(self, new_of: Callable[[list[Path]], list[Path]], progress: Progress) -> list[Path]:
        """Return which new files in the folders are whole videos by now.

        Args:
            new_of: returns which of the files are to be looked at.
        """
        files = [path for folder in self._folders for path in self._files_in(folder, progress)]
        now = self._clock()
        with guarded_reading():
            settled = self._arrivals.settled(new_of(files), now)
        for path in self._arrivals.given_up(now):
            if path.suffix.lower() in VIDEO_SUFFIXES:
                progress.say(f"Left out (no whole video, and unchanged for long): {path.name}")
        return settled

    def _files_in(self, folder: Path, progress: Progress) -> Sequence[Path]:
        """Return what may be videos in a folder; none while it is away, as network drives are."""
        try:
            files = find_files(folder, recursive=self._recursive).files
        except InputError as error:
            if folder not in self._lost:
                progress.say(f"{error.what} It is waited for.")
            self._lost.add(folder)
            return ()
        self._lost.discard(folder)
        return files


def clashes(videos: Collection[Path], output: Path | None) -> dict[Path, Path]:
    """Return which videos would have the working folders of others, and of which.

    Args:
        output: where results go instead of beside the videos.
    """
    first: dict[str, Path] = {}
    clashing = {}
    for video in videos:
        other = first.setdefault(place(segments_folder(video, output)), video)
        if other != video:
            clashing[video] = other
    return clashing


def clash_reason(video: Path, other: Path) -> str:
    """Return why a video cannot be done, whose working folders would be those of another."""
    named = other if other.name == video.name else other.name
    return f"its results would have the names of those of {named}. Give one of them another name."
