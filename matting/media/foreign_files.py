"""Files that anybody may have made are read in a process of its own.

FFmpeg and the readers of pictures can hang, crash or take all memory on a file that was made for
that, or badly. Where that happens there, the file is refused by name, and the program goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from matting.errors import MattingError, MediaError, OutOfMemoryError
from matting.progress import Progress
from matting.system.fingerprint import FileStamp
from matting.system.guarded_calls import (
    GuardedCalls,
    Limits,
    Loss,
    LostCallError,
    UnavailableError,
)
from matting.system.ram import ROOM

# Without a sign of life. The longest films on slow disks take a few seconds to open, the largest
# pictures of 16 bits half a minute on a busy computer.
PATIENCE_SECONDS = 50.0
# While a file is worked on; then it is written to, too. What a slow stick has been given in a
# moment, it may take minutes to store.
WORK_PATIENCE_SECONDS = 300.0
LOSSES = {
    Loss.HUNG: "reading it comes to no end",
    Loss.CRASHED: "reading it crashes the decoder",
    Loss.KILLED: "reading it was ended by the system, as when memory runs out",
    Loss.MEMORY: "reading it takes more memory than there is",
}

A = TypeVar("A")


class ForeignFiles:
    """Opens files in a process of its own, and remembers those that it cannot open there."""

    def __init__(
        self,
        seconds: float = PATIENCE_SECONDS,
        work_seconds: float = WORK_PATIENCE_SECONDS,
    ) -> None:
        self.calls = GuardedCalls()
        self._reading = Limits(seconds)
        self._work = Limits(work_seconds, has_half_the_memory=False)
        self._refused: dict[tuple[Path, FileStamp], Loss] = {}

    def refusal(self, path: Path) -> MediaError | None:
        """Return why `path`, or a file in that folder, cannot be read; None where it is not known.

        Reading it again would take as long again.
        """
        for (refused, _), loss in self._refused.items():
            if path.absolute() in {refused, refused.parent}:
                return _refusal(refused, loss)
        return None

    def read(self, path: Path, read: Callable[[Progress], A]) -> A:
        """Return what `read` returns of the file `path`; raise as it does.

        Raises:
            MediaError: reading it hangs, crashes or takes too much memory.
        """
        known = path.absolute(), FileStamp.of(path)
        if known not in self._refused:
            try:
                return self.calls.call(read, self._reading)
            except UnavailableError:
                return read(Progress())
            except LostCallError as error:
                self._refused[known] = error.loss
        raise _refusal(path, self._refused[known])

    def work(self, path: Path, work: Callable[[Progress], A], progress: Progress) -> A:
        """Return what `work` returns, which reads all of the file `path`; raise as it does.

        Raises:
            MediaError: it hangs or crashes.
            OutOfMemoryError: it takes too much memory.
        """
        try:
            return self.calls.call(work, self._work, progress)
        except UnavailableError:
            return work(progress)
        except LostCallError as error:
            raise self._lost(path, error.loss) from error

    def _lost(self, path: Path, loss: Loss) -> MattingError:
        if loss is Loss.MEMORY:
            return OutOfMemoryError(f"Memory ran out while {path} was being worked on.", ROOM)
        if loss is Loss.KILLED:
            return OutOfMemoryError(
                f"The part of the program that was working on {path} was killed, as the system "
                "does when memory runs out.",
                ROOM,
            )
        if loss is Loss.HUNG:
            what = f"Nothing moved for {self._work.silence_seconds:.0f} seconds while"
        else:
            what = "The decoder or the encoder crashed while"
        return MediaError(
            f"{what} {path} was being worked on.",
            retry=True,
            if_repeated="it is damaged, or made to do harm: make or download it again, or convert "
            "it with a video converter first.",
        )


def _refusal(path: Path, loss: Loss) -> MediaError:
    what = f"{path} cannot be used: {LOSSES[loss]}."
    if loss is Loss.KILLED:  # which need not be the file's fault
        return MediaError(what, ROOM, retry=True)
    return MediaError(what, "It is damaged, or made to do harm. Make or download it again.")


# Each with the process that it was begun in.
_active: list[tuple[int, ForeignFiles]] = []


@contextmanager
def guarded_reading(
    seconds: float = PATIENCE_SECONDS, work_seconds: float = WORK_PATIENCE_SECONDS
) -> Iterator[None]:
    """Let `read_guarded` and `work_guarded` work in a process of its own, in the block.

    Args:
        seconds, work_seconds: how long either may go without a sign of life.
    """
    files = ForeignFiles(seconds, work_seconds)
    with files.calls:
        _active.append((os.getpid(), files))
        try:
            yield
        finally:
            _active.pop()


def start_reading_ahead() -> None:
    """Start that process now: it takes a moment until it is ready."""
    files = _files()
    if files is not None:
        files.calls.start()


def _files() -> ForeignFiles | None:
    """Return what reads for this process; a fork has only its parent's, of no use to it."""
    own = [files for process, files in _active if process == os.getpid()]
    return own[-1] if own else None


def known_refusal(path: Path) -> MediaError | None:
    """Return why `path`, or a file in that folder, cannot be read; None where it is not known."""
    files = _files()
    return files.refusal(path) if files is not None else None


def read_guarded(path: Path, read: Callable[[Progress], A]) -> A:
    """Return what `read` returns of the file `path`, where that is asked for in its own process.

    Args:
        read: picklable; gets a progress to call now and then, as a sign of life.
    Raises:
        MediaError: reading it hangs, crashes or takes too much memory.
    """
    files = _files()
    return files.read(path, read) if files is not None else read(Progress())


def work_guarded(path: Path, work: Callable[[Progress], A], progress: Progress) -> A:
    """Do so for work that goes through all of a file, and may take hours.

    Args:
        work: picklable; gets a progress to tell what is done, and to call now and then, as a sign
            of life. It asks no questions.
        progress: is told the same, in this process.
    Raises:
        MediaError: it hangs or crashes.
        OutOfMemoryError: it takes too much memory.
    """
    files = _files()
    return files.work(path, work, progress) if files is not None else work(progress)
