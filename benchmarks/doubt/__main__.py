"""How well signs of doubt rank frames by their true error: python -m benchmarks.doubt [--write]

True clips as they are and made harder, and drawn films, all matted by the program. Ends with 1
where too few of the moments that a report would show are among the worst frames.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import torch

from benchmarks.doubt.disturbed_clips import DISTURBANCES, disturbed
from benchmarks.doubt.ranking import (
    WORST_SHARE,
    SeenClip,
    ShownMoment,
    Values,
    most_hits,
    ranks_of,
    shown_moments,
    weighed,
)
from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import Clip
from benchmarks.quality.made_clips import RATE
from benchmarks.quality.metrics import frame_mad
from benchmarks.results import measured_on, table, write_section
from matting.delivery.sign_collector import DoubtfulFrames
from matting.imaging.frame_signs import DOUBT, SIGNS
from matting.imaging.sample_format import Size
from matting.imaging.small_views import SmallViews
from matting.inference.weights import VARIABLE
from matting.network_choice import Shots
from matting.options import ComputeOptions, MatteOptions, MattingOptions
from matting.project.segment_signs import MOST_APART_SECONDS

TITLE = "Signs of doubt"
MOMENTS = 20
LEAST_HITS = 10  # of MOMENTS
SHARES = 1  # each way in which clips are harder is that of all people
SMALL_PX, SMALL_FRAMES = 150, 24
JOINED_FRAMES = 24  # of each of three clips
DRAWN_SEEDS = range(1_010, 1_014)
DRAWN = Size(640, 360)
APART = math.ceil(RATE * MOST_APART_SECONDS)  # frames from one moment of a clip to the next
DOUBT_NAME = SIGNS[DOUBT]
DOUBTFUL = (0.01, 0.02, 0.03)  # doubts of a frame
BAD = (10, 15)  # MAD x 1e3
ABOUT = (
    "Rank correlation (Spearman) of each sign with the MAD of the same frame: over all frames, "
    "over the means of clips, and within each clip, the mean over clips. Weighed: the logarithm of "
    "the error by those of the signs, least squares; the weights for the clips of a person are "
    "fitted on all other people. Moments: how many of the twenty that a report would show by that "
    f"sign are among the worst {WORST_SHARE:.0%} of the frames. `matting/imaging/frame_signs.py` "
    "says what each sign is."
)


def main() -> int:
    """Measure, print, record where asked to, and hold the moments to their bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doubt", description=__doc__)
    parser.add_argument("--clips", nargs="+", default=(), metavar="NAME", help="default: all")
    parser.add_argument("--checkpoint", type=Path, default=os.environ.get(VARIABLE))
    parser.add_argument(
        "--shares",
        type=int,
        default=SHARES,
        metavar="N",
        help="see one in N of the people in each way that is harder (default: %(default)s)",
    )
    parser.add_argument("--write", action="store_true", help="write the tables to RESULTS.md")
    asked = parser.parse_args()
    torch.set_num_threads(1)  # on pictures this small, threads wait for each other
    options = MattingOptions(MatteOptions(asked.checkpoint), compute=ComputeOptions("cpu"))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="doubt_clips_") as folder:
        clips = list(_seen(Bench(Path(folder), options, asked.clips), asked.shares))
    text, found = report(clips)
    text = f"{(time.monotonic() - started) / 60:.0f} min. {measured_on()}\n\n{text}"
    print(f"\n## {TITLE}\n\n{text}")
    if asked.write:
        write_section(TITLE, text)
    return 0 if found >= LEAST_HITS else 1


def report(clips: Sequence[SeenClip]) -> tuple[str, int]:
    """Return the tables, and how many of the moments of greatest doubt are among the worst."""
    signs = {name: [clip.sign(name) for clip in clips] for name in SIGNS}
    doubts = {
        **signs,
        "clouds and contour, weighed": weighed(clips, ["clouds", "contour"]),
        "all, weighed": weighed(clips, SIGNS),
    }
    kinds = list(dict.fromkeys(clip.kind for clip in clips))
    rows = []
    for name, values in doubts.items():
        within = (_within(clips, values, kind) for kind in kinds)
        bad = sum(own.is_bad for own in shown_moments(clips, values, MOMENTS, moments_in_a_film))
        rows.append([name, *ranks_of(clips, values).cells(), str(bad), *within])
    head = ["sign", "frames", "clips", "within a clip", "moments", *kinds]
    frames = sum(len(clip.errors) for clip in clips)
    moments = shown_moments(clips, [clip.doubt for clip in clips], MOMENTS, moments_in_a_film)
    found, possible = sum(own.is_bad for own in moments), most_hits(clips, MOMENTS, APART)
    about = (
        f"{ABOUT} {len(clips)} clips, {frames:,} frames. The last columns: within a clip, by kinds."
    )
    told = (
        f"Of the {len(moments)} moments of greatest doubt that a report of all clips would show, "
        f"{found} are among the worst {WORST_SHARE:.0%} of the frames by truth; the bound is "
        f"{LEAST_HITS}. Moments of a clip are a second apart, so that {possible} is the most that "
        f"any doubt could find of these clips: {found / max(1, possible):.0%} of it are found."
    )
    parts = (about, table(head, rows), told, _moments(moments), _limits(clips))
    return "\n\n".join(part.strip() for part in parts), found


