"""What a source video is known again by."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from matting.project.records import Count, FileName, Ticks
from matting.system.atomic_files import retry_on_sharing_violation
from matting.system.files import read_error
from matting.system.fingerprint import Sha256

END_BYTES = 1 << 20


class SourceFingerprint(Struct, frozen=True):
    """What a source video is known again by: its name and its content.

    Records of earlier versions know only its size and ends.

    Attributes:
        ends_sha256: the hash of its first and its last megabyte.
        start_sha256: the hash of the first `start_bytes` of it.
        content_sha256: the hash of all of it; None where it was not read through.
        modified_ns: when it was last changed. It is not read through again while that is the same.
    """

    name: FileName
    size_bytes: Count
    ends_sha256: Sha256
    start_sha256: Sha256 | None = None
    content_sha256: Sha256 | None = None
    modified_ns: Ticks | None = None

    @classmethod
    def of(cls, video: Path) -> SourceFingerprint:
        """Return what can be told of `video` at once; two megabytes of it are read.

        Raises:
            InputError: it cannot be read.
        """

        def read() -> SourceFingerprint:
            status = video.stat()
            with video.open("rb") as file:
                first = file.read(END_BYTES)
                file.seek(max(0, status.st_size - END_BYTES))
                last = file.read(END_BYTES)
            return cls(
                video.name,
                status.st_size,
                hashlib.sha256(first + last).hexdigest(),
                hashlib.sha256(first[: start_bytes(status.st_size)]).hexdigest(),
                modified_ns=status.st_mtime_ns,
            )

        try:
            return retry_on_sharing_violation(read)
        except OSError as error:
            raise read_error(video, error) from error

    def looks_like(self, other: SourceFingerprint) -> bool:
        """Return whether both have the same name, size and ends."""
        ours = self.name, self.size_bytes, self.ends_sha256
        return ours == (other.name, other.size_bytes, other.ends_sha256)

    def is_same_as(self, other: SourceFingerprint) -> bool:
        """Return whether both are of one content, as far as they tell."""
        contents = {self.content_sha256, other.content_sha256} - {None}
        return self.looks_like(other) and len(contents) < 2

    def begins(self, video: Path) -> bool:
        """Return whether the file `video` begins as this one did, and is no shorter.

        Raises:
            InputError: it cannot be read.
        """
        if video.stat().st_size < self.size_bytes:
            return False
        try:
            with video.open("rb") as file:
                start = file.read(start_bytes(self.size_bytes))
        except OSError as error:
            raise read_error(video, error) from error
        return bool(start) and hashlib.sha256(start).hexdigest() == self.start_sha256


def start_bytes(size_bytes: int) -> int:
    """Return how much of a file of that size has to be at the start of a better copy of it.

    A quarter at most: a file whose middle is damaged, or whose end is missing, has that much.
    """
    return min(END_BYTES, size_bytes // 4)
