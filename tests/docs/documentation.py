"""The pages of the documentation, and parts of them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.repository import ROOT

README = ROOT / "README.md"
PAGES = [
    README,
    *(ROOT / name for name in ("demo/README.md", "benchmarks/RESULTS.md")),
    *sorted(ROOT.glob("docs/*.md")),
]


def name_of(page: Path) -> str:
    """Return a page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def page(name: str) -> str:
    """Return the text of a page of docs/."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Return the text from a heading to the next one of the same level."""
    level = heading.partition(" ")[0]
    start = text.index(f"\n{heading}\n") + 1
    end = re.search(rf"^#{{1,{len(level)}}} ", text[start + len(heading) :], re.MULTILINE)
    return text[start : start + len(heading) + end.start()] if end else text[start:]
