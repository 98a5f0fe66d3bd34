"""How many frames bring a lost state back: the alpha after a cut, against one uncut pass.

python -m benchmarks.warm_up                                 the demo's network on drawn films
python -m benchmarks.warm_up --checkpoint W --videos A B     another network on other videos

For every cut, the network starts without a state some frames before it, and its alpha from the
cut on is held against that of a pass which saw everything. Short videos are played forwards and
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
from matting.imaging.sample_format import SampleFormat
from matting.inference.session import automatic_ratio
from matting.media.video_source import VideoSource
from matting.options import Subject
from matting.workers.matting_stage import WARM_UP_FRAMES
from model import MattingNetwork, State, load_network, optimise_for_inference

TITLE = "Warm-up after a lost state"
LENGTHS = (0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 120)
AFTER = (0, 1, 2, 5, 10, 20, 40)
CUTS = (200, 240)  # late: near its start, the uncut pass knows little more than a warm-up
VISIBLE = 1 / 255
MOST_OFF = 0.001  # of the pixels by more than VISIBLE: a state that is as good as kept
FILM_SIZE = (320, 180)


@dataclass(frozen=True)
class Errors:
    """Alpha in [0, 1] against the uncut pass, over the pixels of one frame or of many.

    Attributes:
        mean: absolute difference.
        most: absolute difference.
        share: of pixels that differ by more than 1/255.
    """

    mean: float
    most: float
    share: float

    @classmethod
    def of(cls, alpha: Tensor, truth: Tensor) -> Errors:
        error = (alpha - truth).abs()
        return cls(float(error.mean()), float(error.max()), float((error > VISIBLE).float().mean()))

    @classmethod
    def joined(cls, found: Sequence[Errors]) -> Errors:
        """Means of the means and shares, and the largest error of all."""
        return cls(
            sum(e.mean for e in found) / len(found),
            max(e.most for e in found),
            sum(e.share for e in found) / len(found),
        )


Curve = dict[tuple[int, int], list[Errors]]  # by warm-up and frames after the cut


@dataclass(frozen=True)
class Start:
    """A network that starts without a state `length` frames before the frame `cut`."""

    cut: int
    length: int


@torch.inference_mode()
def measure(
    network: MattingNetwork, film: Sequence[Tensor], ratio: float, cuts: Sequence[int]
) -> Curve:
    """The errors after every cut, in one pass over the film with all starts beside it.

    Frame by frame, since a batch of states would not stay in the processor's caches.

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


def drawn(seed: int, frames: int) -> list[Tensor]:
    """The first frames of a film: one shot, no flashes."""
    film = Film(seed, *FILM_SIZE, frames=frames, cuts=(), flashes=())
    return [torch.from_numpy(frame.rgb) for frame in film]


def filmed(video: Path, frames: int) -> list[Tensor]:
    """The first frames of a video, which turns back at its ends until there are enough."""
    chunks = VideoSource(video).chunks(1)
    pictures = [
        convert_planes(chunk.pictures, SampleFormat()).luma_or_rgb[0]
        for chunk in islice(chunks, frames)
    ]
    there_and_back = [*pictures, *pictures[-2:0:-1]]
    return [there_and_back[i % len(there_and_back)] for i in range(frames)]


def recommended(curve: Curve) -> int | None:
    """The shortest warm-up after which a state is as good as kept; None: none of them is.

    At no frame after the cut, more than `MOST_OFF` of the pixels differ by more than 1/255.
    """
    for length in LENGTHS:
        if all(
            Errors.joined(found).share <= MOST_OFF
            for key, found in curve.items()
            if key[0] == length
        ):
            return length
    return None


def tables(curve: Curve) -> str:
    """The curve for people: a row for each warm-up, a column for each frame after the cut."""
    shown: list[tuple[str, Callable[[Errors], str]]] = [
        ("Pixels off by more than 1/255, in percent", lambda e: f"{e.share * 100:.3f}"),
        ("Mean absolute error, in 1/255", lambda e: f"{e.mean * 255:.4f}"),
        ("Largest error of all pixels and cuts, in 1/255", lambda e: f"{e.most * 255:.1f}"),
    ]
    head = ["warm-up"] + [f"+{after}" for after in AFTER]
    return "\n".join(
        f"{title}:\n\n"
        + table(
            head,
            [[str(n)] + [cell(Errors.joined(curve[n, after])) for after in AFTER] for n in LENGTHS],
        )
        for title, cell in shown
    )


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warm_up", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--videos", type=Path, nargs="*", help="instead of drawn films")
    parser.add_argument("--subject", default="portrait", choices=("portrait", Subject.FULL_BODY))
    parser.add_argument("--films", type=int, default=4, help="how many films to draw")
    parser.add_argument("--record", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measures, prints, and records where asked to."""
    options = parse()
    torch.set_num_threads(1)  # one core; also keeps the numbers the same
    network = optimise_for_inference(load_network(options.checkpoint), torch.float32)
    frames = max(CUTS) + max(AFTER) + 1
    sources: list[tuple[str, Callable[[], list[Tensor]]]] = [
        (f"film {seed}", partial(drawn, seed, frames)) for seed in EVALUATION_SEEDS[: options.films]
    ]
    if options.videos:
        sources = [(path.name, partial(filmed, path, frames)) for path in options.videos]
    curve: Curve = {}
    for name, read in sources:
        film = read()
        height, width = film[0].shape[-2:]
        ratio = automatic_ratio(width, height, options.subject)
        print(f"{name}: {width}x{height}, ratio {ratio:.3f}", flush=True)
        for key, found in measure(network, film, ratio, CUTS).items():
            curve.setdefault(key, []).extend(found)
    length = recommended(curve)
    text = (
        f"{options.checkpoint.name} on {len(sources)} "
        f"{'videos' if options.videos else 'drawn films'}, cuts before the frames "
        f"{', '.join(map(str, CUTS))}. {measured_on()}\n\n{tables(curve)}\n"
        f"Shortest warm-up that leaves at most {MOST_OFF:.1%} of the pixels off by more than "
        f"1/255 at every frame after the cut: {length if length is not None else 'none of these'}."
        f" Set: {WARM_UP_FRAMES}."
    )
    print(text)
    if options.record:
        write_section(f"{TITLE}: {options.checkpoint.stem}", text)


if __name__ == "__main__":
    main()
