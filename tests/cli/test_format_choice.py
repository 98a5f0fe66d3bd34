"""Formats are chosen by their numbers in a list."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from matting.cli.console import Console
from matting.cli.format_choice import OFFERED, ask_for_formats
from matting.cli.main import main
from matting.delivery.formats import FORMATS
from matting.errors import InputError


def asked(monkeypatch: pytest.MonkeyPatch, typed: str) -> Console:
    monkeypatch.setenv("RVM_BATCH", "deliver.bat")
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return Console()


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [("1\n", [1]), ("3, 1;2 3\n", [3, 1, 2]), ("0\n99\n1 x\n2\n", [2])],
)
def test_what_is_typed_chooses(
    typed: str,
    numbers: list[int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = ask_for_formats(asked(monkeypatch, typed))
    assert list(rows) == [OFFERED[number - 1] for number in numbers]
    printed = capsys.readouterr().out
    for number, row in enumerate(OFFERED, start=1):
        assert any(f"{number}  {row.name}" in line for line in printed.splitlines())
    assert len(printed.splitlines()) > len(OFFERED)
    assert printed.count("Please type numbers") == typed.count("\n") - 1


def test_a_name_does_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ask_for_formats(asked(monkeypatch, f"1,{OFFERED[2].name.upper()}\n"))
    assert rows == (OFFERED[0], OFFERED[2])


def test_nothing_chosen_makes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError) as refused:
        ask_for_formats(asked(monkeypatch, "\n"))
    assert refused.value.option is None


def test_where_nobody_can_be_asked_the_formats_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    console = asked(monkeypatch, "")
    monkeypatch.delenv("RVM_BATCH")
    with pytest.raises(InputError) as refused:
        ask_for_formats(console)
    assert refused.value.option == "--as"
    assert all(name in str(refused.value) for name in FORMATS)


def test_the_command_without_formats_asks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["deliver", str(tmp_path)]) == 2
    assert ", ".join(FORMATS) in capsys.readouterr().err
    asked(monkeypatch, "1\n")
    assert main(["deliver", str(tmp_path)]) == 2  # nothing is matted there
    assert f"1  {OFFERED[0].name}" in capsys.readouterr().out
