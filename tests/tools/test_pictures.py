"""The pages' pictures: as they are drawn now, small, and true to what the program prints."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.repository import ROOT
from tools import pictures
from tools.pictures import IMAGES, PICTURES, WIDTH_PX

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
# Other versions of numpy and Pillow may round, antialias and quantise a little differently.
MAX_MEAN_DIFFERENCE = 2.0
VISIBLE_DIFFERENCE, MAX_VISIBLE_SHARE = 48, 0.01
# What the consoles in the pictures show, and which file prints it.
CONSOLE_TEXTS = {
    "Seconds per segment [15]:": "windows/launch.bat",
    "Shut the computer down when this is finished? (y/n) [n]:": "windows/launch.bat",
    "Cut: ": "matting/segment.py",
    ", all checked: ": "matting/segment.py",
    "Matting on the graphics card ": "matting/system/device.py",
    "A trial with ": "matting/workers/estimate.py",
    " fps": "matting/cli/progress_line.py",
    " left": "matting/cli/progress_line.py",
    " joined, ": "matting/combine.py",
    "Done. ": "matting/delivery/final_file.py",
    " long, ": "matting/delivery/final_file.py",
    "Time taken: ": "matting/cli/next_steps.py",
    "Next: ": "matting/cli/next_steps.py",
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    pictures.main([str(folder)])
    return folder


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_on_the_page_is_up_to_date(name: str, drawn: Path) -> None:
    assert (IMAGES / name).stat().st_size < 150_000
    new, old = (np.asarray(Image.open(f / name).convert("RGB"), int) for f in (drawn, IMAGES))
    assert new.shape == old.shape
    assert new.shape[1] == WIDTH_PX
    difference = np.abs(new - old)
    assert difference.mean() < MAX_MEAN_DIFFERENCE
    assert (difference.max(axis=2) > VISIBLE_DIFFERENCE).mean() < MAX_VISIBLE_SHARE


def test_all_pictures_are_drawn_and_shown() -> None:
    assert {path.name for path in IMAGES.iterdir()} == set(PICTURES)
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in PICTURES:
        assert f"images/{name})" in pages, name
    assert sum(path.stat().st_size for path in IMAGES.iterdir()) < 600_000


@pytest.mark.parametrize("text", CONSOLE_TEXTS)
def test_the_consoles_in_the_pictures_show_what_the_program_prints(text: str) -> None:
    assert text in inspect.getsource(pictures)
    assert text in (ROOT / CONSOLE_TEXTS[text]).read_text(encoding="utf-8")
