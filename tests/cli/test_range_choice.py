"""What is to be done again is asked for where nothing of it is typed."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import pytest

from matting.cli.console import Console
from matting.cli.main import main
from matting.cli.range_choice import TIMES, WORKS, ask_for_range
from matting.errors import InputError
from matting.network_choice import Subject
from matting.options import MattingOptions
from matting.range_options import LAST_RANGE, RangeOptions


def asked(monkeypatch: pytest.MonkeyPatch, typed: str) -> Console:
    monkeypatch.setenv("RVM_BATCH", "rematte.bat")
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return Console()


@pytest.mark.parametrize(
    ("typed", "arguments"),
    [
        ("1\n0:41:10\n41:25.5\n", {"subject": Subject.PORTRAIT, "start": 2470, "end": 2485.5}),
        ("2\n5\n6\n", {"subject": Subject.FULL_BODY, "start": 5, "end": 6}),
        ("0\nx\n3\nsoon\n0:99\n5\n-6\n6\n", {"start": 5, "end": 6}),
        ("4\n", {"undo": LAST_RANGE}),
    ],
)
def test_what_is_typed_chooses(
    typed: str, arguments: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask_for_range(asked(monkeypatch, typed)) == arguments


@pytest.mark.parametrize("typed", ["\n", "3\n\n", "3\n5\n\n", "3\n5\n", "3\n"])
def test_without_an_answer_nothing_is_done(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError):
        ask_for_range(asked(monkeypatch, typed))


def test_where_nobody_can_be_asked_there_are_no_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    console = asked(monkeypatch, "1\n")
    monkeypatch.delenv("RVM_BATCH")
    assert ask_for_range(console) == {}


def test_the_command_asks_if_nothing_is_typed_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, is_asked in (((), True), (("--from", "3"), False), (("--undo",), False)):
        asked(monkeypatch, "3\n1\n2\n")
        assert main(["rematte", str(tmp_path), *options]) == 2  # nothing is matted there
        printed = capsys.readouterr().out
        assert (WORKS[0].purpose in printed) == is_asked
        assert all((question in printed) == is_asked for question in TIMES.values())


def test_the_answers_are_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[RangeOptions, MattingOptions]] = []

    def rematte(_: Path, which: RangeOptions, options: MattingOptions, *_others: object) -> None:
        done.append((which, options))

    monkeypatch.setattr("matting.rematte.rematte", rematte)
    asked(monkeypatch, "1\n0:01:00\n61.5\n")
    assert main(["rematte", str(tmp_path)]) == 0
    ((which, options),) = done
    assert (which.start_seconds, which.end_seconds) == (Fraction(60), Fraction(123, 2))
    assert options.matte.subject is Subject.PORTRAIT
    assert options.typed
