"""What the pages tell their readers to type is what the program takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from matting import errors
from matting.cli.main import INTERRUPTED, main
from matting.cli.parser import parse
from tests.docs.documentation import PAGES, README, name_of, page, section

COMMANDS = [
    "doctor",
    "demo",
    "run",
    "segment",
    "infer",
    "combine",
    "add-audio",
    "deliver",
    "deliver-vr",
    "rematte",
    "preview",
    "report",
    "scheduler",
    "worker",
]
# Pages about the program's own use; the others are records of what was measured or shown.
FOR_USERS = [README, *(p for p in PAGES if p.parent.name == "docs" and "wine" not in p.name)]
FILES = ["beach.mp4", "poster.png"]  # that commands on the pages name, and the parser looks for
OTHER_PROGRAMS = {
    *("--force-reinstall", "--index-url", "--part", "--record", "--short", "--strict"),
    *("--cpu", "--torch", "--all-versions"),  # setup's, and what renews what it installs
}


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([command, "--help"]) == 0
    return capsys.readouterr().out


def options_in(text: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]+", text))


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    offered = set().union(*(options_in(help_of(command, capsys)) for command in COMMANDS))
    mentioned = set().union(*(options_in(p.read_text(encoding="utf-8")) for p in FOR_USERS))
    assert offered - mentioned == {"--verbose"}  # explained as -v
    assert mentioned - offered - OTHER_PROGRAMS == {"--version"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_listed_with_the_choices_of_its_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    synopsis = section(page("command_line"), "## The commands")
    assert f"python inference_custom.py {command}" in synopsis
    for option, words in re.findall(r"^  (--\S+) \{(.+)\}", help_of(command, capsys), re.MULTILINE):
        choices = words.split(",")
        each_alone = all(f"[{option} {choice}]" in synopsis for choice in choices)
        assert each_alone or f"[{option} {'|'.join(choices)}]" in synopsis


def command_lines() -> dict[str, str]:
    """Return the arguments of each command that readers are told to type, and on which page."""
    return {
        line: name_of(path)
        for path in reversed(FOR_USERS)
        for line in re.findall(
            r"inference_custom\.py ([^`\n\[]+)[`\n]", path.read_text(encoding="utf-8")
        )
        if "  " not in line
    }


def test_every_command_line_can_be_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        (tmp_path / name).touch()
    for line, name in command_lines().items():
        try:
            parse(shlex.split(line.replace("\\", "/")))
        except errors.MattingError as error:
            pytest.fail(f"{name}: {line}: {error}")


def test_the_command_lines_are_found() -> None:
    lines = command_lines()
    assert {line.split(" ")[0] for line in lines} >= {"demo", "run", "segment", "infer", "worker"}
    assert {"README.md", "docs/cluster.md", "docs/rematte.md"} <= set(lines.values())


def test_every_exit_code_is_explained() -> None:
    codes_of_page = section(page("command_line"), "## Exit codes")
    explained = {int(number) for number in re.findall(r"^\| (\d+) \|", codes_of_page, re.MULTILINE)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.MattingError)}
    assert explained == {0, *codes, INTERRUPTED}
