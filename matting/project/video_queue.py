"""The queue of a run of many videos, and its file beside them, which people may edit meanwhile.

What is done is known by each video's own job. The file says in which order they come, and what came
of them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from matting.errors import InputError, MattingError, StorageError
from matting.progress import Progress
from matting.project.paths import QUEUE_NAME
from matting.project.queue_text import MOST_BYTES, MOST_VIDEOS, SIGN, QueueText, place
from matting.system import atomic_files
from matting.system.file_lock import folder_lock
from matting.system.files import read_error
from matting.system.temporary_files import HARMLESS, sweep

READ_ONLY = os.O_RDONLY | HARMLESS | getattr(os, "O_NONBLOCK", 0)


class VideoQueue:
    """The videos of a run, in the order of work.

    Attributes:
        path: the file; None: there is none.
    """

    def __init__(self, path: Path | None, progress: Progress, *, is_given: bool) -> None:
        """
        Args:
            is_given: whether the file itself was given. Else it was found beside what was given,
                and anybody may have made it: then it names no videos elsewhere.
        Raises:
            InputError: the file is there, and is no queue of videos.
        """
        self.path = path
        self._progress = progress
        self._is_given = is_given
        self._text = QueueText.new(path.parent if path else Path())
        self._content = b""  # of the file when it was last read or written
        self._is_damaged = False
        self._given: set[str] = set()
        self._outcomes: dict[str, tuple[Path, str]] = {}  # of this run
        self._unsaved: list[Path] = []  # listed here, and not in the file yet
        if path is not None and os.path.lexists(path):
            self._content = read_queue_file(path)
            self._text = QueueText.parse(self._content, path)
            if not is_given and not self._content.decode().lstrip("\ufeff").startswith(SIGN):
                raise InputError(
                    f"{path} is in the way: it is no queue that this program made.",
                    "Give it another name; or, if it lists your videos, give it in their place.",
                    retry=True,
                )

    def add(self, videos: Iterable[Path]) -> list[Path]:
        """List videos that are not listed yet; return those that somebody has taken out before.

        Raises:
            InputError: there are too many.
        """
        videos = list(videos)
        self._read_again()
        listed = {place(video) for video in self._text.videos}
        taken_out = []
        for video in videos:
            self._given.add(place(video))
            if place(video) in listed:
                continue
            if self._text.hash_of(video) in self._text.known:
                taken_out.append(video)
                continue
            if len(listed) == MOST_VIDEOS:
                raise InputError(f"More than {MOST_VIDEOS} videos are too many.", "Give fewer.")
            self._text.append(video)
            self._unsaved.append(video)
            listed.add(place(video))
        return taken_out

    def arrive(self, videos: Collection[Path]) -> None:
        """List videos that have come, or have changed since they failed, to be done in this run.

        Raises:
            InputError: there are too many.
        """
        for video in videos:
            self._outcomes.pop(place(video), None)
        self.add(videos)
        self._save_if_possible()

    def save(self) -> None:
        """Write the file, if there is one, where that would change it.

        Raises:
            StorageError: it cannot be written.
        """
        content = self._text.render()
        if self.path is None or self._is_damaged or content == self._content:
            return
        atomic_files.write_bytes(self.path, content)
        self._content = content
        self._unsaved.clear()

    def next(self) -> Path | None:
        """Return the next video, by the file as it is now; None: there is none left."""
        self._read_again()
        left = (video for video in self._text.videos if place(video) not in self._outcomes)
        return next(filter(self._may_be_done, left), None)

    def record(self, video: Path, outcome: str) -> None:
        """Note what came of a video, in a clause that begins with "done" or "failed"."""
        self._outcomes[place(video)] = video, outcome
        self._read_again()
        self._save_if_possible()

    def outcome_of(self, video: Path) -> str:
        """Return what the file says that came of a video; "": nothing yet."""
        return self._text.outcome_of(video)

    def was_done(self, video: Path) -> bool:
        """Return whether the file says that a video was done."""
        return self.outcome_of(video).startswith("done")

    def videos(self) -> list[Path]:
        """Return the videos that are listed, in order."""
        return [video for video in self._text.videos if self._may_be_done(video)]

    @property
    def leading_out(self) -> list[Path]:
        """Lines that are not followed, for they lead out of the queue's folder."""
        return [video for video in self._text.videos if not self._may_be_done(video)]

    def unlisted(self, videos: Iterable[Path]) -> list[Path]:
        """Return which videos are not listed, and never were."""
        known = self._text.known | {self._text.hash_of(own) for own in self._text.videos}
        return [video for video in videos if self._text.hash_of(video) not in known]

    def _may_be_done(self, video: Path) -> bool:
        if self._is_given or self.path is None or place(video) in self._given:
            return True
        folder = self.path.parent
        if not video.is_relative_to(folder):
            return False
        try:  # a link in the folder may lead out of it
            return video.resolve().is_relative_to(folder.resolve())
        except (OSError, RuntimeError):  # the latter: links in a circle, up to Python 3.12
            return False

    def _save_if_possible(self) -> None:
        try:
            self.save()
        except StorageError as error:  # the work goes on without; the next time it is tried again
            self._progress.say(str(error))

    def _read_again(self) -> None:
        """Take over what somebody has changed in the file."""
        if self.path is not None and os.path.lexists(self.path):
            try:
                content = read_queue_file(self.path)
                if content != self._content:
                    self._take_over(QueueText.parse(content, self.path))
                    self._content = content
                self._is_damaged = False
            except MattingError as error:
                if not self._is_damaged:
                    self._progress.say(f"{error} Until then the queue stays as it was.")
                self._is_damaged = True
        else:  # it is written anew with the next outcome
            self._content, self._is_damaged = b"", False
        for video, outcome in self._outcomes.values():
            self._text.set_outcome(video, outcome)

    def _take_over(self, text: QueueText) -> None:
        """Go on with what the file holds now, and with what it could not be told yet."""
        unsaved = set(map(place, self._unsaved))
        listed = (video for video in self._text.videos if place(video) not in unsaved)
        text.known |= self._text.known | set(map(self._text.hash_of, listed))
        there = set(map(place, text.videos))
        for video in self._unsaved:
            if place(video) not in there:
                text.append(video)
        self._text = text


