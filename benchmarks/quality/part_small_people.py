"""People who are small in the picture: seen once, and seen a second time, larger."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import torch

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import HD, Clip
from benchmarks.quality.made_clips import write_video
from benchmarks.quality.metrics import frame_mad, mean, sad_by_area
from benchmarks.results import table
from matting.network_choice import SmallPeople

TITLE = "Small people seen a second time"
ONCE_TWICE = ("once", "twice")
HEAD = [
    "clip",
    *(f"{what}: {each}" for what in ("SAD / area", "MAD", "first frame") for each in ONCE_TWICE),
    "CPU s: once",
    "twice",
    "seen twice",
]
ABOUT = (
    "By the program with `--small-people off` (once) and `auto` (twice); clips of 24 frames, "
    "1280x720, at the automatic ratio. SAD / area: the summed difference of alpha against the "
    "person's area, of all frames, and of the first that somebody is in; MAD: the mean difference "
    "x 1e3. CPU s: seconds of the processor that `infer` took, which other work hardly changes. "
    "Seen twice: in how many frames a second view counts."
)
FRAMES = 24
HEIGHTS_PX = (150, 300)
DRAWN_SEEDS = (1_001, 1_002, 1_003)
PUPPETS_HEIGHT_PX = 180  # of the drawn picture that each person is in


def run(bench: Bench) -> str:
    """Return a table: the error of every clip once and twice, and how long matting took."""
    rows = []
    for group in _groups(bench):
        measured = []
        for clip in group:
            once, twice = (_measure(bench, clip, choice) for choice in reversed(SmallPeople))
            measured.append((once, twice))
            rows.append([clip.name, *_cells(once, twice)])
        if measured:
            means = (_mean_of(each) for each in zip(*measured, strict=True))
            rows.append([f"**{cell}**" for cell in ("mean", *_cells(*means))])
    return f"{ABOUT}\n\n{table(HEAD, rows)}"


def _cells(once: _Measured, twice: _Measured) -> list[str]:
    """Return a row of the table, after its name."""
    both = once, twice
    return [
        *(f"{each.error:.3f}" for each in both),
        *(f"{each.mad:.2f}" for each in both),
        *(f"{each.first_error:.3f}" for each in both),
        *(f"{each.cpu_seconds:.1f}" for each in both),
        f"{twice.seen_twice:.0f}",
    ]


def _groups(bench: Bench) -> Iterator[Iterator[Clip]]:
    """Yield the clips, in groups of which the means are of interest."""
    yield from (_placed(bench, height) for height in HEIGHTS_PX)
    yield _drawn(bench)


def _placed(bench: Bench, height_px: int) -> Iterator[Clip]:
    for clip in bench.truth():
        yield bench.placed_small(clip, height_px, frames=FRAMES)


def _drawn(bench: Bench) -> Iterator[Clip]:
    """Yield drawn people: one, three at once, and one who comes in and goes out again."""
    films = [bench.drawn(seed, frames=FRAMES) for seed in DRAWN_SEEDS]
    still = [(0.45, 0.5)] * FRAMES
    yield _scene(bench.folder, "drawn, one", films[:1], [still])
    places = [[(x, y)] * FRAMES for x, y in ((0.05, 0.2), (0.4, 0.7), (0.7, 0.3))]
    yield _scene(bench.folder, "drawn, three", films, places)
    way = [(-0.25 + 0.5 * min(i, FRAMES - i) / (FRAMES / 2), 0.6) for i in range(FRAMES)]
    yield _scene(bench.folder, "drawn, in and out", films[:1], [way])


def _scene(
    folder: Path, name: str, films: Sequence[Clip], places: Sequence[Sequence[tuple[float, float]]]
) -> Clip:
    """Return drawn people, reduced, over the first film's own background, darkened.

    Args:
        places: of each film, where its picture begins in each frame, in shares of the whole.
    """
    step = HD.height // PUPPETS_HEIGHT_PX
    rgb, alphas = [], []
    for index in range(FRAMES):
        frame = torch.full((3, HD.height, HD.width), 0.35)
        frame += torch.linspace(-0.15, 0.15, HD.width)
        alpha = torch.zeros(1, HD.height, HD.width)
        for film, place in zip(films, places, strict=True):
            if film.foreground is None:
                raise ValueError(f"the foreground of {film.name} is not known")
            own = film.alpha_codes[index][None].float() / 255
            layers = torch.cat((own, film.foreground[index].float() / 255 * own))
            small = torch.nn.functional.avg_pool2d(layers, step)
            x, y = (round(s * side) for s, side in zip(place[index], HD, strict=True))
            rows = slice(max(0, y), min(HD.height, y + small.shape[1]))
            columns = slice(max(0, x), min(HD.width, x + small.shape[2]))
            part = small[:, rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
            rest = 1 - part[:1]
            frame[:, rows, columns] = frame[:, rows, columns] * rest + part[1:]
            alpha[:, rows, columns] = alpha[:, rows, columns] * rest + part[:1]
        rgb.append((frame.clamp(0, 1) * 255 + 0.5).to(torch.uint8))
        alphas.append((alpha[0] * 255 + 0.5).to(torch.uint8))
    path = folder / f"{name.replace(', ', '_').replace(' ', '_')}.mp4"
    return Clip(name, write_video(path, rgb), torch.stack(alphas))


@dataclass(frozen=True)
class _Measured:
    """What came of a clip.

    Attributes:
        error, first_error: SAD / area, of all frames and of the first that somebody is in.
        mad: x 1e3.
        cpu_seconds: of the processor, that `infer` took.
        seen_twice: in how many frames a second view counts.
    """

    error: float
    first_error: float
    mad: float
    cpu_seconds: float
    seen_twice: float


def _mean_of(all_measured: Sequence[_Measured]) -> _Measured:
    return _Measured(*(mean(values) for values in zip(*map(astuple, all_measured), strict=True)))


def _measure(bench: Bench, clip: Clip, small_people: SmallPeople) -> _Measured:
    matte = replace(bench.options.matte, small_people=small_people)
    matted = bench.matte(clip, replace(bench.options, matte=matte))
    first = int(clip.alpha.sum((1, 2)).nonzero()[0])
    shown = slice(first, first + 1)
    seen = re.search(r"People are small in ([\d,]+) of", matted.said)
    return _Measured(
        error=sad_by_area(matted.alpha, clip.alpha),
        first_error=sad_by_area(matted.alpha[shown], clip.alpha[shown]),
        mad=mean(frame_mad(matted.alpha, clip.alpha)),
        cpu_seconds=matted.cpu_seconds,
        seen_twice=int(seen[1].replace(",", "")) if seen else 0,
    )
