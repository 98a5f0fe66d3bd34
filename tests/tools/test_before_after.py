"""The picture that the README begins with: there, small, and drawn of three pictures."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from tools.before_after import HEIGHT_PX, NAME, SIDE_PX, TARGET, WIDTH_PX, before_after, landscape


def test_the_picture_is_there_and_small() -> None:
    assert (TARGET / NAME).stat().st_size < 100_000
    with Image.open(TARGET / NAME) as picture:
        assert picture.size == (WIDTH_PX, HEIGHT_PX)


def test_all_three_stand_beside_each_other() -> None:
    colours = ((200, 30, 20), (120, 255, 155), (20, 40, 180))
    pictures = [np.full((8, 8, 3), colour, np.uint8) for colour in colours]
    with Image.open(BytesIO(before_after(pictures).png())) as image:
        drawn = np.array(image.convert("RGB"), int)
    for number, colour in enumerate(colours):
        x = WIDTH_PX // 2 + (number - 1) * 340
        part = drawn[14 : SIDE_PX + 10, x - SIDE_PX // 2 + 2 : x + SIDE_PX // 2 - 2]
        assert np.abs(part - colour).max() <= 4


def test_the_background_is_a_square_picture_of_several_colours() -> None:
    with Image.open(BytesIO(landscape().png())) as image:
        assert image.size == (512, 512)
        assert len(image.convert("RGB").getcolors(1000) or []) > 50
