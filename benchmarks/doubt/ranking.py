"""How signs rank what they say of frames: by frames, by clips, and within each clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.metrics import rank_correlation
from matting.imaging.frame_signs import DOUBT, SIGNS

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
    """

    person: str
    kind: str
    errors: Values
    signs: Values

    def sign(self, name: str) -> Values:
        return self.signs[:, SIGNS.index(name)]

    @property
    def doubt(self) -> Values:
        """That by which moments are chosen."""
        return self.signs[:, DOUBT]


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

    It is about the error, whose logarithm is a weighed sum of those of the signs.
    """
    weights = {
        person: _weights([clip for clip in clips if clip.person != person], names)
        for person in {clip.person for clip in clips}
    }
    return [np.exp(_logarithms(clip, names) @ weights[clip.person]) for clip in clips]


class ShownMoment(NamedTuple):
    """A moment that a report of all clips shows.

    Attributes:
        doubt: by which it is chosen.
        clip: that it is in.
        error: of its frame, MAD x 1e3.
        is_bad: whether that is among the worst.
    """

    doubt: float
    clip: SeenClip
    frame: int
    error: float
    is_bad: bool


def shown_moments(
    clips: Sequence[SeenClip],
    doubts: Sequence[Values],
    most: int,
    choose: Callable[[Values], Sequence[int]],
) -> list[ShownMoment]:
    """Return the moments that are shown, the most doubtful first.

    The clips are taken for one film.

    Args:
        doubts: of each frame of each clip, above 0.
        most: how many moments are shown.
        choose: returns which frames of a part of a film would be, by their doubts.
    """
    limit = _worst(clips)
    shown = [
        ShownMoment(float(own[frame]), clip, frame, float(error), bool(error >= limit))
        for clip, own in zip(clips, doubts, strict=True)
        for frame in choose(own)
        for error in [clip.errors[frame]]
    ]
    return sorted(shown, key=lambda moment: -moment.doubt)[:most]


def most_hits(clips: Sequence[SeenClip], most: int, apart: int) -> int:
    """Return how many of the worst frames could be shown at the most, by the same rules.

    Args:
        most: how many moments are shown.
        apart: how many frames there are from one to the next of a clip at the least.
    """
    limit, found = _worst(clips), 0
    for clip in clips:
        free = 0
        for frame in np.flatnonzero(clip.errors >= limit).tolist():
            if frame >= free:
                found, free = found + 1, frame + apart
    return min(most, found)


def _worst(clips: Sequence[SeenClip]) -> float:
    """Return the least error of the worst frames."""
    errors = np.concatenate([clip.errors for clip in clips])
    return float(np.quantile(errors, 1 - WORST_SHARE))


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