def _moments(moments: Sequence[ShownMoment]) -> str:
    """Return a table of the moments that are shown, the most doubtful first."""
    rows = [
        [
            own.clip.kind,
            own.clip.person,
            str(own.frame),
            f"{own.doubt:.4f}",
            f"{own.error:.1f}",
            "yes" if own.is_bad else "no",
        ]
        for own in moments
    ]
    return table(["clips", "person", "frame", DOUBT_NAME, "MAD", "among the worst"], rows)


def _within(clips: Sequence[SeenClip], values: Sequence[Values], kind: str) -> str:
    pairs = [pair for pair in zip(clips, values, strict=True) if pair[0].kind == kind]
    return f"{ranks_of([clip for clip, _ in pairs], [own for _, own in pairs]).within:.2f}"


def _limits(clips: Sequence[SeenClip]) -> str:
    """Return how many frames of some doubt are as bad as that, and how many of these it finds."""
    doubts = np.concatenate([clip.doubt for clip in clips])
    errors = np.concatenate([clip.errors for clip in clips])
    rows = []
    for limit in DOUBTFUL:
        above = doubts > limit
        cells = [
            f"{(errors[above] > bad).mean():.0%} / {above[errors > bad].mean():.0%}" for bad in BAD
        ]
        rows.append([f"{limit}", f"{above.mean():.1%}", *cells])
    head = [f"{DOUBT_NAME} above", "frames", *(f"MAD above {bad}: right / found" for bad in BAD)]
    return table(head, rows)


def _seen(bench: Bench, shares: int) -> Iterator[SeenClip]:
    """Matte all clips, and print each as it is done."""
    cold = replace(bench.options.matte, shots=Shots.OFF)
    half = replace(bench.options.matte, ratio=0.5)
    for kind, person, clip in _clips(bench, shares):
        matte = {"cold": cold, "cuts": cold, "half ratio": half}.get(kind, bench.options.matte)
        matted = bench.matte(clip, replace(bench.options, matte=matte))
        errors = np.array(frame_mad(matted.alpha, clip.alpha))
        print(f"{clip.name} ({kind}): MAD {errors.mean():.2f}", flush=True)
        yield SeenClip(person, kind, errors, matted.signs.values.astype(np.float64))


def moments_in_a_film(doubts: Values) -> list[int]:
    """Return which frames of a clip are pictured where it is a part of a long film."""
    frames = DoubtfulFrames(MOMENTS, APART)
    blank = SmallViews(*torch.zeros(3, 1, 1, 3, dtype=torch.uint8))
    for frame, doubt in enumerate(doubts.tolist()):
        frames.offer(frame, doubt, lambda: blank)
    return [moment.frame for moment in frames.moments()]


def _clips(bench: Bench, shares: int) -> Iterator[tuple[str, str, Clip]]:
    """Yield the kind of each clip, who is in it, and the clip.

    Everybody is seen as they are; one in `shares` of them, each time others, in each way that is
    harder.
    """
    people = list(bench.truth())
    yield from (("as it is", clip.name, clip) for clip in people)
    turns = count()

    def some() -> Sequence[Clip]:
        return people[next(turns) % shares :: shares]

    for kind in ("half ratio", "cold"):
        yield from ((kind, clip.name, clip) for clip in some())
    for kind in DISTURBANCES:
        for clip in some():
            seed = people.index(clip)
            yield kind, clip.name, disturbed(bench.folder, clip, kind, seed)
    for clip in some():
        first = people.index(clip)
        following = [people[(first + step) % len(people)] for step in (0, 2, 5)]
        parts = [bench.first_frames(each, JOINED_FRAMES) for each in following]
        yield "cuts", clip.name, bench.joined(parts)
    for clip in some():
        yield "small", clip.name, bench.placed_small(clip, SMALL_PX, frames=SMALL_FRAMES)
    for seed in DRAWN_SEEDS:
        flashes = (12, 13, 50)
        yield "drawn", f"drawn {seed}", bench.drawn(seed, DRAWN, 72, cuts=(30,), flashes=flashes)


if __name__ == "__main__":
    raise SystemExit(main())
