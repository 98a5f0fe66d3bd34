"""The icons in the documentation's pictures: files, folders, a window, a console."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tools.canvas import BLUE, GREY, INK, PALE, WHITE, Canvas, Colour, Point

Picture = NDArray[np.uint8]  # [H, W, 3]

FOLDER: Colour = (246, 196, 83)
FOLDER_BACK: Colour = (222, 165, 46)
CONSOLE: Colour = (22, 26, 33)
CONSOLE_TEXT: Colour = (222, 228, 236)
ANSWER: Colour = (255, 214, 102)
TICK: Colour = (70, 190, 110)
PERFORATION: Colour = (44, 50, 60)

LABEL_PX = 21
SMALL_PX = 18


def label(canvas: Canvas, centre: Point, name: str, note: str = "") -> None:
    """Draw a file's name below its icon, and a line about it."""
    canvas.text(centre, name, LABEL_PX, INK)
    if note:
        canvas.text((centre[0], centre[1] + 26), note, SMALL_PX, GREY)


def video(canvas: Canvas, centre: Point, picture: Picture, width_px: float = 190) -> None:
    """Draw a video: a picture between the holes of a film strip."""
    height = width_px * picture.shape[0] / picture.shape[1]
    left, top, edge = centre[0] - width_px / 2, centre[1] - height / 2, 15.0
    box = (left, top - edge, left + width_px, top + height + edge)
    canvas.rectangle(box, PERFORATION, radius_px=5)
    canvas.picture((left, top, left + width_px, top + height), picture)
    holes = int(width_px // 20)
    for number in range(holes):
        x = left + (number + 0.5) * width_px / holes
        for y in (top - edge / 2, top + height + edge / 2):
            canvas.rectangle((x - 5, y - 4, x + 5, y + 4), WHITE, radius_px=2)


def folder(canvas: Canvas, centre: Point, pictures: Sequence[Picture]) -> None:
    """Draw a folder with pictures in it."""
    x, y = centre
    canvas.rectangle((x - 95, y - 62, x - 20, y - 30), FOLDER_BACK, radius_px=8)
    canvas.rectangle((x - 95, y - 48, x + 95, y + 66), FOLDER_BACK, radius_px=8)
    for number, picture in enumerate(pictures):
        left = x - 86 + number * 88 / max(1, len(pictures) - 1)
        top = y - 60 + number * 9
        height = 84 * picture.shape[0] / picture.shape[1]
        frame = (left - 3, top - 3, left + 87, top + height + 3)
        canvas.rectangle(frame, WHITE, PALE, width_px=1)
        canvas.picture((left, top, left + 84, top + height), picture)
    canvas.rectangle((x - 95, y - 2, x + 95, y + 66), FOLDER, radius_px=8)


def batch_file(canvas: Canvas, centre: Point, sign: str) -> None:
    """Draw a batch file: a page with a folded corner, and its number."""
    x, y = centre
    fold = 24
    page = [(x - 56, y - 68), (x + 56 - fold, y - 68), (x + 56, y - 68 + fold)]
    page += [(x + 56, y + 68), (x - 56, y + 68)]
    canvas.polygon(page, WHITE)
    canvas.line([*page, page[0]], GREY, 2.5)
    corner = [(x + 56 - fold, y - 68), (x + 56 - fold, y - 68 + fold), (x + 56, y - 68 + fold)]
    canvas.polygon(corner, PALE)
    canvas.line(corner, GREY, 2.5)
    canvas.text((x, y - 4), sign, 66 if len(sign) == 1 else 26, BLUE)
    canvas.text((x, y + 46), ".bat", 20, GREY)


def pointer(canvas: Canvas, tip: Point) -> None:
    """Draw the mouse pointer."""
    x, y = tip
    shape = [(0, 0), (0, 34), (8, 27), (13, 39), (19, 36), (14, 25), (25, 24)]
    outline = [(x + dx, y + dy) for dx, dy in shape]
    canvas.polygon(outline, WHITE)
    canvas.line([*outline, outline[0]], INK, 2.5)


def tick(canvas: Canvas, centre: Point, size_px: float = 12) -> None:
    """Draw a tick."""
    x, y = centre
    points = [(x - size_px, y), (x - size_px * 0.2, y + size_px * 0.8), (x + size_px, y - size_px)]
    canvas.line(points, TICK, 4.5)


def loudspeaker(canvas: Canvas, centre: Point) -> None:
    """Draw a loudspeaker, for audio."""
    x, y = centre
    canvas.ellipse((x - 26, y - 26, x + 26, y + 26), BLUE)
    cone = [(-15, -6), (-8, -6), (1, -14), (1, 14), (-8, 6), (-15, 6)]
    canvas.polygon([(x + dx, y + dy) for dx, dy in cone], WHITE)
    for radius in (9, 16):
        canvas.arc((x - radius, y - radius, x + radius, y + radius), (-42, 42), WHITE, 3)


def window(canvas: Canvas, box: tuple[float, float, float, float], title: str) -> None:
    """Draw a window of the file manager."""
    left, top, right, _ = box
    canvas.rectangle(box, WHITE, PALE, radius_px=10)
    canvas.rectangle((left, top, right, top + 38), PALE, radius_px=10)
    canvas.text((left + 18, top + 19), title, SMALL_PX, INK, anchor="lm")
    for number, shade in enumerate((GREY, GREY, INK)):
        x = right - 76 + number * 26
        canvas.ellipse((x - 6, top + 13, x + 6, top + 25), shade)


def console(canvas: Canvas, top: float, lines: Sequence[str]) -> None:
    """Draw the window in which the program runs; what the user does follows a `|` in a line."""
    bottom = top + 30 + 31 * len(lines)
    canvas.rectangle((20, top, canvas.width_px - 20, bottom), CONSOLE, radius_px=10)
    for number, text in enumerate(lines):
        output, _, action = text.partition("|")
        y = top + 30 + 31 * number
        canvas.text((40, y), output, 20, CONSOLE_TEXT, anchor="lm")
        canvas.text((canvas.width_px - 40, y), action, 20, ANSWER, anchor="rm")
