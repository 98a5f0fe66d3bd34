"""180° pictures: matted as they are, as a fisheye, by flat views, and by views of the people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import MAX_GREY
from benchmarks.quality.metrics import dtssd, frame_mad, gradient_error, mean, sad_by_area
from benchmarks.quality.people_views import people_in, turned_view, window_view
from benchmarks.quality.sphere_people import DRAWN, POSITIONS, people
from benchmarks.quality.sphere_scenes import SphereFilm
from benchmarks.quality.turned_views import PartialView, Shape, Turned, Window
from benchmarks.quality.view_maps import CPU, ViewMap
from benchmarks.quality.view_matting import Cost, matte_views, way_back_loss
from benchmarks.results import table
from matting.demo import CHECKPOINT as DEMO_CHECKPOINT
from matting.imaging.lenses import Lens
from matting.imaging.map_building import Axis
from matting.imaging.sample_format import Size
from matting.inference.base import InferenceNetwork
from matting.inference.crop_window import CELL_SIDE
from matting.inference.weights import find_checkpoint, load_checkpoint
from matting.network_choice import Subject
from matting.progress import Progress
from matting.view import Projection

TITLE = "Where the picture is bent"
SIDE_PX = 1024
FRAMES = 10
ONCE_PX = Subject.FULL_BODY.short_side_px  # the side of the whole picture's small copy
FINER_PX = 608  # with twice as many pixels
FLAT_PX = 240  # of the flat view ahead
LOW_DEG = 45  # below the eye
ONCE, FINER, FISHEYE, FLAT_VIEWS = "once", "once, finer", "fisheye", "flat views"
WINDOWS = "windows"
TURNED = {shape: f"turned, {shape.value}" for shape in Shape}
ABOUT = (
    f"Films of {FRAMES} frames and one eye of {SIDE_PX}x{SIDE_PX}, of people on planes in a room "
    "around the lens, with their exact alpha; all ways see the same frames, and are measured in "
    "the film's own picture. Feet, or where a person is cut off, lie 16 "
    "to 31° below the eye in the middle, 37 to 62° near it, 63 to 66° on the floor. Once: the "
    f"picture as it is, its small copy {ONCE_PX} px wide; finer: {FINER_PX} px; fisheye: as large "
    f"as once; flat views: ahead, above, below and at both sides, {FLAT_PX} px each; windows: "
    "once, and again around each group of people by the rules of `--small-people`, in every "
    "frame; turned: the same with views turned toward them. In the tables of films: SAD / area, "
    "and what of it lies lower than 45° below the eye. There and back: SAD / area of the true "
    "alpha brought to the views and back; the ways themselves bring the network's linear maps "
    "back, and lose none of that. Milliseconds are of the processor, by frame."
)
WAYS = {
    Lens(Projection.HALF_EQUIRECTANGULAR): (
        *(ONCE, FINER, FISHEYE, FLAT_VIEWS, WINDOWS),
        *TURNED.values(),
    ),
    Lens(Projection.FISHEYE, 190.0): (ONCE, WINDOWS, *TURNED.values()),
}
LENS_NAMES = ("180° equirectangular", "Fisheye of 190°")


@dataclass(frozen=True)
class Figures:
    """What came of a film by one way.

    Attributes:
        error: SAD / area.
        low_error: of it, what lies lower than 45 degrees below the eye.
        loss: SAD / area of the true alpha brought to the views, at the picture's own scale, and
            back.
        kilopixels, network_ms, map_ms: for each frame: what the network saw, and how long it and
            the maps took of the processor.
    """

    error: float
    low_error: float
    mad: float
    grad: float
    dtssd: float
    loss: float
    kilopixels: float
    network_ms: float
    map_ms: float


# Of the last table: heads, fields of Figures, and how they are printed.
MEANS = {
    "SAD / area": ("error", ".4f"),
    "of it lower than 45°": ("low_error", ".4f"),
    "MAD": ("mad", ".2f"),
    "Grad": ("grad", ".2f"),
    "dtSSD": ("dtssd", ".2f"),
    "SAD / area there and back": ("loss", ".4f"),
    "network kilopixels": ("kilopixels", ".0f"),
    "network, ms": ("network_ms", ".0f"),
    "maps, ms": ("map_ms", ".0f"),
}


def run(bench: Bench) -> str:
    """Measure every way on every film, and print each film as it is done."""
    networks = [
        ("", _network(bench.options.matte.checkpoint)),
        ("demo network", _network(DEMO_CHECKPOINT)),
    ]
    everybody = list(people(bench, FRAMES))
    sections = [ABOUT]
    for (lens, ways), lens_name in zip(WAYS.items(), LENS_NAMES, strict=True):
        print(lens_name, *ways, sep=" | ", flush=True)
        measure = Measurement(lens, ways)
        found: dict[tuple[str, str], dict[str, Figures]] = {}
        for position, (name, sprites) in product(POSITIONS, everybody):
            film = SphereFilm(sprites, position.of(sprites), lens, SIDE_PX)
            shown = Shown.of(film, len(sprites.layers))
            for label, network in networks if name == DRAWN else networks[:1]:
                who = f"{name}, {label}" if label else name
                found[position.name, who] = figures = dict(measure.figures(network, shown))
                print(position.name, who, *_errors([figures], ways), sep=" | ", flush=True)
        sections.append(f"{lens_name}:\n\n{_tables(found, ways)}")
    return "\n\n".join(sections)


@dataclass(frozen=True)
class Shown:
    """The frames of a film as an encoder gets them, [3, N, N] each, and their alpha [T, N, N]."""

    frames: list[Tensor]
    alpha: Tensor

    @classmethod
    def of(cls, film: SphereFilm, count: int) -> Shown:
        frames, alphas = zip(*(film.frame(index) for index in range(count)), strict=True)
        return cls([(f * MAX_GREY).round() / MAX_GREY for f in frames], torch.stack(alphas))


def _network(checkpoint: Path | None) -> InferenceNetwork:
    path = find_checkpoint(checkpoint, Progress())
    return load_checkpoint(path).network.for_inference(torch.float32, CPU)


class Measurement:
    """All ways to matte what a lens sees."""

    def __init__(self, lens: Lens, ways: Sequence[str], side_px: int = SIDE_PX) -> None:
        self._lens, self._ways, self._side_px = lens, ways, side_px
        self._whole = {
            way: [ViewMap(view, side_px) for view in views]
            for way, views in whole_views(lens)
            if way in ways
        }
        places = Axis.of_samples(side_px, side_px).places(torch.arange(side_px))
        self._low = lens.directions(places, places[:, None])[1] > math.sin(math.radians(LOW_DEG))

    def figures(self, network: InferenceNetwork, shown: Shown) -> Iterator[tuple[str, Figures]]:
        """Yield what comes of a film by each way."""
        true = shown.alpha[0]
        first, once = matte_views(network, self._whole[ONCE], shown.frames)
        for way, maps in self._whole.items():
            alpha, cost = (first, once)
            if way != ONCE:
                alpha, cost = matte_views(network, maps, shown.frames)
            yield way, self._compared(shown, alpha, cost, way_back_loss(true, maps))
        groups = list(people_in(first))
        for way in self._ways[len(self._whole) :]:
            views = [people_view(way, group, self._lens) for group in groups]
            maps = [ViewMap(view, self._side_px) for view in views]
            alpha, cost = matte_views(network, maps, shown.frames, first)
            loss = way_back_loss(true, maps, onto=true)
            yield way, self._compared(shown, alpha, cost + once, loss)

    def _compared(self, shown: Shown, alpha: Tensor, cost: Cost, loss: float) -> Figures:
        low = (alpha - shown.alpha)[:, self._low].abs().sum() / shown.alpha.sum()
        frames = len(shown.frames) - 1  # the first does not count
        return Figures(
            error=sad_by_area(alpha, shown.alpha),
            low_error=float(low),
            mad=mean(frame_mad(alpha, shown.alpha)),
            grad=mean(gradient_error(*pair) for pair in zip(alpha, shown.alpha, strict=True)),
            dtssd=dtssd(alpha, shown.alpha),
            loss=loss,
            kilopixels=cost.pixels / frames / 1e3,
            network_ms=cost.network_seconds / frames * 1e3,
            map_ms=cost.map_seconds / frames * 1e3,
        )


def whole_views(lens: Lens) -> Iterator[tuple[str, list[PartialView]]]:
    """Yield the ways that see the whole picture once, with their views."""
    for way, side in ((ONCE, ONCE_PX), (FINER, FINER_PX)):
        yield way, [Window(lens, -1, -1, 1, 1, Size(side, side))]
    half, size = math.pi / 2, Size(ONCE_PX, ONCE_PX)
    yield FISHEYE, [Turned(lens, Shape.EQUIDISTANT, 0, 0, half, half, size)]
    yield FLAT_VIEWS, list(flat_views(lens))


def flat_views(lens: Lens) -> Iterator[PartialView]:
    """Yield a flat view ahead of 100 degrees, and four from there to the edges, 5 shared."""
    ahead, side = (math.tan(math.radians(own)) for own in (50, 25))
    yield Turned(lens, Shape.FLAT, 0, 0, ahead, ahead, Size(FLAT_PX, FLAT_PX))
    turn = math.radians(70)
    narrow = round(FLAT_PX * side / ahead / CELL_SIDE) * CELL_SIDE
    for sign in (-1, 1):
        upright, level = Size(narrow, FLAT_PX), Size(FLAT_PX, narrow)
        yield Turned(lens, Shape.FLAT, sign * turn, 0, side, ahead, upright)
        yield Turned(lens, Shape.FLAT, 0, sign * turn, ahead, side, level)


def people_view(way: str, group: Tensor, lens: Lens) -> PartialView:
    """Return the view of a group of people, [N, N], bool, that is of this way."""
    shape = next((shape for shape, name in TURNED.items() if name == way), None)
    return window_view(group, lens) if shape is None else turned_view(group, lens, shape)


def _tables(found: Mapping[tuple[str, str], Mapping[str, Figures]], ways: Sequence[str]) -> str:
    """Return the tables of a lens: every film, the means of each place, and of each way."""
    rows = [[*film, *_errors([figures], ways)] for film, figures in found.items()]
    for place in dict.fromkeys(place for place, _ in found):
        films = [figures for (own, _), figures in found.items() if own == place]
        rows.append([f"**{place}**", "**mean**", *_errors(films, ways)])
    films = list(found.values())
    means = [[way, *_means([figures[way] for figures in films])] for way in ways]
    return "\n".join(
        (
            table(["place", "person", *ways], rows),
            "Means of all these films:\n",
            table(["way", *MEANS], means),
        )
    )


def _errors(films: Sequence[Mapping[str, Figures]], ways: Sequence[str]) -> list[str]:
    """Return the mean error of films by each way, and what of it lies low."""
    return [
        f"{mean(film[way].error for film in films):.3f} / "
        f"{mean(film[way].low_error for film in films):.3f}"
        for way in ways
    ]


def _means(figures: Sequence[Figures]) -> list[str]:
    return [
        f"{mean(getattr(own, field) for own in figures):{shape}}" for field, shape in MEANS.values()
    ]
