"""python -m tools.page_pictures [FOLDER]

Take the documentation's pictures of pages, of a preview and of a report, both of the demo's film.
It takes minutes, and needs Chromium.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "demo"
BROWSER = "chromium-headless-shell"
PROGRAM = "inference_custom.py"
# As they are on the page, in the commands: relative to where the program is.
DEMO = Path("videos", "demo.mp4")
MATTED = Path("videos", "demo_segments_matted")
SHOWN_FIRST = "0:00:02.500"  # in the middle, the film flashes
WIDTH_PX = 1120
COLOURS = 256
# The folder is there for the pictures alone; a reader's commands name another one.
WITHOUT_FOLDER = """(folder) => document.querySelectorAll("code, pre").forEach((own) => {
    own.textContent = own.textContent.replaceAll(folder, "")
})"""


@dataclass(frozen=True)
class PagePicture:
    """A picture of the upper part of a page.

    Attributes:
        prepare: a script that does to the page before what its reader might.
    """

    name: str
    page: Path
    height_px: int
    prepare: str


PAGES = (
    PagePicture(
        "preview_page.png",
        DEMO.with_name("demo_preview.html"),
        1090,
        "change({ split: 30 })",
    ),
    PagePicture(
        "report_page.png",
        MATTED / "report.html",
        1400,
        "document.querySelector('.curves canvas').dispatchEvent("
        "new KeyboardEvent('keydown', { key: 'PageDown' }))",
    ),
)


def make_pages(folder: Path) -> None:
    """Make the pages in a folder in which the program seems to be."""
    (folder / PROGRAM).symlink_to(ROOT / PROGRAM)
    for command in (
        ["demo", str(DEMO.parent)],
        ["report", str(MATTED)],
        ["preview", str(DEMO), "--at", SHOWN_FIRST, "--quiet"],
    ):
        # So that the pages say what a reader types.
        python = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"}
        subprocess.run(["python", PROGRAM, *command], cwd=folder, env=python, check=True)


def take(browser: Browser, pictures: Sequence[PagePicture], folder: Path, target: Path) -> None:
    """Take pictures of pages that are in a folder.

    Raises:
        playwright.sync_api.Error: a script does not fit its page.
    """
    for own in pictures:
        size = ViewportSize(width=WIDTH_PX, height=own.height_px)
        page = browser.new_page(viewport=size, color_scheme="light")
        page.goto((folder / own.page).resolve().as_uri())
        page.evaluate(own.prepare)
        page.evaluate(WITHOUT_FOLDER, f"{folder.resolve()}{os.sep}")
        content = with_palette(page.screenshot())
        (target / own.name).write_bytes(content)
        print(f"{target / own.name}: {len(content) // 1024 + 1} KiB")
        page.close()


def with_palette(png: bytes) -> bytes:
    """Return a PNG in a few colours, which takes a fraction of the room."""
    content = BytesIO()
    image = Image.open(BytesIO(png)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return content.getvalue()


def main(arguments: Sequence[str]) -> None:
    """Take all of them, into the given folder or else where the documentation has its own."""
    target = Path(arguments[0]) if arguments else PICTURES
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        make_pages(Path(folder))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which(BROWSER), args=["--no-sandbox", "--disable-gpu"]
            )
            take(browser, PAGES, Path(folder), target)
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
