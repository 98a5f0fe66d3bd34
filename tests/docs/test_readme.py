"""The README says what the program does: its options, its files, its commands, its messages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from matting import errors
from matting.cli.main import INTERRUPTED, main
from tests.support.repository import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
COMMANDS = ["doctor", "demo", "run", "segment", "infer", "combine", "add-audio"]


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    offered = {
        option
        for command in COMMANDS
        for option in re.findall(r"--[a-z][a-z-]+", help_of(command, capsys))
    }
    explained = set(re.findall(r"--[a-z][a-z-]+", README))
    assert offered - explained == {"--verbose"}  # told as -v
    foreign = {"--index-url", "--force-reinstall", "--short"}
    assert explained - offered <= foreign


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_listed(command: str) -> None:
    assert f"python inference_custom.py {command}" in README


def test_every_exit_code_is_explained() -> None:
    section = README[README.index("### Exit codes") :].split("\n#", maxsplit=1)[0]
    explained = {int(number) for number in re.findall(r"\b\d+\b", section)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.MattingError)}
    assert explained == {0, *codes, INTERRUPTED}


def test_every_folder_with_code_is_in_the_architecture() -> None:
    section = README[README.index("## Architecture") :]
    files = [path.relative_to(ROOT) for path in ROOT.glob("*/**/*.py")]
    folders = {path.parent for path in files if not path.parts[0].startswith(".")}
    inner = {Path("matting/media/mp4"), Path("matting/media/images")}
    for folder in folders - inner:
        if folder.parts[0] == "matting" or len(folder.parts) == 1:
            assert f"| `{folder.as_posix()}/` |" in section


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_heading_that_is_linked_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert links
    for link in links:
        if link.startswith("http"):
            continue
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.is_file(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def quoted_messages() -> list[str]:
    """What stands in the first column of the tables under "Troubleshooting" as a message."""
    section = README[README.index("## Troubleshooting") : README.index("### A bad segment")]
    cells = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("message", quoted_messages())
def test_every_message_that_is_explained_is_one_of_the_programs(message: str) -> None:
    """Between what varies from time to time: dots, and times."""
    parts = [part for part in re.split(r"\.\.\.|\d+:[\d:.]+", message) if len(part.strip()) > 2]
    assert parts
    for part in parts:
        assert any(part.strip(" ,;") in text for text in told()), part


@cache
def told() -> tuple[str, ...]:
    """All texts in the program, and the batch files."""
    files = [*ROOT.glob("matting/**/*.py"), *ROOT.glob("installation/*.py")]
    texts = [text for path in files for text in texts_of(path)]
    batch_files = [*ROOT.glob("*.bat"), *ROOT.glob("windows/*.bat")]
    return (*texts, *(path.read_text(encoding="ascii") for path in batch_files))


def texts_of(path: Path) -> Iterator[str]:
    """The texts of a Python file; what is put into one where it runs stands as a space."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else " " for part in node.values)
            yield "".join(map(str, parts))


def test_the_requirements_that_are_named_are_there() -> None:
    names = set(re.findall(r"-r (\S+\.txt)", README))
    assert names
    for name in names:
        assert (ROOT / name).is_file()


def test_the_top_level_is_the_one_that_was_agreed() -> None:
    for name in (
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
