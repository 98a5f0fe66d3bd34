"""--quality best against the normal one, clip by clip: what it gains, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import HD, Clip
from benchmarks.quality.metrics import alpha_errors, mean
from benchmarks.results import table
from matting.network_choice import MatteQuality

TITLE = "The best quality"
FRAMES = {"small": 48, "large": 12}  # of each clip: large pictures take long
PLACED = {150: ("d1", "g2"), 300: ("d5",)}
MEASURES = ("MAD", "MSE", "Grad", "dtSSD")
HEAD = ["clip", "frames", *(f"{name}, {quality}" for name in MEASURES for quality in MatteQuality)]
ABOUT = (
    "Each frame is seen twice, the second time mirrored. Both qualities in turn, on the same "
    "frames, through the program; measures as in the table of every clip."
)


def run(bench: Bench) -> str:
    """Measure both qualities on all clips, and print each clip as it is done."""
    rows: list[list[str]] = []
    columns: list[list[float]] = []
    seconds = dict.fromkeys(MatteQuality, 0.0)
    for clip in _clips(bench):
        errors = {}
        for quality in MatteQuality:
            matte = replace(bench.options.matte, quality=quality)
            matted = bench.matte(clip, replace(bench.options, matte=matte))
            seconds[quality] += matted.seconds
            found = alpha_errors(matted.alpha, clip.alpha)
            errors[quality] = (found.mad, found.mse, found.grad, found.dtssd)
        figures = [value for pair in zip(*errors.values(), strict=True) for value in pair]
        columns.append(figures)
        rows.append([clip.name, str(len(clip)), *(f"{value:.2f}" for value in figures)])
        print(" | ".join(rows[-1]), flush=True)
    means = [mean(values) for values in zip(*columns, strict=True)]
    rows.append(["mean", "", *(f"{value:.2f}" for value in means)])
    gains = (
        f"{name} {100 * (best / normal - 1):+.1f} %"
        for name, normal, best in zip(MEASURES, means[::2], means[1::2], strict=True)
        if normal  # the flicker of a film that stands still
    )
    worst = max(figures[1] - figures[0] for figures in columns)
    ratio = seconds[MatteQuality.BEST] / seconds[MatteQuality.NORMAL]
    return (
        f"{ABOUT}\n\n{table(HEAD, rows)}\nThe means change by: {', '.join(gains)}. "
        f"The clip that loses most changes by {worst:+.2f} in MAD. Time of `infer` by the clock, "
        f"over all clips: {ratio:.2f} times.\n"
    )


def _clips(bench: Bench) -> Iterator[Clip]:
    for clip in bench.truth():
        yield bench.first_frames(clip, min(len(clip), FRAMES["small"]))
    for clip in bench.truth(HD):
        yield bench.first_frames(clip, min(len(clip), FRAMES["large"]))
    for height, names in PLACED.items():
        for clip in bench.truth():
            if clip.name in names:
                yield bench.placed_small(clip, height, frames=FRAMES["large"])
    if not bench.names:
        yield bench.drawn(1000, frames=FRAMES["large"])
