"""Whom the report is offered when a job is finished: nobody who is not there, or would wait."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from matting.cli import report_offer
from matting.cli.console import Console
from matting.cli.parser import parse
from matting.project.paths import MattedFolder, segments_folder


class Reader(Console):
    """Answers every question alike, and counts them."""

    def __init__(self, answer: str = "y") -> None:
        super().__init__()
        self.answer = answer
        self.asked = 0

    def ask(self, question: str) -> str | None:
        self.asked += 1
        return self.answer


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    pages: list[str] = []
    monkeypatch.setattr(webbrowser, "open", pages.append)
    monkeypatch.setattr(report_offer, "has_display", lambda: True)
    monkeypatch.delenv("RVM_TOTAL", raising=False)
    return pages


@pytest.fixture
def page(tmp_path: Path) -> Path:
    report = MattedFolder.of(segments_folder(tmp_path / "a.mp4", None)).report
    report.parent.mkdir()
    report.touch()
    return report


def offer(folder: Path, line: str, answer: str = "y") -> int:
    reader = Reader(answer)
    command, name, *others = line.split()
    report_offer.offer_report(parse([command, str(folder / name), *others]), reader)
    return reader.asked


def test_it_is_offered_and_not_forced(opened: list[str], page: Path, tmp_path: Path) -> None:
    assert offer(tmp_path, "infer a_segments", "n") == offer(tmp_path, "run a.mp4", "n") == 1
    assert opened == []
    offer(tmp_path, "infer a_segments")
    offer(tmp_path, "run a.mp4")
    assert opened == [page.as_uri()] * 2


@pytest.mark.parametrize(
    "line", ["infer a_segments --quiet", "infer a_segments --shutdown", "segment a.mp4"]
)
def test_nobody_is_asked_who_is_not_there(
    line: str, opened: list[str], page: Path, tmp_path: Path
) -> None:
    assert offer(tmp_path, line) == 0
    assert page.is_file() and opened == []


@pytest.mark.usefixtures("opened", "page")
def test_nothing_holds_up_the_next_of_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVM_TOTAL", "2")
    assert offer(tmp_path, "run a.mp4") == 0
    monkeypatch.setenv("RVM_TOTAL", "1")
    assert offer(tmp_path, "run a.mp4") == 1


def test_what_cannot_be_seen_is_not_offered(
    opened: list[str], page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.unlink()
    assert offer(tmp_path, "run a.mp4") == 0
    page.touch()
    monkeypatch.setattr(report_offer, "has_display", lambda: False)
    assert offer(tmp_path, "run a.mp4") == 0
    assert opened == []
