"""The README is consistent with the program: its commands, options, files, messages, packages."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from installation.python_check import package_names
from matting import errors
from matting.cli.main import INTERRUPTED, main
from matting.cli.parser import parse
from tests.support.repository import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
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


def section(heading: str) -> str:
    """Return the text from a heading to the next one of the same level."""
    level = heading.partition(" ")[0]
    start = README.index(f"\n{heading}\n") + 1
    end = re.search(rf"^#{{1,{len(level)}}} ", README[start + len(heading) :], re.MULTILINE)
    return README[start : start + len(heading) + end.start()] if end else README[start:]


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([command, "--help"]) == 0
    return capsys.readouterr().out


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    offered = {
        option
        for command in COMMANDS
        for option in re.findall(r"--[a-z][a-z-]+", help_of(command, capsys))
    }
    explained = set(re.findall(r"--[a-z][a-z-]+", README))
    assert offered - explained == {"--verbose"}  # explained as -v
    assert explained - offered == {"--version", "--index-url", "--force-reinstall"}  # two are pip's


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_listed_with_the_choices_of_its_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    synopsis = section("## The command line")
    assert f"python inference_custom.py {command}" in synopsis
    for option, words in re.findall(r"^  (--\S+) \{(.+)\}", help_of(command, capsys), re.MULTILINE):
        choices = words.split(",")
        each_alone = all(f"[{option} {choice}]" in synopsis for choice in choices)
        assert each_alone or f"[{option} {'|'.join(choices)}]" in synopsis


def command_lines() -> list[str]:
    """Return the arguments of each command that the README tells its readers to type."""
    lines = re.findall(r"inference_custom\.py ([^`\n\[]+)[`\n]", README)
    return [line for line in lines if "  " not in line]


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_can_be_parsed(line: str) -> None:
    parse(shlex.split(line.replace("\\", "/")))


def test_the_command_lines_are_found() -> None:
    assert {line.split(" ")[0] for line in command_lines()} >= {"demo", "run", "segment", "infer"}


def test_every_exit_code_is_explained() -> None:
    explained = {int(number) for number in re.findall(r"\b\d+\b", section("### Exit codes"))}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.MattingError)}
    assert explained == {0, *codes, INTERRUPTED}


def test_every_folder_with_code_is_in_the_architecture() -> None:
    architecture = section("## Architecture")
    files = [path.relative_to(ROOT) for path in ROOT.glob("*/**/*.py")]
    folders = {path.parent for path in files if not path.parts[0].startswith(".")}
    inner = {Path("matting/media/mp4"), Path("matting/media/images")}
    for folder in folders - inner:
        if folder.parts[0] == "matting" or len(folder.parts) == 1:
            assert f"| `{folder.as_posix()}/` |" in architecture


def test_every_required_package_has_its_reason() -> None:
    table = section("## Architecture").split("| package | why |")[1].split("\n\n")[0]
    rows = [line.split(" | ", maxsplit=1) for line in table.splitlines() if line.startswith("| ")]
    assert all(reason.strip(" |") for _, reason in rows)
    packages = [re.sub(r" \(.*\)", "", name) for names, _ in rows for name in names.split(",")]
    requirements = (ROOT / "requirements_inference.txt").read_text(encoding="utf-8")
    assert sorted(name.strip(" |") for name in packages) == sorted(package_names(requirements))


def quoted_messages() -> list[str]:
    """Return the messages in the first column of the tables under "Troubleshooting"."""
    troubleshooting = section("## Troubleshooting").split("### A bad segment")[0]
    cells = [line.split(" | ")[0] for line in troubleshooting.splitlines() if line[:3] == "| `"]
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("message", quoted_messages())
def test_every_explained_message_is_one_of_the_program(message: str) -> None:
    """What varies is left out: names and numbers, quoted as dots, and times."""
    parts = [part for part in re.split(r"\.\.\.|\d+:[\d:.]+", message) if len(part.strip()) > 2]
    assert parts
    for part in parts:
        assert any(part.strip(" ,;") in text for text in program_texts()), part


@cache
def program_texts() -> tuple[str, ...]:
    """Return all strings in the program and setup, and the batch files."""
    files = [*ROOT.glob("matting/**/*.py"), *ROOT.glob("installation/*.py")]
    texts = [text for path in files for text in strings_in(path)]
    batch_files = [*ROOT.glob("*.bat"), *ROOT.glob("windows/*.bat")]
    return (*texts, *(path.read_text(encoding="ascii") for path in batch_files))


def strings_in(path: Path) -> Iterator[str]:
    """Yield the strings in a Python file but its docstrings; what f-strings insert as a space."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else " " for part in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield str(node.value)


def test_the_requirements_files_that_are_named_exist() -> None:
    names = set(re.findall(r"-r (\S+\.txt)", README))
    assert names
    for name in names:
        assert (ROOT / name).is_file()


def test_the_files_that_users_know_are_at_the_top_level() -> None:
    for name in (
        "0_all_in_one.bat",
        "1_segment.bat",
        "2_infer.bat",
        "3_combine.bat",
        "4_add_audio.bat",
        "setup.bat",
        "setup.sh",
        "inference_custom.py",
        "requirements_inference.txt",
        "LICENSE",
    ):
        assert Path(ROOT, name).is_file()
