"""The picture in docs/architecture.md: how a video's data flows through the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.canvas import BLUE, GREY, INK, PALE, WHITE, Box, Canvas, Colour, Point

WIDTH_PX, HEIGHT_PX = 1000, 704
LEFT_X, RIGHT_X = 20, 980
BOX_PX, GAP_PX = 78, 34
TITLE_PX, TEXT_PX = 19, 16
DISK: Colour = (255, 241, 205)
PROCESS: Colour = (235, 242, 252)


@dataclass(frozen=True)
class Step:
    """One box: its title, a line about it, and whether it is a file on the disk."""

    title: str
    text: str
    on_disk: bool = False


SEGMENT = (
    Step("clip.mp4", "the source", on_disk=True),
    Step("packet index", "times, key frames"),
    Step("cutter", "copied, or lossless"),
    Step("decode check", "every frame"),
    Step("clip_segments", "and the plan", on_disk=True),
)
INFER = (
    Step("reader", "decode, features"),
    Step("main thread", "recurrent decoder"),
    Step("writer", "render, encode"),
    Step("finisher", "check, publish"),
)
DELIVER = (
    Step("combine", "packets joined"),
    Step("one video", "without audio", on_disk=True),
    Step("add-audio", "mapped, muxed"),
    Step("mux check", "every track"),
    Step("clip_MATTED", "the result", on_disk=True),
)


def data_flow() -> Canvas:
    """Draw how data flows, from the source at the top to the result at the bottom."""
    canvas = Canvas(WIDTH_PX, HEIGHT_PX)
    _heading(canvas, 26, "segment", "matting/cutting")
    segment = _row(canvas, 66, SEGMENT, (LEFT_X, RIGHT_X))
    _heading(canvas, 188, "infer", "matting/workers, inference, imaging, delivery")
    canvas.rectangle((LEFT_X, 228, RIGHT_X, 436), PROCESS, PALE, radius_px=10)
    canvas.text(
        (540, 388),
        "one process, replaced if it fails",
        TEXT_PX,
        GREY,
        anchor="lm",
    )
    infer = _row(canvas, 252, INFER, (LEFT_X + 24, RIGHT_X - 24))
    _state(canvas, infer[1])
    left, _, right, bottom = infer[-1]
    results = (left - 236, 458, right - 236, 458 + BOX_PX)
    _box(canvas, results, Step("COMPOSITE, ...", "recorded when proven", on_disk=True))
    _down(canvas, segment[-1], infer[0])
    x = _centre(infer[-1])[0]
    y = _centre(results)[1]
    canvas.line([(x, bottom + 2), (x, y)], BLUE, 4)
    canvas.arrow((x + 2, y), (results[2] + 3, y), BLUE)
    _heading(canvas, 562, "combine, add-audio", "matting/delivery")
    deliver = _row(canvas, 606, DELIVER, (LEFT_X, RIGHT_X))
    _down(canvas, results, deliver[0], leave_left=True)
    return canvas


def _heading(canvas: Canvas, y: float, command: str, folders: str) -> None:
    canvas.text((RIGHT_X, y), command, TITLE_PX + 3, BLUE, anchor="rm")
    canvas.text((RIGHT_X, y + 22), folders, TEXT_PX, GREY, anchor="rm")


def _row(
    canvas: Canvas, top: float, steps: Sequence[Step], edges: tuple[float, float]
) -> list[Box]:
    """Draw boxes side by side, with arrows between them; return their positions."""
    left, right = edges
    width = (right - left - GAP_PX * (len(steps) - 1)) / len(steps)
    boxes: list[Box] = []
    for number, step in enumerate(steps):
        x = left + number * (width + GAP_PX)
        box = (x, top, x + width, top + BOX_PX)
        if boxes:
            canvas.arrow((x - GAP_PX + 3, top + BOX_PX / 2), (x - 3, top + BOX_PX / 2), BLUE)
        _box(canvas, box, step)
        boxes.append(box)
    return boxes


def _box(canvas: Canvas, box: Box, step: Step) -> None:
    canvas.rectangle(box, DISK if step.on_disk else WHITE, GREY, radius_px=8)
    x, y = _centre(box)
    canvas.text((x, y - 13), step.title, TITLE_PX, INK)
    canvas.text((x, y + 15), step.text, TEXT_PX, GREY)


def _state(canvas: Canvas, decoder: Box) -> None:
    """Draw the recurrent state, which goes from each segment's end to the next one's start."""
    x, bottom = _centre(decoder)[0], decoder[3]
    box = (x - 112, bottom + 32, x + 112, bottom + 32 + 48)
    canvas.rectangle(box, DISK, GREY, radius_px=8)
    canvas.text((x, box[1] + 24), "STATE, for the next segment", TEXT_PX, INK)
    canvas.arrow((x - 16, bottom + 2), (x - 16, box[1] - 2), BLUE)
    canvas.arrow((x + 16, box[1] - 2), (x + 16, bottom + 3), BLUE)


def _down(canvas: Canvas, upper: Box, lower: Box, *, leave_left: bool = False) -> None:
    """Draw an arrow from the end of a row to the start of the next one."""
    target = _centre(lower)[0]
    if leave_left:
        y = (upper[1] + upper[3]) / 2
        canvas.line([(upper[0] - 2, y), (target, y)], BLUE, 4)
    else:
        y = upper[3] + 20
        start = _centre(upper)[0]
        canvas.line([(start, upper[3] + 2), (start, y), (target, y)], BLUE, 4)
    canvas.arrow((target, y - 2), (target, lower[1] - 4), BLUE)


def _centre(box: Box) -> Point:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