@contextmanager
def held_queue(path: Path | None, progress: Progress, *, is_given: bool) -> Iterator[VideoQueue]:
    """Open a queue, and keep other runs from it until the end of the block.

    Args:
        path, is_given: as for `VideoQueue`.
    Raises:
        InputError: as `VideoQueue`.
        BusyError: another run works on it.
        StorageError: its folder cannot be written.
    """
    if path is None:
        yield VideoQueue(None, progress, is_given=False)
        return
    lock = path.with_name(f".{path.name}.lock")
    try:
        with folder_lock(path.parent, lock.name, warn=progress.say):
            sweep(path)
            try:
                yield VideoQueue(path, progress, is_given=is_given)
            finally:
                if os.name != "nt":
                    _remove(lock)
    finally:
        if os.name == "nt":  # where nobody can remove one that is held
            _remove(lock)


def _remove(lock: Path) -> None:
    """Remove a lock file: among somebody's videos, nothing stays but the queue."""
    with suppress(OSError):
        lock.unlink(missing_ok=True)


def read_queue_file(path: Path) -> bytes:
    """Return what a queue's file holds, up to a little more than any queue.

    Raises:
        InputError: it is a link, no file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise InputError(
                f"{path} is a link, or no file: it is not followed.",
                "Move it elsewhere.",
                retry=True,
            )
        descriptor = atomic_files.retry_on_sharing_violation(lambda: os.open(path, READ_ONLY))
        with open(descriptor, "rb") as file:  # noqa: PTH123 - of a descriptor
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise read_error(path, error) from error


def queue_place(given: Path | None, paths: Collection[Path], output: Path | None) -> Path:
    """Return where the file of a queue is: what was given, or beside the first of the videos.

    Args:
        paths: the videos, and folders of videos.
        output: where results go, if that is not beside the videos.
    """
    if given is not None:
        return given
    first = next(iter(paths))
    return (output or (first if first.is_dir() else first.parent)) / QUEUE_NAME
