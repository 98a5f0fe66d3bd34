"""The README says what the program does: its options, its files, its commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from matting import cli
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = ["demo", "run", "segment", "infer", "combine", "add-audio"]


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    offered = {
        option
        for command in COMMANDS
        for option in re.findall(r"--[a-z][a-z-]+", help_of(command, capsys))
    }
    explained = set(re.findall(r"--[a-z][a-z-]+", README))
    assert offered - explained == {"--help", "--verbose"}
    foreign = {"--index-url", "--force-reinstall", "--short"}
    assert explained - offered <= foreign


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_listed(command: str) -> None:
    assert f"python inference_custom.py {command}" in README


def test_every_module_is_in_the_architecture() -> None:
    section = README[README.index("## Architecture") :]
    for path in [
        *ROOT.glob("matting/**/*.py"),
        *ROOT.glob("model/*.py"),
        *ROOT.glob("benchmarks/**/*.py"),
    ]:
        if not path.name.startswith("__"):
            assert path.name in section, f"{path.relative_to(ROOT)} is not in the README"


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).is_file(), link


def test_the_requirements_that_are_named_are_there() -> None:
    for name in set(re.findall(r"-r (\S+\.txt)", README)):
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
