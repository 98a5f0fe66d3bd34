"""Every error a user can meet, with its exit code.

MattingError                70  base; never raised itself
├── SegmentsFailedError      1  the job ran to its end, but some segments failed
├── InputError               2  an argument or a file that cannot be used
│   └── MediaError           2  a video that cannot be used
│       └── DecodeError      2  a video that is truncated or does not decode correctly
├── MissingError             3  something to install or to download
├── StorageError             4  a full disk, or a place that cannot be written
├── BusyError                5  another run holds the folder
├── EncodeError             70  an encoder refused a frame or failed
├── UnforeseenError         70  a fault of the program
└── MachineError            70  the machine refused: a crash, a hang, no right to shut down
    ├── MachineUnusableError  70  no segment can be matted on this computer at present
    └── OutOfMemoryError    70  too little memory

0 is success, and 130 (as after SIGINT in a shell) an interrupted command.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

RUN_AGAIN = "run the same command again"


class MattingError(Exception):
    """What failed, and what to do about it.

    Args:
        what: what failed, on which file; a plain sentence.
        hint: what to do about it; a plain sentence.
        retry: whether the same command can succeed when it is run again, after what the hint asks
            for; None: as is usual for the class. The advice to do so is not part of the hint.
        details: more lines on what failed, each of which may hold the names of files.
        option: the command line's option that offers a way out, as "--output"; the hint names it.
        if_repeated: what to do if the same happens again; a clause.
    """

    exit_code: ClassVar[int] = 70
    # Whether --shutdown is obeyed: such an error ends a night's work, of which enough is done. Any
    # other is best left on the screen of a computer that stays on.
    allows_shutdown: ClassVar[bool] = False
    usual_retry: ClassVar[bool] = False
    usual_if_repeated: ClassVar[str] = ""

    def __init__(
        self,
        what: str,
        hint: str = "",
        *,
        details: Sequence[str] = (),
        retry: bool | None = None,
        option: str | None = None,
        if_repeated: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.details = tuple(details)
        self.retry = self.usual_retry if retry is None else retry
        self.option = option
        self.if_repeated = if_repeated or self.usual_if_repeated

    def advice(self, again: str = RUN_AGAIN) -> str:
        """Return what to do about it, in one line.

        Args:
            again: how to run the same command again, as a clause; "" leaves that out.
        """
        sentences = [self.hint]
        if self.retry and again:
            first = not self.hint
            sentences.append(f"{again[:1].upper()}{again[1:]}." if first else f"Then {again}.")
        if self.if_repeated:
            sentences.append(f"If it happens again, {self.if_repeated}")
        return " ".join(filter(None, sentences))

    def __str__(self) -> str:
        return "\n".join(filter(None, [self.what, *self.details, self.advice()]))


class SegmentsFailedError(MattingError):
    """The job ran to its end, but some segments failed.

    Attributes:
        failed: why each failed, by its name.
    """

    failed: Mapping[str, MattingError] = MappingProxyType({})
    exit_code = 1
    allows_shutdown = True
    usual_retry = True


class InputError(MattingError):
    """An argument or a file cannot be used."""

    exit_code = 2


class MediaError(InputError):
    """A video cannot be used."""


class DecodeError(MediaError):
    """A video is truncated or does not decode correctly; names the file and the frame."""


class MissingError(MattingError):
    """Something has to be installed or downloaded first."""

    exit_code = 3


class StorageError(MattingError):
    """The disk is full, or the place cannot be written."""

    exit_code = 4
    allows_shutdown = True
    usual_retry = True


class BusyError(MattingError):
    """Another run holds the folder."""

    exit_code = 5
    usual_retry = True


class EncodeError(MattingError):
    """An encoder refused a frame or failed."""

    allows_shutdown = True
    usual_retry = True
    usual_if_repeated = "please report it."


class UnforeseenError(MattingError):
    """A fault of the program."""

    usual_retry = True
    usual_if_repeated = "please report it, with all that is said here."


class MachineError(MattingError):
    """The machine refused: a crash, a hang, no permission to shut it down.

    Attributes:
        segment: the segment that was being worked on; "" if that cannot be told.
    """

    allows_shutdown = True
    usual_retry = True
    segment = ""


class MachineUnusableError(MachineError):
    """No segment can be matted on this computer at present; what is done stays done."""


class OutOfMemoryError(MachineError):
    """There is too little memory."""


DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def storage_error(error: OSError, path: Path) -> StorageError:
    """Return the plain form of what the operating system said when `path` was written."""
    if error.errno in DISK_FULL:
        return StorageError(f"The disk is full: {path} could not be written.", "Free some space.")
    if error.errno in FORBIDDEN:
        return StorageError(
            f"{path} may not be written.",
            "Close programs that hold it, or choose another place with --output.",
            option="--output",
        )
    return StorageError(
        f"{path} could not be written: {error.strerror or error}.",
        "Check that its disk is connected, or choose another place with --output.",
        option="--output",
    )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a StorageError that names `path`."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error
