"""Every clip by itself: the true ones at both sizes, placed small, and drawn films."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import HD, SMALL, Clip
from benchmarks.quality.metrics import (
    ALPHA_HEAD,
    alpha_errors,
    foreground_mse,
    frame_mad,
    mean,
    sad_by_area,
    soft,
)
from benchmarks.results import table

TITLE = "Every clip"
HEAD = [
    "clip",
    "frames",
    *ALPHA_HEAD,
    "first frame",
    "SAD / area",
    "foreground",
    "soft foreground",
    "s",
]
# Large pictures take long: fewer clips, and half of their frames.
PLACED = {150: ("d1", "d3", "d4", "d5", "g2"), 300: ("d1", "d5", "g6")}
DRAWN_SEEDS = (1000, 1001)  # of films that the demo's network was not trained on either
LARGE_FRAMES = 24
ABOUT = (
    "MAD, MSE and foreground errors (MSE) x 1e3, Grad and Conn / 1e3, dtSSD x 1e2; the first frame "
    "is its MAD; SAD / area is the summed difference against the person's; the foreground is "
    "compared where the true alpha is above 0, and where it is soft. Seconds are those of `infer`."
)


def run(bench: Bench) -> str:
    """Measure all clips, group by group, and print each as it is done."""
    sections = [ABOUT]
    for title, clips in _groups(bench):
        rows: list[list[str]] = []
        values: list[list[float]] = []
        for clip in clips:
            figures = measure(bench, clip)
            values.append(figures)
            rows.append([clip.name, str(len(clip)), *_cells(figures)])
            print(" | ".join(rows[-1]), flush=True)
        if rows:
            means = [_mean_of_known(column) for column in zip(*values, strict=True)]
            rows.append(["mean", "", *_cells(means)])
            sections.append(f"{title}:\n\n{table(HEAD, rows)}")
    return "\n\n".join(sections)


def measure(bench: Bench, clip: Clip) -> list[float]:
    """Matte a clip by the bench's options, and return its figures in the order of HEAD."""
    matted = bench.matte(clip)
    truth = clip.alpha
    errors = alpha_errors(matted.alpha, truth)
    colours = [float("nan")] * 2
    if clip.foreground is not None:
        colours = [
            foreground_mse(matted.foreground, clip.foreground, where)
            for where in (truth > 0, soft(truth))
        ]
    return [
        errors.mad,
        errors.mse,
        errors.grad,
        errors.conn,
        errors.dtssd,
        frame_mad(matted.alpha[:1], truth[:1])[0],
        sad_by_area(matted.alpha, truth),
        *colours,
        matted.seconds,
    ]


def _groups(bench: Bench) -> Iterator[tuple[str, Iterator[Clip]]]:
    yield f"People at {SMALL.width}x{SMALL.height}", bench.truth()
    yield f"People at {HD.width}x{HD.height}", bench.truth(HD)
    for height, names in PLACED.items():
        clips = (clip for clip in bench.truth() if clip.name in names)
        yield f"People placed {height} px tall of {HD.height}", _placed(bench, clips, height)
    if not bench.names:
        films = (bench.drawn(seed, frames=LARGE_FRAMES) for seed in DRAWN_SEEDS)
        yield "Drawn films", films


def _placed(bench: Bench, clips: Iterator[Clip], height: int) -> Iterator[Clip]:
    for clip in clips:
        yield bench.placed_small(clip, height, frames=LARGE_FRAMES)


def _mean_of_known(column: Iterable[float]) -> float:
    return mean(value for value in column if not math.isnan(value))


def _cells(figures: list[float]) -> list[str]:
    digits = (2, 2, 2, 2, 2, 2, 3, 2, 2, 1)
    return ["-" if math.isnan(v) else f"{v:.{d}f}" for v, d in zip(figures, digits, strict=True)]
