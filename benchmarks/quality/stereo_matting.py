"""How both eyes of a clip are matted: in one picture, each by itself, or with one state.

Each way takes the program's steps, with a run-up; only what a picture holds, and what the network
remembers of both eyes, is varied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.quality.clips import RGB8
from benchmarks.quality.eye_matching import EYES, Eye, matched, seen_by_both
from benchmarks.quality.part_starts import alpha_of
from benchmarks.quality.stereo_clips import StereoClip
from matting.imaging.planes import Planes
from matting.inference.base import FrameFeatures, InferenceNetwork, RecurrentState
from matting.inference.rvm import STATE_STEPS, RvmState
from matting.network_choice import RUN_UP_FRAMES

Alphas = tuple[Tensor, Tensor]  # the left eye's and the right one's, [T, 1, H, W], in [0, 1]
ROWS, COLUMNS = 2, 3  # dimensions of frames
Join = Callable[[Sequence[RecurrentState], int], Sequence[RecurrentState]]


def in_one_picture(network: InferenceNetwork, clip: StereoClip, ratio: float, along: int) -> Alphas:
    """Return the mattes of both eyes in one picture, side by side or one above the other.

    Args:
        along: COLUMNS or ROWS.
    """
    packed = torch.cat([eye.rgb for eye in clip.eyes], along)
    (alpha,) = _matted(network, [_features(network, packed, ratio)])
    left, right = alpha.chunk(2, along)
    return left, right


def each_by_itself(
    network: InferenceNetwork, clip: StereoClip, ratio: float
) -> tuple[Alphas, Alphas]:
    """Return the mattes of the eyes, each with a state of its own; and with one.

    With one state, those of both eyes are averaged at true matches after every frame.
    """
    disparities = [eye.disparity for eye in clip.eyes]

    def join(states: Sequence[RecurrentState], index: int) -> Sequence[RecurrentState]:
        return _averaged(states, [disparity[index] for disparity in disparities], ratio)

    features = [_features(network, eye.rgb, ratio) for eye in clip.eyes]
    left, right = _matted(network, features)
    joined_left, joined_right = _matted(network, features, join)
    return (left, right), (joined_left, joined_right)


def _features(network: InferenceNetwork, rgb: Tensor, ratio: float) -> list[FrameFeatures]:
    """Return the features of frames [T, 3, H, W], uint8."""
    return [network.extract_features(Planes(RGB8, frame), ratio) for frame in rgb.split(1)]


@torch.inference_mode()
def _matted(
    network: InferenceNetwork, films: Sequence[Sequence[FrameFeatures]], join: Join | None = None
) -> list[Tensor]:
    """Return the alpha of several films of one length, [T, 1, H, W] each, seen at the same time.

    Args:
        join: what becomes of their states after each frame, whose number it is given.
    """
    states: Sequence[RecurrentState | None] = [None] * len(films)
    alphas: list[list[Tensor]] = [[] for _ in films]
    for index, shown in _frames(len(films[0])):
        after = []
        for film, state, kept in zip(films, states, alphas, strict=True):
            output, new = network.run_recurrent(film[index], state)
            after.append(new)
            if shown:
                kept.append(alpha_of(network.fit_guided_filter(output)))
        states = after if join is None else join(after, index)
    return [torch.stack(kept) for kept in alphas]


def _frames(count: int) -> Iterator[tuple[int, bool]]:
    """Yield the frames' numbers in the order in which they are seen, and whether they count."""
    yield from ((index, False) for index in range(min(RUN_UP_FRAMES, count - 1), 0, -1))
    yield from ((index, True) for index in range(count))


def _averaged(
    states: Sequence[RecurrentState], disparities: Sequence[Tensor], ratio: float
) -> Sequence[RecurrentState]:
    """Return the states of both eyes, averaged where both see the same thing."""
    own = [state.tensors for state in states if isinstance(state, RvmState)]
    joined: list[list[Tensor]] = [[], []]
    for scale, step in enumerate(STATE_STEPS):
        tensors = [tensors[scale] for tensors in own]
        size = tensors[0].shape[2:]
        maps = [F.interpolate(d[None], size, mode="nearest")[0] * ratio / step for d in disparities]
        for eye in EYES:
            here, there = (0, 1) if eye is Eye.LEFT else (1, 0)
            moved = matched(tensors[there][0], maps[here], eye)[None]
            both = seen_by_both(maps[here], maps[there], eye)
            joined[here].append(tensors[here].lerp(moved, 0.5 * both.float()))
    left, right = (RvmState((r1, r2, r3, r4)) for r1, r2, r3, r4 in joined)
    return left, right
