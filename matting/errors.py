"""Every error a user can meet, each with its exit code.

MattingError                 1  base; never raised itself
├── SegmentsFailedError      1  the job went through, some segments did not
├── EncodeError              1  the encoder refused a picture or broke off
├── UnforeseenError          1  a fault of the program, in the middle of others' work
├── MachineError             1  the machine refused: a crash, a standstill, no right to switch off
│   └── OutOfMemoryError     1  too little memory
├── InputError               2  an argument or a file that cannot be used
│   └── MediaError           2  a video that cannot be used
│       └── DecodeError      2  a video that breaks off or decodes wrongly
├── MissingError             3  something to install or to download
├── StorageError             4  a disk that is full, or a place that cannot be written
└── BusyError                5  another run holds the folder
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar


class MattingError(Exception):
    """What failed, and what to do about it.

    Args:
        what: one plain sentence: what failed, on which file.
        hint: one plain sentence: what to do next.
    """

    exit_code: ClassVar[int] = 1
    usual_hint: ClassVar[str] = ""  # where no other is given

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint or self.usual_hint

    def __str__(self) -> str:
        return f"{self.what}\n{self.hint}" if self.hint else self.what


class SegmentsFailedError(MattingError):
    """The job went through to its end, but some segments failed."""


class EncodeError(MattingError):
    """The encoder refused a picture or broke off."""

    usual_hint = "Run the same command again. If it happens again, please report it."


class UnforeseenError(MattingError):
    """A fault of the program in one segment; the others are done."""


class MachineError(MattingError):
    """The machine refused: a crash, a standstill, no permission to switch it off.

    Attributes:
        segment: the one whose work it was; empty where that cannot be told.
    """

    segment = ""


class OutOfMemoryError(MachineError):
    """There is too little memory."""


class InputError(MattingError):
    """An argument or a file that cannot be used."""

    exit_code = 2


class MediaError(InputError):
    """A video that cannot be used."""


class DecodeError(MediaError):
    """A video that breaks off or decodes wrongly; names the file and the frame."""


class MissingError(MattingError):
    """Something has to be installed or downloaded first."""

    exit_code = 3


class StorageError(MattingError):
    """The disk is full, or the place cannot be written."""

    exit_code = 4


class BusyError(MattingError):
    """Another run holds the folder."""

    exit_code = 5


FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def storage_error(error: OSError, path: Path) -> StorageError:
    """The plain form of what the operating system said when `path` was written."""
    if error.errno in FULL:
        return StorageError(
            f"The disk is full: {path} could not be written.",
            "Free some space, then run the same command again: it goes on where it stopped.",
        )
    if error.errno in FORBIDDEN:
        return StorageError(
            f"{path} may not be written.",
            "Close programs that hold it, or choose another place with --output.",
        )
    return StorageError(
        f"{path} could not be written: {error.strerror or error}.",
        "Check that its disk is connected, or choose another place with --output.",
    )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError of the block into a StorageError that names `path`."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error
