"""A folder that is watched: what arrives in it, and what becomes of it and its queue meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.cli.console import Console
from tests.support.many_videos import Days, Work, many_videos, nothing, put, stand_in


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return stand_in(monkeypatch)


def test_what_arrives_is_taken_when_it_is_there(tmp_path: Path, work: Work) -> None:
    """Also what failed, once it has changed; an idle watch ends well."""
    put(tmp_path, "a.mp4")
    days = Days(
        *(nothing, nothing, lambda: put(tmp_path, "bad.mp4", "b_MATTED.mp4"), nothing, nothing),
        *(nothing, nothing, lambda: (tmp_path / "bad.mp4").write_bytes(b"more"), nothing, nothing),
        *(nothing, nothing, nothing, nothing),
    )
    ending = many_videos(["run", str(tmp_path), "--watch"], days.wait, clock=lambda: days.now)
    assert work.names == ["a.mp4", "bad.mp4", "bad.mp4"]
    assert ending.exit_code == 1
    text = (tmp_path / "queue.txt").read_text(encoding="utf-8")
    assert text.count("\na.mp4") == text.count("\nbad.mp4") == 1


def test_a_watch_ends_well_while_nothing_is_in_progress(tmp_path: Path, work: Work) -> None:
    days = Days(nothing, lambda: put(tmp_path, "a.mp4"), nothing, nothing, nothing)
    words = ["run", str(tmp_path), "--watch"]
    assert many_videos(words, days.wait, clock=lambda: days.now).exit_code == 0
    assert work.names == ["a.mp4"]
    put(tmp_path, "stopped.mp4")
    days = Days(nothing, nothing, nothing, nothing)
    assert many_videos(words, days.wait, clock=lambda: days.now).exit_code == 130


def test_the_queue_is_edited_while_nothing_is_in_progress(tmp_path: Path, work: Work) -> None:
    """What is added is done though nothing arrives, and no edit is lost where something does."""
    put(tmp_path, "a.mp4")
    queue = tmp_path / "queue.txt"

    def add() -> None:
        put(tmp_path, "notes on.mov")
        queue.write_text(queue.read_text("utf-8") + "# mine\nnotes on.mov\n", encoding="utf-8")

    days = Days(
        *(nothing, nothing, nothing, add, lambda: put(tmp_path, "b.mp4")),
        *(nothing, nothing, nothing),
    )
    many_videos(["run", str(tmp_path), "--watch"], days.wait, clock=lambda: days.now)
    assert work.names == ["a.mp4", "notes on.mov", "b.mp4"]
    assert "# mine\n" in queue.read_text("utf-8")


def test_a_queue_that_cannot_be_read_stays_as_it_was_saved(tmp_path: Path, work: Work) -> None:
    """The watch goes on; once it has been deleted, it is written anew."""
    put(tmp_path, "a.mp4")
    queue = tmp_path / "queue.txt"
    said = Said()
    saved = b"caf\xe9.mp4"  # as ANSI
    seen: list[bytes] = []
    days = Days(
        *(nothing, nothing, nothing, lambda: queue.write_bytes(saved)),
        *(lambda: put(tmp_path, "b.mp4"), nothing, nothing, nothing),
        *(lambda: seen.append(queue.read_bytes()), queue.unlink, lambda: put(tmp_path, "c.mp4")),
        *(nothing, nothing, nothing),
    )
    many_videos(["run", str(tmp_path), "--watch"], days.wait, said, clock=lambda: days.now)
    assert work.names == ["a.mp4", "b.mp4", "c.mp4"]
    assert seen == [saved]
    assert sum("UTF-8" in text for text in said.texts) == 1
    assert queue.read_text("utf-8").count("#: done") == 3


def test_a_folder_that_is_gone_is_waited_for_and_named_once(tmp_path: Path, work: Work) -> None:
    there, away = tmp_path / "in", tmp_path / "away"
    there.mkdir()
    put(there, "a.mp4")
    said = Said()
    days = Days(
        *(nothing, nothing, nothing, lambda: there.rename(away), nothing, nothing),
        *(lambda: away.rename(there), lambda: put(there, "b.mp4"), nothing, nothing, nothing),
    )
    many_videos(["run", str(there), "--watch"], days.wait, said, clock=lambda: days.now)
    assert work.names == ["a.mp4", "b.mp4"]
    assert sum(str(there) in text and "waited for" in text for text in said.texts) == 1


class Said(Console):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.texts: list[str] = []

    def say(self, text: str) -> None:
        self.texts.append(text)
