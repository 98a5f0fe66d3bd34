"""Files that anybody may have made are first opened in a process of its own.

FFmpeg and the readers of pictures can hang, crash or take all memory on a file that was made for
that, or badly. Where that happens there, the file is refused by name, and the program goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from matting.errors import MediaError
from matting.progress import ignore
from matting.system.fingerprint import FileStamp
from matting.system.guarded_calls import Alive, GuardedCalls, Loss, LostCallError, UnavailableError

# Without a sign of life. The longest films on slow disks take a few seconds to open, the largest
# pictures of 16 bits half a minute on a busy computer.
PATIENCE_SECONDS = 50.0
LOSSES = {
    Loss.HUNG: "reading it comes to no end",
    Loss.CRASHED: "reading it crashes the decoder",
    Loss.MEMORY: "reading it takes more memory than there is",
}

A = TypeVar("A")


class ForeignFiles:
    """Opens files in a process of its own, and remembers those that it cannot open there."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self.calls = GuardedCalls(seconds)
        self._refused: dict[tuple[Path, FileStamp], str] = {}

    def refusal(self, path: Path) -> MediaError | None:
        """Return why `path`, or a file in that folder, cannot be read; None where it is not known.

        Reading it again would take as long again.
        """
        for (refused, _), why in self._refused.items():
            if path.absolute() in {refused, refused.parent}:
                return _error(refused, why)
        return None

    def read(self, path: Path, read: Callable[[Alive], A]) -> A:
        """Return what `read` returns of the file `path`; raise as it does.

        Raises:
            MediaError: reading it hangs, crashes or takes too much memory.
        """
        known = path.absolute(), FileStamp.of(path)
        if known not in self._refused:
            try:
                return self.calls.call(read)
            except UnavailableError:
                return read(ignore)
            except LostCallError as error:
                self._refused[known] = LOSSES[error.loss]
        raise _error(path, self._refused[known])


def _error(path: Path, why: str) -> MediaError:
    return MediaError(
        f"{path} cannot be used: {why}.",
        "It is damaged, or made to do harm. Make or download it again.",
    )


_active: list[ForeignFiles] = []


@contextmanager
def guarded_reading(seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Let `read_guarded` read in a process of its own, in the block."""
    files = ForeignFiles(seconds)
    with files.calls:
        files.calls.start()
        _active.append(files)
        try:
            yield
        finally:
            _active.remove(files)


def known_refusal(path: Path) -> MediaError | None:
    """Return why `path`, or a file in that folder, cannot be read; None where it is not known."""
    return _active[-1].refusal(path) if _active else None


def read_guarded(path: Path, read: Callable[[Alive], A]) -> A:
    """Return what `read` returns of the file `path`, where that is asked for in its own process.

    Args:
        read: picklable; gets a function to call now and then, as a sign of life.
    Raises:
        MediaError: reading it hangs, crashes or takes too much memory.
    """
    return _active[-1].read(path, read) if _active else read(ignore)
