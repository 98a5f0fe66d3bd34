"""What `preview` asks at its end, and of whom: nobody who is not there, or wants quiet."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

import matting.preview
from matting.cli import preview_command
from matting.cli.console import Console
from matting.cli.parser import parse
from matting.cli.preview_command import preview_and_choose
from matting.report.preview_page import PreviewPage, SettingRow


class Reader(Console):
    """Somebody at a console who answers in turn."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[str] = []

    def ask(self, question: str) -> str | None:
        self.asked.append(question)
        return self.answers.pop(0) if self.answers else None


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """Return what is opened and chosen; the page itself is not made."""
    happened: list[object] = []
    rows = [SettingRow(name, 0.4, "", "") for name in ("one", "two")]
    page = PreviewPage(tmp_path / "page.html", "clip.mp4", "", "", rows)
    monkeypatch.setattr(matting.preview, "preview", lambda *_: page)
    monkeypatch.setattr(matting.preview, "choose", lambda _, number, *__: happened.append(number))
    monkeypatch.setattr(webbrowser, "open", happened.append)
    monkeypatch.setattr(preview_command, "has_display", lambda: True)
    monkeypatch.delenv("RVM_BATCH", raising=False)
    return happened


def test_the_browser_is_offered_and_not_forced(done: list[object], tmp_path: Path) -> None:
    options = parse(["preview", "clip.mp4"])
    preview_and_choose(options, Reader("n"))
    preview_and_choose(options, Reader())
    assert done == []
    preview_and_choose(options, Reader("y"))
    assert done == [(tmp_path / "page.html").as_uri()]


def test_nobody_is_asked_who_wants_quiet_or_sees_nothing(
    done: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVM_BATCH", "preview.bat")
    quiet = Reader("y", "1")
    preview_and_choose(parse(["preview", "clip.mp4", "--quiet"]), quiet)
    monkeypatch.delenv("RVM_BATCH")
    monkeypatch.setattr(preview_command, "has_display", lambda: False)
    blind = Reader("y")
    preview_and_choose(parse(["preview", "clip.mp4"]), blind)
    assert (quiet.asked, blind.asked, done) == ([], [], [])


@pytest.mark.parametrize(
    ("answers", "chosen"), [(["2"], [2]), ([""], []), (["3", "x", "1"], [1]), ([], [])]
)
def test_after_a_drop_a_setting_is_chosen_by_its_number(
    answers: list[str], chosen: list[int], done: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVM_BATCH", "preview.bat")
    preview_and_choose(parse(["preview", "clip.mp4"]), Reader("n", *answers))
    assert done == chosen


def test_choosing_makes_no_page(done: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matting.preview, "preview", lambda *_: pytest.fail("a page is made"))
    preview_and_choose(parse(["preview", "clip.mp4", "--choose", "2"]), Reader())
    assert done == [2]


def test_times_are_read_as_players_show_them() -> None:
    assert parse(["preview", "clip.mp4", "--at", "0:12:03, 1:05:00"]).at == (723, 3900)
