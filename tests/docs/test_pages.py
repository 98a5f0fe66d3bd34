"""Every page: what it links, and what it tells its readers to run, exists; lists are lists."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tests.docs.documentation import PAGES, name_of
from tests.support.repository import ROOT


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_linked_file_and_heading_exists(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.is_file(), link
        assert not heading or heading in anchors(target), link


def test_links_are_found() -> None:
    linking = [page for page in PAGES if "](" in page.read_text(encoding="utf-8")]
    assert {name_of(page) for page in linking} >= {"README.md", "docs/promises.md"}


def anchors(page: Path) -> set[str]:
    """Return the headings of a page, as links name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_program_that_is_run_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for module in re.findall(r"python3? -m ([\w.]+\w)", text):
        assert importlib.util.find_spec(module), module
    for path in re.findall(r"python3? ([\w/]+\.py)", text):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lists_and_tables_begin_after_an_empty_line(page: Path) -> None:
    """The site's Markdown takes them for text else, though GitHub does not."""
    before, inside_code = "", False
    for line in page.read_text(encoding="utf-8").splitlines():
        inside_code ^= line.startswith("```")
        begins = re.match(r"([-*] |\d+\. |\| )", line) and not inside_code
        kind = "|" if line.startswith("|") else "list"
        goes_on = before.startswith("|") if kind == "|" else re.match(r"[-*] |\d+\. | ", before)
        assert not begins or goes_on or not before or before.startswith("<!--"), line
        before = line
