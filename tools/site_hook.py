"""MkDocs calls this: the site gets the pages and pictures that lie outside docs/.

The pages' links are those of the repository, so that they work on GitHub, too. Here they are made
those of the site, in which README.md is the first page, docs/ is the root, and everything else that
is linked lies where it lies in the repository.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
HOME = "README.md"
# The target of a link or a picture, without its heading: [text](target#heading), ![text](target)
TARGET = re.compile(r"(?<=\]\()(?!\w+:|#)[^)\s#]+")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the README as the first page, and whatever the pages link from outside docs/.

    A page that has no place in the site's order yet comes last, rather than nowhere.
    """
    waiting = [HOME, *(f"docs/{file.src_uri}" for file in files.documentation_pages())]
    seen = set(waiting)
    while waiting:
        name = waiting.pop()
        place = site_place(name)
        if files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
        if name.endswith(".md"):
            text = (ROOT / name).read_text(encoding="utf-8")
            linked = {resolved(name, target) for target in TARGET.findall(text)} - seen
            there = sorted(target for target in linked if (ROOT / target).is_file())
            waiting += there
            seen.update(there)
    pages = {file.src_uri for file in files.documentation_pages()}
    if without_place := sorted(pages - set(pages_in(config.nav or []))):
        config.nav = [*(config.nav or []), {"More": without_place}]
    return files


def pages_in(order: object) -> Iterator[str]:
    """Yield the pages of a part of the site's order."""
    if isinstance(order, str):
        yield order
    elif isinstance(order, dict):
        yield from pages_in(list(order.values()))
    elif isinstance(order, list):
        for part in order:
            yield from pages_in(part)


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page's text with links that hold in the site."""
    del config, files
    return with_site_links(markdown, repository_name(page.file.src_uri))


def with_site_links(markdown: str, name: str) -> str:
    """Return the text of a file of the repository with its links as the site needs them."""
    folder = posixpath.dirname(site_place(name))
    return TARGET.sub(
        lambda target: posixpath.relpath(site_place(resolved(name, target[0])), folder or "."),
        markdown,
    )


def resolved(name: str, target: str) -> str:
    """Return the file of the repository that a link in another one of its files means."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


def site_place(name: str) -> str:
    """Return where a file of the repository lies in the site's sources."""
    return "index.md" if name == HOME else name.removeprefix("docs/")


def repository_name(place: str) -> str:
    """Return the file of the repository that lies at a place in the site's sources."""
    if place == "index.md":
        return HOME
    return f"docs/{place}" if (ROOT / "docs" / place).is_file() else place
