"""python -m tools.before_after [FOLDER]

Make the picture that the README begins with: a photograph of a person, and what the program makes
of it with the published weights, over green and over a background of one's own. It takes minutes.
The photograph is the one in `matting/inference/`, NASA's, of the astronaut Eileen Collins.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from tools.canvas import BLUE, Canvas, Colour
from tools.icons import Picture, label

ROOT = Path(__file__).resolve().parents[1]
PHOTOGRAPH = ROOT / "matting" / "inference" / "portrait.jpg"
TARGET, NAME = ROOT / "demo", "before_after.png"
WIDTH_PX, HEIGHT_PX = 1000, 336
SIDE_PX = 260  # of each of the three
TEXTS = (
    ("your video", "here a photograph, by NASA"),
    ("only the people", "for a headset, for chroma key"),
    ("or elsewhere", "over a picture or a video"),
)
FRAMES = 12  # of the photograph, for the network looks at several
DUSK: tuple[Colour, Colour] = (38, 70, 140), (252, 190, 120)
SUN: Colour = (255, 236, 170)
HILLS: tuple[Colour, Colour] = (86, 82, 120), (46, 52, 84)


def landscape() -> Canvas:
    """Draw hills at dusk, as a background of one's own."""
    side = 512
    canvas = Canvas(side, side)
    above, below = (np.array(colour) for colour in DUSK)
    for y in range(side):
        red, green, blue = (above + (below - above) * min(1.0, y / 340)).astype(int)
        canvas.rectangle((0, y, side, y + 1), (int(red), int(green), int(blue)))
    canvas.ellipse((350, 190, 450, 290), SUN)
    canvas.polygon(
        [(0, 300), (140, 230), (300, 340), (430, 280), (512, 330), (512, 512), (0, 512)], HILLS[0]
    )
    canvas.polygon([(0, 400), (200, 350), (360, 400), (512, 360), (512, 512), (0, 512)], HILLS[1])
    return canvas


def matted(background: str, folder: Path) -> Picture:
    """Return the photograph's last frame as the program mattes it, in a folder that it may use."""
    take = folder / "take"
    if not take.is_dir():
        take.mkdir()
        with Image.open(PHOTOGRAPH) as photograph:
            for number in range(FRAMES):
                photograph.save(take / f"{number:03}.png")
    options = ["--subject", "portrait", "--background", background, "--again"]
    subprocess.run(
        [sys.executable, "inference_custom.py", "infer", str(take), *options], cwd=ROOT, check=True
    )
    return pixels(folder / "take_matted" / "COMPOSITE" / "take" / f"{FRAMES - 1:03}.png")


def pixels(path: Path) -> Picture:
    """Return the samples [H, W, 3] of a picture."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def before_after(pictures: Sequence[Picture]) -> Canvas:
    """Draw the photograph and both results beside each other, with what they are."""
    canvas = Canvas(WIDTH_PX, HEIGHT_PX)
    for number, (picture, text) in enumerate(zip(pictures, TEXTS, strict=True)):
        x = WIDTH_PX / 2 + (number - 1) * 340
        canvas.picture((x - SIDE_PX / 2, 12, x + SIDE_PX / 2, 12 + SIDE_PX), picture)
        label(canvas, (x, 296), *text)
        if number:
            canvas.arrow((x - 198, 142), (x - 142, 142), BLUE)
    return canvas


def main(arguments: Sequence[str]) -> None:
    """Make it, in the given folder or else where the documentation has it."""
    target = Path(arguments[0]) if arguments else TARGET
    with TemporaryDirectory() as name:
        folder = Path(name)
        own = folder / "background.png"
        Image.open(BytesIO(landscape().png())).convert("RGB").save(own)
        results = [matted(background, folder) for background in ("#78FF9B", str(own))]
    (target / NAME).write_bytes(before_after([pixels(PHOTOGRAPH), *results]).png())


if __name__ == "__main__":
    main(sys.argv[1:])
