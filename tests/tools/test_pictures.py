"""The README's pictures: what the program draws, small, and true to what is told and asked."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.repository import ROOT
from tools import pictures
from tools.pictures import FOLDER, PICTURES, WIDTH_PX

README = (ROOT / "README.md").read_text(encoding="utf-8")
# Other versions of numpy and Pillow may round, smooth and reduce colours a little differently.
SAME_MEAN, SAME_SHARE, SEEN = 2.0, 0.01, 48
# What the pictures show in their consoles, and who says it.
TOLD = {
    "Seconds per segment [15]:": "windows/launch.bat",
    "Shut the computer down when this is finished? (y/n) [n]:": "windows/launch.bat",
    "Cut: ": "matting/segment.py",
    ", all checked: ": "matting/segment.py",
    "Matting on the graphics card ": "matting/system/device.py",
    "A trial with ": "matting/workers/estimate.py",
    " fps": "matting/cli/progress_line.py",
    " left": "matting/cli/progress_line.py",
    " joined, ": "matting/combine.py",
    "Done. ": "matting/add_audio.py",
    " long, ": "matting/add_audio.py",
    "Time taken: ": "matting/cli/next_steps.py",
    "Next: ": "matting/cli/next_steps.py",
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    pictures.main([str(folder)])
    return folder


@pytest.mark.parametrize("name", PICTURES)
def test_the_program_draws_the_picture_that_is_there(name: str, drawn: Path) -> None:
    assert (FOLDER / name).stat().st_size < 150_000
    new, old = (np.asarray(Image.open(f / name).convert("RGB"), int) for f in (drawn, FOLDER))
    assert new.shape == old.shape
    assert new.shape[1] == WIDTH_PX
    difference = np.abs(new - old)
    assert difference.mean() < SAME_MEAN
    assert (difference.max(axis=2) > SEEN).mean() < SAME_SHARE


def test_all_pictures_are_drawn_and_shown() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PICTURES)
    for name in PICTURES:
        assert f"](docs/images/{name})" in README, name
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 600_000


@pytest.mark.parametrize("words", TOLD)
def test_the_consoles_in_the_pictures_tell_what_the_program_tells(words: str) -> None:
    assert words in inspect.getsource(pictures)
    assert words in (ROOT / TOLD[words]).read_text(encoding="utf-8")
