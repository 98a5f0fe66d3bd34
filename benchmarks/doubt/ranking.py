"""How signs rank what they say of frames: by frames, by clips, and within each clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.metrics import rank_correlation
from matting.imaging.frame_signs import SIGNS

Values = NDArray[np.float64]

LEAST_SIGN, LEAST_ERROR = 1e-4, 0.3  # before the logarithm: of a share, and of MAD x 1e3
CLIPS_COUNT = 0.5  # for the weights: what is between clips, against what is within them
RIDGE = 0.3
WORST_SHARE = 0.05


@dataclass(frozen=True)
class SeenClip:
    """A clip that was matted, with what is to be told and what tells it.

    Attributes:
        person: who is in it; weights are not fitted on who they are tried on.
        kind: in which way it is hard.
        errors: MAD x 1e3 of each frame.
        signs: [T, len(SIGNS)].
        moments: the frames that a report of the clip alone would show.
    """

    person: str
    kind: str
    errors: Values
    signs: Values
    moments: Sequence[int] = ()

    def sign(self, name: str) -> Values:
        return self.signs[:, SIGNS.index(name)]


class Ranks(NamedTuple):
    """Rank correlations with the true error, Spearman's.

    Attributes:
        frames: over all frames.
        clips: over the means of clips.
        within: the mean over clips of that of their frames.
    """

    frames: float
    clips: float
    within: float

    def cells(self) -> list[str]:
        return [f"{value:.2f}" for value in self]


def ranks_of(clips: Sequence[SeenClip], doubts: Sequence[Values]) -> Ranks:
    """Return how doubts, one for each frame of each clip, rank the true errors."""
    errors = [clip.errors for clip in clips]
    means = (np.array([values.mean() for values in each]) for each in (doubts, errors))
    within = [rank_correlation(*pair) for pair in zip(doubts, errors, strict=True)]
    return Ranks(
        rank_correlation(np.concatenate(doubts), np.concatenate(errors)),
        rank_correlation(*means),
        float(np.nanmean(within)),
    )


def weighed(clips: Sequence[SeenClip], names: Sequence[str]) -> list[Values]:
    """Return what signs say together of each clip, by weights fitted on all other people.

    The logarithm of the error is a weighed sum of those of the signs.
    """
    weights = {
        person: _weights([clip for clip in clips if clip.person != person], names)
        for person in {clip.person for clip in clips}
    }
    return [_logarithms(clip, names) @ weights[clip.person] for clip in clips]


def hits(clips: Sequence[SeenClip], most: int) -> tuple[int, int]:
    """Return how many of the moments that are shown there are, and are among the worst frames.

    The clips are taken for one film, whose moments are so far apart as those of any long one.
    """
    errors = np.concatenate([clip.errors for clip in clips])
    limit = np.quantile(errors, 1 - WORST_SHARE)
    shown = [
        (clip.sign("haze")[frame], clip.errors[frame] >= limit)
        for clip in clips
        for frame in clip.moments
    ]
    shown = sorted(shown, reverse=True)[:most]
    return len(shown), sum(bool(is_bad) for _, is_bad in shown)


def _logarithms(clip: SeenClip, names: Sequence[str]) -> Values:
    columns = [np.log(clip.sign(name) + LEAST_SIGN) for name in names]
    return np.stack(columns, 1)


def _weights(clips: Sequence[SeenClip], names: Sequence[str]) -> Values:
    """Return the weight of each sign, by least squares; each clip counts alike."""
    rows, targets = [], []
    mean_row = np.mean([_logarithms(clip, names).mean(0) for clip in clips], 0)
    mean_error = float(np.mean([np.log(clip.errors + LEAST_ERROR).mean() for clip in clips]))
    for clip in clips:
        signs, errors = _logarithms(clip, names), np.log(clip.errors + LEAST_ERROR)
        share = 1 / np.sqrt(len(errors))
        rows += [(signs - signs.mean(0)) * share, CLIPS_COUNT * (signs.mean(0) - mean_row)[None]]
        targets += [(errors - errors.mean()) * share]
        targets.append(np.array([CLIPS_COUNT * (errors.mean() - mean_error)]))
    x, y = np.concatenate(rows), np.concatenate(targets)
    weights: Values = np.linalg.solve(x.T @ x + RIDGE * np.eye(len(names)), x.T @ y)
    return weights
