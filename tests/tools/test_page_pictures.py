"""The README's pictures of pages: how they are taken, and that they are there and small."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.browser import Browser
from tests.support.repository import ROOT
from tools.page_pictures import PAGES, PICTURES, WIDTH_PX, PagePicture, take

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("own", PAGES, ids=lambda own: own.name)
def test_the_readme_shows_a_small_picture_of_each_page(own: PagePicture) -> None:
    assert f"](demo/{own.name})" in README
    assert (PICTURES / own.name).stat().st_size < 300_000
    with Image.open(PICTURES / own.name) as picture:
        assert picture.size == (WIDTH_PX, own.height_px)


def test_a_picture_is_of_what_its_script_left(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><body style='background: #fff'>", encoding="utf-8")
    script = "document.body.style.background = '#0000ff'"
    take(browser, [PagePicture("page.png", Path(page.name), 50, script)], tmp_path, tmp_path)
    with Image.open(tmp_path / "page.png") as image:
        picture = image.convert("RGB")
    assert picture.size == (WIDTH_PX, 50)
    assert picture.getcolors() == [(WIDTH_PX * 50, (0, 0, 255))]
