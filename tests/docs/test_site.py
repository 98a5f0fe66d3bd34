"""The pages as a site: its order, and links that lead outside docs/ and hold in it, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tools import site_hook
else:
    site_hook = pytest.importorskip("tools.site_hook", reason="MkDocs is not installed")


def test_the_pages_of_an_order_are_those_of_all_its_parts() -> None:
    order = ["index.md", {"Start": "start.md"}, {"Use": [{"Step": "steps.md"}, "formats.md"]}]
    assert list(site_hook.pages_in(order)) == ["index.md", "start.md", "steps.md", "formats.md"]


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
