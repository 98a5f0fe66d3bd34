"""Both eyes of stereo: matted in one picture, each by itself, or with what the other eye saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass

import torch

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import HD
from benchmarks.quality.eye_matching import Eye
from benchmarks.quality.metrics import dtssd, frame_mad, mean
from benchmarks.quality.stereo_clips import StereoClip, drawn_in_stereo, person_in_stereo
from benchmarks.quality.stereo_cost import cost_table
from benchmarks.quality.stereo_fusion import (
    FUSIONS,
    Pair,
    estimated_matches,
    fused,
    match_frames,
    true_matches,
)
from benchmarks.quality.stereo_matting import (
    COLUMNS,
    ROWS,
    Alphas,
    each_by_itself,
    in_one_picture,
)
from benchmarks.quality.stereo_sign import Sign, sign_of, sign_table
from benchmarks.results import table
from demo.film import EVALUATION_SEEDS
from matting.demo import CHECKPOINT as DEMO_CHECKPOINT
from matting.imaging.sample_format import Size
from matting.inference.rvm import RvmNetwork
from matting.inference.session import automatic_ratio
from matting.inference.weights import find_checkpoint, load_checkpoint
from matting.network_choice import Subject
from matting.progress import Progress

TITLE = "Both eyes"
FRAMES, LARGE_FRAMES = 6, 4
DRAWN_SIZE = Size(640, 360)
DEMO_RATIO = 0.375  # of 1280x720: the larger of the sizes that the demo's network was trained at
TRUTH = "the truth"
SIDE_BY_SIDE, STACKED = "side by side", "one above the other"
BY_ITSELF, ONE_STATE = "each by itself", "one state"
NOT_FUSED = (SIDE_BY_SIDE, STACKED, BY_ITSELF, ONE_STATE)
MEASURES = ("MAD", "MSE", "dtSSD", "disagreement", "areas")
ABOUT = (
    f"Stereo with known alpha and disparity, {FRAMES} frames ({LARGE_FRAMES} of 1280x720): people "
    "before a background that is farther away (flat as cards, 496x288 an eye, 6 px of parallax), "
    "and drawn films, whose parts have depths of their own; each eye encoded by itself. Every way "
    "has a run-up, and the ratio by one eye. One state: the states of both eyes averaged at true "
    "matches after every frame. Fused: of the eyes by themselves, alpha where both eyes see the "
    "same thing, by the true disparity, or by one that is found from the small copies (blocks of "
    "15 px, where both eyes' agree to a pixel).\n\n"
    "MAD, MSE x 1e3 and dtSSD x 1e2 against the truth, means of both eyes; disagreement: the mean "
    "difference of both eyes' alphas at true matches, x 1e3; areas: by how much the two areas "
    "differ, in % of the true one. Worse: on how many films MAD is above that of each eye by "
    "itself, and by how much at most."
)


@dataclass(frozen=True)
class Figures:
    """What is measured of a way, in the order of MEASURES; see ABOUT."""

    mad: float
    mse: float
    dtssd: float
    disagreement: float
    areas: float


@dataclass(frozen=True)
class Measured:
    """What is measured of a film, by the name of each way, and of its truth.

    Attributes:
        signs: of the ways that are not fused, and the truth.
    """

    figures: Mapping[str, Figures]
    signs: Mapping[str, Sign]


def run(bench: Bench) -> str:
    """Measure all ways on all films, and print each film as it is done."""
    progress = Progress()
    asked = load_checkpoint(find_checkpoint(bench.options.matte.checkpoint, progress)).network
    demo = load_checkpoint(DEMO_CHECKPOINT).network
    if not isinstance(asked, RvmNetwork) or not isinstance(demo, RvmNetwork):
        raise TypeError("states can be averaged of RVM only")
    measured: dict[str, Measured] = {}
    for name, clip in _clips(bench):
        by_demo = name.endswith(DEMO_CHECKPOINT.stem)
        measured[name] = measure(clip, demo if by_demo else asked, by_demo=by_demo)
        figures = measured[name].figures.items()
        print(name, {way: f"{f.mad:.2f} {f.disagreement:.2f}" for way, f in figures}, flush=True)
    return f"{report(measured)}\n{cost_table(asked)}"


def report(measured: Mapping[str, Measured]) -> str:
    """Return the tables of what was measured of each film."""
    signs = {name: [m.signs[way] for way in NOT_FUSED] for name, m in measured.items()}
    sign = sign_table(signs, [m.signs[TRUTH] for m in measured.values()])
    tables = _tables({name: m.figures for name, m in measured.items()})
    return "\n".join((f"{ABOUT}\n", *tables, sign))


def measure(clip: StereoClip, network: RvmNetwork, *, by_demo: bool) -> Measured:
    """Return what is measured of a film in every way, and of its truth.

    Args:
        by_demo: whether the network is the demo's, which wants a ratio of its own.
    """
    ratio = automatic_ratio(clip.size, Subject.FULL_BODY)
    if by_demo and clip.size == HD:
        ratio = DEMO_RATIO
    inference = network.for_inference(torch.float32, torch.device("cpu"))
    left, right = (eye.alpha for eye in clip.eyes)
    alone, with_one_state = each_by_itself(inference, clip, ratio)
    ways: dict[str, Alphas] = {
        TRUTH: (left, right),
        SIDE_BY_SIDE: in_one_picture(inference, clip, ratio, COLUMNS),
        STACKED: in_one_picture(inference, clip, ratio, ROWS),
        BY_ITSELF: alone,
        ONE_STATE: with_one_state,
    }
    true = true_matches(clip)
    signs = {way: sign_of(alphas, clip, true, ratio) for way, alphas in ways.items()}
    for disparity, matches in (("true", true), ("found", estimated_matches(clip, ratio))):
        for name, fusion in FUSIONS.items():
            ways[f"fused, {disparity}: {name}"] = fused(alone, *matches, fusion)
    return Measured({way: compare(alphas, clip, true) for way, alphas in ways.items()}, signs)


def compare(alphas: Alphas, clip: StereoClip, matches: tuple[Pair, Pair]) -> Figures:
    """Return the figures of both eyes' alphas.

    Args:
        matches: the true ones.
    """
    truths = [eye.alpha[:, 0] for eye in clip.eyes]
    both = list(zip((alpha[:, 0] for alpha in alphas), truths, strict=True))
    areas = [alpha.sum((1, 2, 3)) for alpha in alphas]
    return Figures(
        mean(value for pair in both for value in frame_mad(*pair)),
        mean(float((own - true).square().mean()) * 1e3 for own, true in both),
        mean(dtssd(*pair) for pair in both),
        mean(disagreements(alphas, matches)) * 1e3,
        float(((areas[0] - areas[1]).abs() / truths[0].sum((1, 2))).mean()) * 100,
    )


def disagreements(alphas: Alphas, matches: tuple[Pair, Pair]) -> list[float]:
    """Return the mean difference of both eyes' alphas at true matches, of each frame."""
    (disparity, _), (seen, _) = matches
    moved = match_frames(alphas[1], disparity, Eye.LEFT)
    differences = (moved - alphas[0]).abs()
    return [float(d[where].mean()) for d, where in zip(differences, seen, strict=True)]


