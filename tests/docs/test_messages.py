"""The messages that the pages explain are the program's own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.documentation import page
from tests.support.repository import ROOT


def quoted_messages() -> list[str]:
    """Return the messages in the first column of the troubleshooting tables."""
    tables = [*page("troubleshooting").splitlines(), *page("cluster").splitlines()]
    cells = [line.split(" | ")[0] for line in tables if line.startswith("| `")]
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


def test_the_messages_are_found() -> None:
    assert {"The disk is full: ...", "Nothing listens at ..."} <= set(quoted_messages())


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
