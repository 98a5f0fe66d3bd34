"""Videos that arrive in a folder: which of them are there to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matting.errors import InputError
from matting.media.video_end import is_whole_at_end
from matting.system.fingerprint import FileStamp
from matting.system.other_writers import is_being_written

SETTLE_SECONDS = 10.0  # without a change; copies over a network pause for some seconds
RETRY_SECONDS = 60.0  # what is no whole video yet is looked at again so much later
# After so long without a change a file is given up, until it changes.
GIVE_UP_SECONDS = 600.0


@dataclass
class _Arrival:
    """A file that has been seen.

    Attributes:
        stamp: as it was last.
        since: since when it has been so.
        look_at: when to look into it next.
        is_told: whether it was given up, until it changes.
    """

    stamp: FileStamp
    since: float
    look_at: float
    is_told: bool = False


class Arrivals:
    """Watches files until they are whole videos."""

    def __init__(
        self,
        is_written: Callable[[Path], bool] = is_being_written,
        is_whole: Callable[[Path], bool] = is_whole_at_end,
    ) -> None:
        """
        Args:
            is_written: whether a file is open for writing, as far as can be told.
            is_whole: whether a file is a video that is there to its end.
        """
        self._is_written = is_written
        self._is_whole = is_whole
        self._seen: dict[Path, _Arrival] = {}

    def settled(self, files: Iterable[Path], now: float) -> list[Path]:
        """Return which of the files are whole videos and grow no more, in their order.

        Args:
            files: all that are there at present.
            now: the time of a clock that only goes forward, in seconds.
        """
        there = {path: stamp for path in files if (stamp := _stamp_of(path)) is not None}
        self._seen = {path: own for path, own in self._seen.items() if path in there}
        whole = []
        for path, stamp in there.items():
            known = self._seen.get(path)
            if known is None or known.stamp != stamp:
                self._seen[path] = _Arrival(stamp, now, now + SETTLE_SECONDS)
            elif now >= known.look_at and not known.is_told:
                if self._is_written(path):  # in full length, as some copies are from the beginning
                    self._seen[path] = _Arrival(stamp, now, now + SETTLE_SECONDS)
                elif self._is_whole(path) and _stamp_of(path) == stamp:
                    whole.append(path)
                else:
                    known.look_at = now + RETRY_SECONDS
        return whole

    def given_up(self, now: float) -> Iterator[Path]:
        """Yield which files are given up now: for long the same, and no whole videos."""
        for path, known in self._seen.items():
            if not known.is_told and now - known.since >= GIVE_UP_SECONDS:
                known.is_told = True
                yield path


def _stamp_of(path: Path) -> FileStamp | None:
    try:
        return FileStamp.of(path)
    except InputError:
        return None  # it has gone in the meantime
