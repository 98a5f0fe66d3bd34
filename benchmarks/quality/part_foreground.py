"""The colours of half-transparent pixels: the network's own, and made of the colours around."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import Clip
from benchmarks.quality.matting import Matted
from benchmarks.quality.metrics import composite_error, foreground_mse, mean, soft
from benchmarks.results import table
from matting.network_choice import Foreground
from matting.options import MattingOptions

TITLE = "Foreground at soft edges"
FRAMES = 16  # of each clip
PLACED = {"d1": 300, "g6": 560}  # px of 720: the small copy is .6 of the picture there
BACKGROUNDS = {"green": (0, 255, 0), "white": (255, 255, 255), "black": (0, 0, 0)}
HEAD = ["clip", "soft", "soft in both", "with the true alpha"]
HEAD += [f"over {name}" for name in BACKGROUNDS]
ABOUT = (
    f"The first {FRAMES} frames of each clip, `--foreground network` -> `fused`. MSE x 1e3: of the "
    "foreground where the true alpha is soft, and where the one found is, too; of the composite "
    "where either is soft, first with the true alpha, over any background, then with the one found."
)


def run(bench: Bench) -> str:
    """Matte each clip by both, and print each as it is done."""
    rows: list[list[str]] = []
    values: list[list[tuple[float, float]]] = []
    for clip in _clips(bench):
        both = [
            measure(clip, bench.matte(clip, _options(bench, kind)))
            for kind in (Foreground.NETWORK, Foreground.FUSED)
        ]
        values.append(list(zip(*both, strict=True)))
        rows.append([clip.name, *_cells(values[-1])])
        print(" | ".join(rows[-1]), flush=True)
    if rows:
        columns = zip(*values, strict=True)
        means = [(mean(a for a, _ in c), mean(b for _, b in c)) for c in map(list, columns)]
        rows.append(["mean", *_cells(means)])
    return f"{ABOUT}\n\n{table(HEAD, rows)}"


def measure(clip: Clip, matted: Matted) -> list[float]:
    """Return the figures of a clip whose foreground is known, in the order of HEAD."""
    if clip.foreground is None:
        raise ValueError(f"the foreground of {clip.name} is not known")
    truth = clip.alpha, clip.foreground
    found = matted.alpha, matted.foreground
    where = soft(truth[0])
    edges = where | soft(found[0])
    return [
        foreground_mse(found[1], truth[1], where),
        foreground_mse(found[1], truth[1], where & soft(found[0])),
        composite_error((truth[0], found[1]), truth, BACKGROUNDS["black"], edges),
        *(composite_error(found, truth, colour, edges) for colour in BACKGROUNDS.values()),
    ]


def _clips(bench: Bench) -> Iterator[Clip]:
    for clip in bench.truth():
        yield bench.first_frames(clip, FRAMES)
    for clip in bench.truth():
        if clip.name in PLACED:
            yield bench.placed_small(clip, PLACED[clip.name], frames=FRAMES // 2)


def _options(bench: Bench, foreground: Foreground) -> MattingOptions:
    matte = replace(bench.options.matte, foreground=foreground)
    return replace(bench.options, matte=matte)


def _cells(pairs: list[tuple[float, float]]) -> list[str]:
    return [f"{before:.2f} -> {after:.2f}" for before, after in pairs]