def _clips(bench: Bench) -> Iterator[tuple[str, StereoClip]]:
    """Yield the films, with the name of each."""
    folder = bench.folder
    for clip in bench.truth():
        yield clip.name, person_in_stereo(folder, clip, FRAMES)
    if bench.names:
        return
    for seed in EVALUATION_SEEDS[:2]:
        yield from _by_both(drawn_in_stereo(folder, seed, DRAWN_SIZE, FRAMES))
    yield from _by_both(drawn_in_stereo(folder, EVALUATION_SEEDS[0], HD, LARGE_FRAMES))


def _by_both(film: StereoClip) -> Iterator[tuple[str, StereoClip]]:
    """Yield a drawn film for the network that was asked for, and for the demo's."""
    yield film.name, film
    yield f"{film.name}, {DEMO_CHECKPOINT.stem}", film


def _tables(measured: Mapping[str, Mapping[str, Figures]]) -> Iterator[str]:
    """Yield a table of all ways, and tables of the errors and disagreements on every film."""
    films = list(measured.values())
    names = list(films[0])
    rows = []
    for way in names:
        figures = [mean(column) for column in zip(*(astuple(f[way]) for f in films), strict=True)]
        losses = [film[way].mad - film[BY_ITSELF].mad for film in films]
        worse = f"{sum(loss > 0 for loss in losses)} of {len(films)}"
        known = way not in (TRUTH, BY_ITSELF)
        compared = [worse, f"{max(losses):+.2f}"] if known else ["", ""]
        rows.append([way, *(f"{value:.2f}" for value in figures), *compared])
    yield table(["way", *MEASURES, "worse", "at most"], rows)
    shown = [name for name in names if name != TRUTH]
    for title, field in (("MAD", "mad"), ("Disagreement", "disagreement")):
        yield f"{title}, film by film:\n\n" + table(
            ["film", *shown],
            [
                [name, *(f"{getattr(film[way], field):.2f}" for way in shown)]
                for name, film in measured.items()
            ],
        )
