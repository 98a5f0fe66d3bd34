"""When a video that arrives in a folder is taken: by a clock that the test turns."""

from __future__ import annotations

from pathlib import Path

from matting.project.arrivals import GIVE_UP_SECONDS, RETRY_SECONDS, SETTLE_SECONDS, Arrivals


class Folder:
    """A file that arrives, and what can be told of it.

    Attributes:
        is_written, is_whole: what is said of it.
        looked: how often it was looked into.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_written = False
        self.is_whole = True
        self.looked = 0
        self.arrivals = Arrivals(lambda _: self.is_written, self._look)

    def _look(self, _path: Path) -> bool:
        self.looked += 1
        return self.is_whole

    def grow(self) -> None:
        with self.path.open("ab") as file:
            file.write(b"more")

    def settled(self, now: float) -> bool:
        return self.arrivals.settled([self.path], now) == [self.path]


def test_a_file_is_taken_once_it_grows_no_more(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a.mp4")
    assert not folder.settled(0)  # it is not there
    for now in range(0, 100, 5):
        folder.grow()
        assert not folder.settled(now)
    assert not folder.settled(95 + SETTLE_SECONDS - 1)
    assert folder.looked == 0
    assert folder.settled(95 + SETTLE_SECONDS)


def test_a_file_that_is_open_for_writing_is_not_taken(tmp_path: Path) -> None:
    """Some copies have their full size from the beginning."""
    folder = Folder(tmp_path / "a.mp4")
    folder.grow()
    folder.is_written = True
    assert not any(folder.settled(now) for now in range(0, 1000, 5))
    assert folder.looked == 0
    assert not list(folder.arrivals.given_up(1000))
    folder.is_written = False
    assert folder.settled(1000 + SETTLE_SECONDS)


def test_a_file_that_does_not_decode_at_its_end_is_given_up_until_it_changes(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path / "a.mp4")
    folder.grow()
    folder.is_whole = False
    for now in range(0, int(GIVE_UP_SECONDS), 5):
        assert not folder.settled(now)
        assert not list(folder.arrivals.given_up(now))
    assert 1 < folder.looked <= GIVE_UP_SECONDS / RETRY_SECONDS
    assert list(folder.arrivals.given_up(GIVE_UP_SECONDS)) == [folder.path]
    assert not list(folder.arrivals.given_up(GIVE_UP_SECONDS + 5))
    folder.is_whole = True
    assert not folder.settled(10_000)
    folder.grow()  # the copy goes on
    assert not folder.settled(20_000)
    assert folder.settled(20_000 + SETTLE_SECONDS)
