"""A source video while it is read: whether it is what it was, and stays so until the end.

A video may still be recorded, copied or downloaded, and another may be put in its place.
"""

from __future__ import annotations

import time
from contextlib import closing
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from matting.errors import InputError, MediaError
from matting.progress import Progress, Relay
from matting.project.source_fingerprint import SourceFingerprint
from matting.system import files
from matting.system.background_hash import BackgroundHash
from matting.system.closing import Closing
from matting.system.fingerprint import FileStamp
from matting.system.other_writers import is_being_written

LOOK_SECONDS = 5.0  # from one look at the source to the next, during a task


class SourceWatch(Closing):
    """Watches a source video from now on. Use it in a `with` block.

    Where the block ends with a MediaError and the video was changed meanwhile, that is raised
    instead: what is half written has no sensible errors of its own.

    Raises:
        MediaError: another program is writing it.
        InputError: it cannot be read.
    """

    def __init__(self, video: Path) -> None:
        self.video = video
        self._require_finished()
        self._stamp = FileStamp.of(video)
        self._looks = SourceFingerprint.of(video)
        self._hash: BackgroundHash | None = None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with closing(self):
            if isinstance(error, MediaError):
                self.require_unchanged()

    def close(self) -> None:
        """End the reading."""
        if self._hash is not None:
            self._hash.close()

    def read_through(self) -> BackgroundHash:
        """Begin to hash all of it, beside whoever reads it now: the disk is read once for both."""
        if self._hash is None:
            self._hash = BackgroundHash(self.video)
        return self._hash

    @cached_property
    def fingerprint(self) -> SourceFingerprint:
        """Of all its content; waits until that has been read.

        Raises:
            InputError: it cannot be read.
        """
        return replace(self._looks, content_sha256=self.read_through().result())

    def looks_like(self, earlier: SourceFingerprint) -> bool:
        """Return whether it has the name, size and ends of the video `earlier` was taken of."""
        return self._looks.looks_like(earlier)

    def is_still(self, earlier: SourceFingerprint) -> bool:
        """Return whether this is the video that `earlier` was taken of.

        It is read through only if it was changed since then.

        Raises:
            InputError: it cannot be read.
        """
        if not self.looks_like(earlier):
            return False
        if earlier.content_sha256 is None or self._looks.modified_ns == earlier.modified_ns:
            return True
        return self.fingerprint.is_same_as(earlier)

    def is_better_copy(self, earlier: SourceFingerprint) -> bool:
        """Return whether it has the name, the start and at least the size of a damaged one."""
        return earlier.name == self.video.name and earlier.begins(self.video)

    def has_new_stamp(self) -> bool:
        """Return whether it seems to have been changed since the watch began; quickly told.

        Raises:
            InputError: it cannot be looked at.
        """
        return FileStamp.of(self.video) != self._stamp

    def require_unchanged(self) -> None:
        """Refuse what has been read, if it may be of two contents.

        Raises:
            MediaError: it was changed since the watch began, or another program is writing it.
        """
        self._require_finished()
        now = FileStamp.of(self.video)
        if now == self._stamp:
            return
        size_bytes = self.video.stat().st_size
        if size_bytes > self._looks.size_bytes and self._looks.begins(self.video):
            raise still_written(self.video)
        # Touched or marked by a backup once it has been read through, a video is the same. Before
        # that, others may have read one content and the hash another.
        unhashed = self._hash is None or self._hash.stamp() != self._stamp
        if (
            unhashed
            or size_bytes != self._looks.size_bytes
            or self.fingerprint.content_sha256 != files.sha256(self.video)
        ):
            raise MediaError(f"{self.video} was changed while it was being read.", retry=True)
        self._stamp = now

    def _require_finished(self) -> None:
        if is_being_written(self.video):
            raise still_written(self.video)


class CheckedTasks(Relay):
    """Passes on the progress of reading a source, as long as that is unchanged.

    Tasks take hours, and find damage in what has only half arrived.
    """

    def __init__(self, progress: Progress, source: SourceWatch) -> None:
        super().__init__(progress)
        self._source = source
        self._looked = time.monotonic()

    def advance(self, units: int) -> None:
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            if self._source.has_new_stamp():
                self._source.require_unchanged()
            self._looked = time.monotonic()
        super().advance(units)

    def start(self, title: str, total: int, unit: str, segments: int = 0) -> None:
        self._source.require_unchanged()
        super().start(title, total, unit, segments)


def still_written(video: Path) -> MediaError:
    """Return the error for a video that is not finished."""
    return MediaError(
        f"{video} is still being written by another program.",
        "Wait until it is completely recorded, copied or downloaded, or close that program.",
        retry=True,
    )


def require_source_unchanged(folder: Path, earlier: SourceFingerprint, progress: Progress) -> None:
    """Refuse to go on with what was cut from a video that has become another since.

    Args:
        folder: the place of the segments, beside which the video is looked for. Where it is not
            there, nothing is said: it is not needed yet.
    Raises:
        InputError: it is there, and has another content or cannot be read.
    """
    video = folder / earlier.name
    if not video.is_file():
        return
    now = SourceFingerprint.of(video)
    if now.looks_like(earlier):
        if earlier.content_sha256 is None or now.modified_ns == earlier.modified_ns:
            return
        progress.start(f"Reading {video.name}, whose date has changed", now.size_bytes, "B")
        try:
            if files.sha256(video, progress.advance) == earlier.content_sha256:
                return
        finally:
            progress.finish()
    raise InputError(
        f"{video} has changed since it was cut.",
        "Cut it anew, with --overwrite; or put back the video that was cut. To go on with what was "
        "cut all the same, move this one elsewhere.",
        option="--overwrite",
    )
