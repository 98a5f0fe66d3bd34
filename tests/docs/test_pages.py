"""Every page: what it links, and what it tells its readers to run, exists."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "demo/README.md", "benchmarks/RESULTS.md")),
    *sorted(ROOT.glob("docs/*.md")),
]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


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
