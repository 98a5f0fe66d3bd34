"""python -m tools.pictures [FOLDER]

Draw the documentation's pictures: one for each step, an overview, and how data flows. The video in
them is a film of `demo/film.py`, matted with the film's own alpha, not by a network.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from demo.film import Film
from tools.canvas import BLUE, GREY, INK, PALE, Canvas
from tools.data_flow import data_flow
from tools.icons import (
    Picture,
    batch_file,
    console,
    folder,
    label,
    loudspeaker,
    pointer,
    tick,
    video,
    window,
)

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDTH_PX = 1000
SEED = 225
SIZE_PX = (384, 216)
GREEN = np.array((0x78, 0xFF, 0x9B), np.float32)
FRAME_NUMBERS = (40, 70, 100, 130, 160)  # in the film
MIDDLE_Y = 136  # of the icons in a window
WINDOW_BOTTOM, CONSOLE_TOP = 280, 294
LEFT_X, BATCH_X, RIGHT_X = 150, 480, 820


def source_frames() -> list[Picture]:
    """Return some frames of the film."""
    film = Film(SEED, *SIZE_PX)
    return [np.ascontiguousarray(film[number].rgb.transpose(1, 2, 0)) for number in FRAME_NUMBERS]


def matted_frames() -> list[Picture]:
    """Return the same frames on solid green."""
    film = Film(SEED, *SIZE_PX)
    frames = []
    for number in FRAME_NUMBERS:
        frame = film[number]
        alpha = frame.alpha.transpose(1, 2, 0)
        rgb = frame.foreground.transpose(1, 2, 0) * 255 * alpha + GREEN * (1 - alpha)
        frames.append(np.clip(rgb + 0.5, 0, 255).astype(np.uint8))
    return frames


def overview() -> Canvas:
    """Draw all steps in one: from a video to the people in it on green."""
    canvas = Canvas(WIDTH_PX, 330)
    before, after = source_frames(), matted_frames()
    video(canvas, (150, 140), before[2], 250)
    label(canvas, (150, 262), "clip.mp4", "your video, hours long")
    canvas.arrow((292, 140), (362, 140), BLUE)
    for number, (old, new) in enumerate(zip(before[:4], after, strict=False)):
        x = 376 + number * 64
        for y, picture in ((62, old), (160, new)):
            canvas.picture((x, y, x + 56, y + 58), picture[:, 84:-92])
        canvas.arrow((x + 28, 124), (x + 28, 156), GREY)
    label(canvas, (500, 262), "segment by segment", "stop any time, continue later")
    canvas.arrow((638, 140), (708, 140), BLUE)
    video(canvas, (850, 140), after[2], 250)
    loudspeaker(canvas, (950, 206))
    label(canvas, (850, 262), "clip_MATTED.mp4", "only the people, with the audio")
    return canvas


def setup() -> Canvas:
    """Draw setup, before the first video: a double click."""
    canvas = Canvas(WIDTH_PX, 294)
    window(canvas, (20, 14, WIDTH_PX - 20, WINDOW_BOTTOM), "this program's folder")
    batch_file(canvas, (LEFT_X, MIDDLE_Y), "setup")
    pointer(canvas, (LEFT_X + 26, MIDDLE_Y + 20))
    label(canvas, (LEFT_X, 228), "setup.bat", "double-click it once")
    canvas.arrow((LEFT_X + 90, MIDDLE_Y), (LEFT_X + 190, MIDDLE_Y), BLUE)
    for number, text in enumerate(("Python", "your graphics card", "the disk")):
        y = 96 + number * 40
        tick(canvas, (380, y))
        canvas.text((406, y), text, 22, INK, anchor="lm")
    label(canvas, (480, 228), "it checks what is there", "and downloads what is missing")
    canvas.arrow((604, MIDDLE_Y), (660, MIDDLE_Y), BLUE)
    for number in range(5):
        x = 696 + number * 62
        canvas.rectangle((x - 26, 98, x + 26, 172), PALE, GREY, radius_px=6)
        canvas.text((x, 135), str(number), 38, BLUE)
    label(canvas, (820, 228), "the other batch files", "are ready")
    return canvas


def drop(
    name: str,
    number: int,
    draw_input: Callable[[Canvas], None],
    draw_output: Callable[[Canvas], None],
    lines: Sequence[str],
) -> Canvas:
    """Draw a step: what is dropped on which batch file, what it makes, and what it prints."""
    canvas = Canvas(WIDTH_PX, CONSOLE_TOP + 44 + 31 * len(lines))
    window(canvas, (20, 14, WIDTH_PX - 20, WINDOW_BOTTOM), "your videos, and this program")
    draw_input(canvas)
    canvas.arrow((LEFT_X + 115, MIDDLE_Y), (BATCH_X - 72, MIDDLE_Y), BLUE, dashed=True)
    canvas.text(((LEFT_X + BATCH_X) / 2 + 22, MIDDLE_Y - 26), "drag and drop", 18, GREY)
    batch_file(canvas, (BATCH_X, MIDDLE_Y), str(number))
    pointer(canvas, (BATCH_X - 62, MIDDLE_Y + 22))
    label(canvas, (BATCH_X, 228), name)
    canvas.arrow((BATCH_X + 80, MIDDLE_Y), (RIGHT_X - 115, MIDDLE_Y), BLUE)
    canvas.text(((BATCH_X + RIGHT_X) / 2 - 16, MIDDLE_Y - 26), "makes", 18, GREY)
    draw_output(canvas)
    console(canvas, CONSOLE_TOP, lines)
    return canvas


def segment() -> Canvas:
    """Draw step 1."""

    def draw_input(canvas: Canvas) -> None:
        video(canvas, (LEFT_X, MIDDLE_Y), source_frames()[2])
        label(canvas, (LEFT_X, 228), "clip.mp4", "your video")

    def draw_output(canvas: Canvas) -> None:
        folder(canvas, (RIGHT_X, MIDDLE_Y), source_frames()[:3])
        label(canvas, (RIGHT_X, 228), "clip_segments", "your video in segments")

    lines = [
        "Seconds per segment [15]:|press Enter",
        r"Cut: 1800 frames in 4 segments, all checked: D:\Videos\clip_segments",
        "Time taken: ...  Next: drop the folder clip_segments on 2_infer.bat.",
    ]
    return drop("1_segment.bat", 1, draw_input, draw_output, lines)


def infer() -> Canvas:
    """Draw step 2."""

    def draw_input(canvas: Canvas) -> None:
        folder(canvas, (LEFT_X, MIDDLE_Y), source_frames()[:3])
        label(canvas, (LEFT_X, 228), "clip_segments")

    def draw_output(canvas: Canvas) -> None:
        folder(canvas, (RIGHT_X, MIDDLE_Y), matted_frames()[:3])
        label(canvas, (RIGHT_X, 228), "clip_segments_matted", "the people on green")

    lines = [
        "Shut the computer down when this is finished? (y/n) [n]:|press Enter",
        "Matting on the graphics card ...",
        "A trial with ... frames: ... All 1800 take about ..., until about ...",
        "Matting 37%, 666/1800, ... fps, ... left, segment 2/4",
    ]
    return drop("2_infer.bat", 2, draw_input, draw_output, lines)


def combine() -> Canvas:
    """Draw step 3."""

    def draw_input(canvas: Canvas) -> None:
        folder(canvas, (LEFT_X, MIDDLE_Y), matted_frames()[:3])
        label(canvas, (LEFT_X, 228), "clip_segments_matted")

    def draw_output(canvas: Canvas) -> None:
        video(canvas, (RIGHT_X, MIDDLE_Y), matted_frames()[2])
        label(canvas, (RIGHT_X, 228), "one video in that folder", "no audio yet")

    lines = [
        "4 segments joined, 1800 frames, all checked: ...",
        "Time taken: ...  Next: drop your video clip.mp4 on 4_add_audio.bat.",
    ]
    return drop("3_combine.bat", 3, draw_input, draw_output, lines)


def add_audio() -> Canvas:
    """Draw step 4."""

    def draw_input(canvas: Canvas) -> None:
        video(canvas, (LEFT_X, MIDDLE_Y), source_frames()[2])
        label(canvas, (LEFT_X, 228), "clip.mp4", "your video again")

    def draw_output(canvas: Canvas) -> None:
        video(canvas, (RIGHT_X, MIDDLE_Y), matted_frames()[2])
        loudspeaker(canvas, (RIGHT_X + 104, MIDDLE_Y))
        label(canvas, (RIGHT_X, 228), "clip_MATTED.mp4", "ready to watch")

    return drop(
        "4_add_audio.bat",
        4,
        draw_input,
        draw_output,
        [r"Done. 1:00 long, ... MB: D:\Videos\clip_MATTED.mp4"],
    )


PICTURES: dict[str, Callable[[], Canvas]] = {
    "overview.png": overview,
    "0_setup.png": setup,
    "1_segment.png": segment,
    "2_infer.png": infer,
    "3_combine.png": combine,
    "4_add_audio.png": add_audio,
    "data_flow.png": data_flow,
}


def main(arguments: Sequence[str]) -> None:
    """Draw all of them, into the given folder or else the documentation's own."""
    target = Path(arguments[0]) if arguments else IMAGES
    target.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        content = draw().png()
        (target / name).write_bytes(content)
        print(f"{target / name}: {len(content) // 1024 + 1} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
