"""How well the difference that needs no disparity tells how much the eyes' mattes disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from benchmarks.quality.eye_matching import Eye
from benchmarks.quality.metrics import mean, rank_correlation
from benchmarks.quality.stereo_clips import StereoClip
from benchmarks.quality.stereo_fusion import Pair, match_frames, small_copy
from benchmarks.quality.stereo_matting import Alphas
from benchmarks.results import table
from benchmarks.seconds import Seconds
from matting.imaging.eye_difference import eye_differences
from matting.imaging.sample_format import Size

SMALL = Size(768, 432)  # the small copy of one eye of 1280x720 and more
TRIES, REPEATS = 5, 10
HEAD = ["", "over all frames", "by films and ways", "within a film"]
ABOUT = (
    "`eye_differences`, which knows no disparity, against the true disagreement, both as a share "
    "of the person, of the ways that are not fused: rank correlations. "
)


@dataclass(frozen=True)
class Sign:
    """Of each frame of a film that was matted in some way, as shares of what the eyes show.

    Attributes:
        true: by how much they disagree at true matches.
        found: by how much they differ, where no disparity is known.
    """

    true: Sequence[float]
    found: Sequence[float]


def sign_of(alphas: Alphas, clip: StereoClip, matches: tuple[Pair, Pair], ratio: float) -> Sign:
    """Return the sign of both eyes' alphas.

    Args:
        matches: the true ones.
    """
    (disparity, _), (seen, _) = matches
    difference = (match_frames(alphas[1], disparity, Eye.LEFT) - alphas[0]).abs() * seen
    shown = sum(eye.alpha.sum((1, 2, 3)) for eye in clip.eyes)
    left, right = (small_copy(alpha, ratio) for alpha in alphas)
    return Sign((difference.sum((1, 2, 3)) / shown).tolist(), eye_differences(left, right).tolist())


def sign_table(signs: Mapping[str, Sequence[Sign]], truth: Sequence[Sign]) -> str:
    """Return what the signs of all films and ways say.

    Args:
        signs: of each film, in each way.
        truth: of the films' true alphas.
    """
    every = [sign for ways in signs.values() for sign in ways]
    frames = [(true, found) for s in every for true, found in zip(s.true, s.found, strict=True)]
    means = [(mean(sign.true), mean(sign.found)) for sign in every]
    within = (rank_correlation(sign.true, sign.found) for sign in every)
    ranks = [
        *(rank_correlation(*zip(*pairs, strict=True)) for pairs in (frames, means)),
        mean(rank for rank in within if not math.isnan(rank)),
    ]
    floor, level = (mean(v for s in of for v in s.found) for of in (truth, every))
    alpha = torch.rand(1, 1, SMALL.height, SMALL.width)

    def work() -> None:
        for _ in range(REPEATS):
            eye_differences(alpha, alpha)

    taken = Seconds.least([Seconds.of(work) for _ in range(TRIES)]).cpu / REPEATS
    cost = (
        f"Of the true alphas it is {floor:.4f}, of these mattes {level:.4f}. It takes "
        f"{taken * 1e3:.1f} ms of the processor for both eyes of a frame, at {SMALL.width}x"
        f"{SMALL.height}."
    )
    return f"{ABOUT}{cost}\n\n{table(HEAD, [['rank', *(f'{rank:.2f}' for rank in ranks)]])}"
