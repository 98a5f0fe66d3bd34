"""The pages as a site: each has its place, and links that lead outside docs/ hold in it, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.documentation import PAGES, name_of
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from tools import site_hook
else:
    site_hook = pytest.importorskip("tools.site_hook", reason="MkDocs is not installed")


def test_every_page_has_its_place_in_the_order_of_the_site() -> None:
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ +- .+: (\S+\.md)$", settings.split("\nnav:\n")[1], re.MULTILINE)
    assert sorted(listed) == sorted(site_hook.site_place(name_of(page)) for page in PAGES)


@pytest.mark.parametrize(
    ("name", "link", "in_the_site"),
    [
        ("README.md", "docs/steps.md#step-1-cut", "steps.md#step-1-cut"),
        ("README.md", "demo/contact_sheet.png", "demo/contact_sheet.png"),
        ("docs/promises.md", "../README.md", "index.md"),
        ("docs/promises.md", "../benchmarks/RESULTS.md", "benchmarks/RESULTS.md"),
        ("docs/steps.md", "images/1_segment.png", "images/1_segment.png"),
        ("demo/README.md", "../docs/headset_checklist.md", "../headset_checklist.md"),
        ("docs/steps.md", "#all-in-one", "#all-in-one"),
        ("docs/steps.md", "https://www.python.org/a.md", "https://www.python.org/a.md"),
    ],
)
def test_a_link_of_the_repository_becomes_one_of_the_site(
    name: str, link: str, in_the_site: str
) -> None:
    assert site_hook.with_site_links(f"[a]({link}), ![b]({link})", name) == (
        f"[a]({in_the_site}), ![b]({in_the_site})"
    )
