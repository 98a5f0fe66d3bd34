"""How many frames bring a lost state back: the alpha after a cut, compared with one uncut pass.

python -m benchmarks.warm_up                                 the demo's network on drawn films
python -m benchmarks.warm_up --checkpoint W --videos A B     another network on other videos

For every cut, the network starts without a state some frames before it, and its alpha from the
cut on is compared with that of a pass which saw everything. Short videos are played forwards and
backwards until they are long enough, so that no frame jumps.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.results import measured_on, table, write_section
from demo.film import EVALUATION_SEEDS, Film
from matting.demo import CHECKPOINT
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.session import automatic_ratio
from matting.media.video_source import VideoSource
from matting.network_choice import Subject
from matting.workers.matting_stage import WARM_UP_FRAMES
from model import MattingNetwork, State, load_network, optimise_for_inference

TITLE = "Warm-up after a lost state"
LENGTHS = (0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 120)
AFTER = (0, 1, 2, 5, 10, 20, 40)
CUTS = (200, 240)  # late: near its start, the uncut pass knows little more than a warm-up
VISIBLE = 1 / 255
MAX_VISIBLE_SHARE = 0.001  # of the pixels: of a state that is as good as one that was kept
FILM_SIZE = Size(320, 180)


@dataclass(frozen=True)
class Errors:
    """Differences of alpha in [0, 1] from the uncut pass, in one frame or in many.

    Attributes:
        mean, largest: of the absolute difference.
        visible_share: of pixels that differ by more than 1/255.
    """

    mean: float
    largest: float
    visible_share: float

    @classmethod
    def of(cls, alpha: Tensor, truth: Tensor) -> Errors:
        error = (alpha - truth).abs()
        return cls(float(error.mean()), float(error.max()), float((error > VISIBLE).float().mean()))

    @classmethod
    def combine(cls, errors: Sequence[Errors]) -> Errors:
        """Return the means of the means and shares, and the largest error of all."""
        return cls(
            sum(e.mean for e in errors) / len(errors),
            max(e.largest for e in errors),
            sum(e.visible_share for e in errors) / len(errors),
        )


Curve = dict[tuple[int, int], list[Errors]]  # by length of the warm-up and frames after the cut


@dataclass(frozen=True)
class Start:
    """A network that starts without a state `length` frames before the frame `cut`."""

    cut: int
    length: int


@torch.inference_mode()
def measure(
    network: MattingNetwork, film: Sequence[Tensor], ratio: float, cuts: Sequence[int]
) -> Curve:
    """Return the errors after every cut, from one pass over the film with all starts beside it.

    Frame by frame, since a batch of states would not stay in the CPU's caches.

    Args:
        film: its frames, [3, H, W], uint8.
        cuts: each later than the longest warm-up and `max(AFTER)` frames before the end.
    """
    starts = [Start(cut, length) for cut in cuts for length in LENGTHS]
    uncut: State | None = None
    states: dict[Start, State | None] = {}
    curve: Curve = {}
    for index, frame in enumerate(film[: max(cuts) + max(AFTER) + 1]):
        rgb = frame[None].float().div(255)
        _, truth, uncut = network(rgb, uncut, ratio)
        for start in starts:
            after = index - start.cut
            if -start.length <= after <= max(AFTER):
                _, alpha, states[start] = network(rgb, states.get(start), ratio)
                if after >= 0:
                    curve.setdefault((start.length, after), []).append(Errors.of(alpha, truth))
    return curve


def draw_film(seed: int, frames: int) -> list[Tensor]:
    """Return the first frames of a drawn film, [3, H, W], uint8: one shot, no flashes."""
    film = Film(seed, *FILM_SIZE, frames=frames, cuts=(), flashes=())
    return [torch.from_numpy(frame.rgb) for frame in film]


def read_film(video: Path, frames: int) -> list[Tensor]:
    """Return the first frames of a video, [3, H, W], uint8; it turns back at its ends."""
    chunks = VideoSource(video).chunks(1)
    film = [
        convert_planes(chunk.pictures, SampleFormat()).luma_or_rgb[0]
        for chunk in islice(chunks, frames)
    ]
    there_and_back = [*film, *film[-2:0:-1]]
    return [there_and_back[i % len(there_and_back)] for i in range(frames)]


def sufficient_length(curve: Curve) -> int | None:
    """Return the shortest warm-up after which a state is as good as kept; None: none of them is.

    At no frame after the cut, more than MAX_VISIBLE_SHARE of the pixels differ visibly.
    """
    for length in LENGTHS:
        if all(
            Errors.combine(errors).visible_share <= MAX_VISIBLE_SHARE
            for (warm_up, _), errors in curve.items()
            if warm_up == length
        ):
            return length
    return None


def tables(curve: Curve) -> str:
    """Return tables for people: a row for each warm-up, a column for each frame after the cut."""
    figures: list[tuple[str, Callable[[Errors], str]]] = [
        ("Pixels off by more than 1/255, in percent", lambda e: f"{e.visible_share * 100:.3f}"),
        ("Mean absolute error, in 1/255", lambda e: f"{e.mean * 255:.4f}"),
        ("Largest error of all pixels and cuts, in 1/255", lambda e: f"{e.largest * 255:.1f}"),
    ]
    head = ["warm-up"] + [f"+{after}" for after in AFTER]
    return "\n".join(
        f"{title}:\n\n"
        + table(
            head,
            [
                [str(n)] + [cell(Errors.combine(curve[n, after])) for after in AFTER]
                for n in LENGTHS
            ],
        )
        for title, cell in figures
    )


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warm_up", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--videos", type=Path, nargs="*", help="instead of drawn films")
    parser.add_argument("--subject", type=Subject, default=Subject.PORTRAIT, choices=tuple(Subject))
    parser.add_argument("--films", type=int, default=4, help="how many films to draw")
    parser.add_argument("--record", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
    options = parse()
    torch.set_num_threads(1)  # one core; also keeps the figures the same
    network = optimise_for_inference(load_network(options.checkpoint), torch.float32)
    frames = max(CUTS) + max(AFTER) + 1
    sources: list[tuple[str, Callable[[], list[Tensor]]]] = [
        (f"film {seed}", partial(draw_film, seed, frames))
        for seed in EVALUATION_SEEDS[: options.films]
    ]
    if options.videos:
        sources = [(path.name, partial(read_film, path, frames)) for path in options.videos]
    curve: Curve = {}
    for name, read in sources:
        film = read()
        height, width = film[0].shape[-2:]
        ratio = automatic_ratio(Size(width, height), options.subject)
        print(f"{name}: {width}x{height}, ratio {ratio:.3f}", flush=True)
        for key, errors in measure(network, film, ratio, CUTS).items():
            curve.setdefault(key, []).extend(errors)
    length = sufficient_length(curve)
    text = (
        f"{options.checkpoint.name} on {len(sources)} "
        f"{'videos' if options.videos else 'drawn films'}, cuts before the frames "
        f"{', '.join(map(str, CUTS))}. {measured_on()}\n\n{tables(curve)}\n"
        f"Shortest warm-up that leaves at most {MAX_VISIBLE_SHARE:.1%} of the pixels off by more "
        f"than 1/255 at every frame after the cut: "
        f"{length if length is not None else 'none of these'}. Set: {WARM_UP_FRAMES}."
    )
    print(text)
    if options.record:
        write_section(f"{TITLE}: {options.checkpoint.stem}", text)


if __name__ == "__main__":
    main()
